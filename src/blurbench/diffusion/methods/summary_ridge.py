"""Ridge regression on summaries of the spots and their path, and on all products of two of them.

The simplest learner on what `ours` sees: a network that does not beat it has learned nothing yet.
"""

import numpy as np
import torch
from scipy.linalg import solve

from blurbench.diffusion.summary_regression import SummaryRegression

BLOCK = 4096  # rows whose products are in memory at a time: those of all would be a gigabyte for 200,000


class SummaryRidge(SummaryRegression):
    kind = "learned"
    trains = True
    network = False
    options = {"strengths": [1.0, 10.0, 100.0, 1000.0, 10000.0]}  # the best on validation is taken

    def regress(self, x, y, validation, seed):
        (u, v), best, blocks = validation, np.inf, range(0, len(x), BLOCK)
        mean, mean_y = sum(_products(x[i : i + BLOCK]).sum(axis=0) for i in blocks) / len(x), y.mean()
        covariance, with_y = 0.0, 0.0
        for i in blocks:
            centred = _products(x[i : i + BLOCK]) - mean
            covariance, with_y = covariance + centred.T @ centred, with_y + centred.T @ (y[i : i + BLOCK] - mean_y)
        for strength in self.strengths:
            coefficients = solve(covariance + strength * np.eye(len(mean)), with_y, assume_a="pos")
            model = {"coefficients": torch.from_numpy(coefficients), "intercept": float(mean_y - mean @ coefficients)}
            loss = np.mean((self.correction(model, u) - v) ** 2)
            if loss < best:
                best, chosen = loss, {"strength": float(strength), **model}
        return chosen

    def correction(self, model, x):
        return _products(x) @ model["coefficients"].numpy() + model["intercept"]


def _products(x):
    """The columns of x (n, columns), and all products of two of them."""
    return np.column_stack([x, *(x[:, i:] * x[:, i, None] for i in range(x.shape[1]))])
