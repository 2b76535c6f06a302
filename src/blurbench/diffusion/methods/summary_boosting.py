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
    allowed = {"leaves": {"minimum": 2}}

    def regress(self, x, y, validation, seed):
        trees = grown(HistGradientBoostingRegressor, self, x, y, validation, seed)
        return {"start": float(np.mean(y)), **trees}

    def correction(self, model, x):
        return model["start"] + leaves(model, x)
