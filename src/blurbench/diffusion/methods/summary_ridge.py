"""Ridge regression on summaries of the spots and their path, and on all products of two of them.

The simplest learner on what `ours` sees: a network that does not beat it has learned nothing yet.
"""

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from blurbench.diffusion.summary_regression import SummaryRegression


class SummaryRidge(SummaryRegression):
    kind = "learned"
    trains = True
    network = False
    options = {"strengths": [1.0, 10.0, 100.0, 1000.0, 10000.0]}  # the best on validation is taken

    def regress(self, x, y, validation, seed):
        (u, v), x = validation, _products(x)
        u, best = _products(u), np.inf
        for strength in self.strengths:
            ridge = Ridge(alpha=strength, solver="cholesky").fit(x, y)
            loss = np.mean((ridge.predict(u) - v) ** 2)
            if loss < best:
                best, coefficients = loss, torch.from_numpy(ridge.coef_)
                chosen = {
                    "strength": float(strength),
                    "intercept": float(ridge.intercept_),
                    "coefficients": coefficients,
                }
        return chosen

    def correction(self, model, x):
        return _products(x) @ model["coefficients"].numpy() + model["intercept"]


def _products(x):
    """The summaries and all products of two of them."""
    return PolynomialFeatures(2, include_bias=False).fit_transform(x) if len(x) else np.empty((0, 0))
