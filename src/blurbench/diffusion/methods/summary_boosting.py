"""Gradient boosting of regression trees on summaries of the spots and their path."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from blurbench.diffusion.summary_regression import SummaryRegression
from blurbench.learning.trees import grown, leaves


class SummaryBoosting(SummaryRegression):
    kind = "learned"
    trains = True
    network = False
    options = {"trees": 400, "leaves": 15, "learning_rate": 0.05, "patience": 40}

    def regress(self, x, y, validation, seed):
        boosting = HistGradientBoostingRegressor(
            max_iter=self.trees, max_leaf_nodes=self.leaves, learning_rate=self.learning_rate, early_stopping=True,
            n_iter_no_change=self.patience, random_state=seed,
        )  # fmt: skip
        return {"start": float(np.mean(y)), **grown(boosting, x, y, validation)}

    def correction(self, model, x):
        return model["start"] + leaves(model, x)
