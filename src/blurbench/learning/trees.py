"""Trees of scikit-learn's gradient boosting as plain tensors, for a model file holds no objects of a library."""

import numpy as np
import torch
from numba import njit

COLUMNS = {"feature": "feature_idx", "threshold": "num_threshold", "below": "left", "above": "right", "value": "value"}


def grown(boosting, options, x, y, validation, seed) -> dict[str, torch.Tensor]:
    """Trees (tree, node) of a histogram gradient boosting on x (n, columns) and y (n,), up to the best on validation.

    Their sum, `leaves`, is what the boosting adds to its constant, in log-odds where y is a class of two.

    Parameters
    ----------
    boosting : class, HistGradientBoostingRegressor or HistGradientBoostingClassifier
    options : what has `trees`, `leaves` (of a tree), `learning_rate` and `patience` (trees), such as a method
    validation : (x, y) to stop by
    """
    found = boosting(
        max_iter=options.trees,
        max_leaf_nodes=options.leaves,
        learning_rate=options.learning_rate,
        early_stopping=True,
        n_iter_no_change=options.patience,
        random_state=seed,
    ).fit(x, y, X_val=validation[0], y_val=validation[1])
    best = int(np.argmax(found.validation_score_))  # of none, one, two trees, ...
    return _nodes([stage[0].nodes for stage in found._predictors[:best]])


def leaves(trees, x) -> np.ndarray:
    """Sum over the trees that `grown` gave of the leaf that each row of x (n, columns) ends in, (n,)."""
    return _leaves(np.ascontiguousarray(x), *(trees[name].numpy() for name in COLUMNS))


@njit(cache=True)
def _leaves(x, feature, threshold, below, above, value):
    total = np.zeros(len(x))
    for i in range(len(x)):
        for tree in range(len(feature)):
            at = 0
            while below[tree, at] != at:
                at = (below if x[i, feature[tree, at]] <= threshold[tree, at] else above)[tree, at]
            total[i] += value[tree, at]
    return total


def _nodes(trees):
    """The trees as tensors (tree, node). A leaf leads to itself."""
    most = max((len(nodes) for nodes in trees), default=1)
    out = {name: np.zeros((len(trees), most), float if name in ("threshold", "value") else int) for name in COLUMNS}
    for i, nodes in enumerate(trees):
        itself = np.arange(len(nodes))
        for name, column in COLUMNS.items():
            stays = nodes["is_leaf"] & (name in ("below", "above"))
            out[name][i, : len(nodes)] = np.where(stays, itself, nodes[column])
    return {name: torch.from_numpy(values) for name, values in out.items()}
