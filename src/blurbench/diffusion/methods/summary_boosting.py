"""Gradient boosting of regression trees on summaries of the spots and their path."""

import numpy as np
import torch
from numba import njit
from sklearn.ensemble import HistGradientBoostingRegressor

from blurbench.diffusion.summary_regression import SummaryRegression


class SummaryBoosting(SummaryRegression):
    kind = "learned"
    trains = True
    network = False
    options = {"trees": 400, "leaves": 15, "learning_rate": 0.05, "patience": 40}

    def regress(self, x, y, validation, seed):
        boosting = HistGradientBoostingRegressor(
            max_iter=self.trees, max_leaf_nodes=self.leaves, learning_rate=self.learning_rate, early_stopping=True,
            n_iter_no_change=self.patience, random_state=seed,
        ).fit(x, y, X_val=validation[0], y_val=validation[1])  # fmt: skip
        best = int(np.argmax(boosting.validation_score_))  # of none, one, two trees, ...
        return {"start": float(np.mean(y)), **_nodes([stage[0].nodes for stage in boosting._predictors[:best]])}

    def correction(self, model, x):
        return model["start"] + _leaves(np.ascontiguousarray(x), *(model[name].numpy() for name in COLUMNS))


COLUMNS = {"feature": "feature_idx", "threshold": "num_threshold", "below": "left", "above": "right", "value": "value"}


@njit(cache=True)
def _leaves(x, feature, threshold, below, above, value):
    """Sum over the trees of the leaf that each row of x (n, columns) ends in."""
    total = np.zeros(len(x))
    for i in range(len(x)):
        for tree in range(len(feature)):
            at = 0
            while below[tree, at] != at:
                at = (below if x[i, feature[tree, at]] <= threshold[tree, at] else above)[tree, at]
            total[i] += value[tree, at]
    return total


def _nodes(trees):
    """The trees as tensors (tree, node), for a model file holds no objects of a library. A leaf leads to itself."""
    most = max((len(nodes) for nodes in trees), default=1)
    out = {name: np.zeros((len(trees), most), float if name in ("threshold", "value") else int) for name in COLUMNS}
    for i, nodes in enumerate(trees):
        itself = np.arange(len(nodes))
        for name, column in COLUMNS.items():
            stays = nodes["is_leaf"] & (name in ("below", "above"))
            out[name][i, : len(nodes)] = np.where(stays, itself, nodes[column])
    return {name: torch.from_numpy(values) for name, values in out.items()}
