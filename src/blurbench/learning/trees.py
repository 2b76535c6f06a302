"""Trees of scikit-learn's gradient boosting as plain tensors, for a model file holds no objects of a library."""

import numpy as np
import torch
from numba import njit

COLUMNS = {"feature": "feature_idx", "threshold": "num_threshold", "below": "left", "above": "right", "value": "value"}
LANES = 4  # rows
BLOCK = 1024  # rows that a tree is read for: a multiple of LANES


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


def classifier(boosting, options, x, y, validation, seed) -> dict:
    """Model of whether y (n,) is true by x (n, columns): `start`, the log-odds of all, and `trees` as `grown` gives."""
    trees = grown(boosting, options, x, y, validation, seed)
    return {"start": float(np.log(y.mean() / (1 - y.mean()))), "trees": trees}


def odds(model, x) -> np.ndarray:
    """Log-odds that a `classifier` gives each row of x (n, columns), (n,)."""
    return model["start"] + leaves(model["trees"], x)


def leaves(trees, x) -> np.ndarray:
    """Sum over the trees that `grown` gave of the leaf that each row of x (n, columns) ends in, (n,)."""
    feature, threshold, below, above, value = (trees[name].numpy() for name in COLUMNS)
    children = np.stack([above, below], axis=-1)
    # Narrow numbers, of which more are at hand.
    narrow = feature.astype(np.uint32), _rounded_down(threshold, x.dtype), children.astype(np.uint32)
    return _leaves(np.ascontiguousarray(x), *narrow, value)


def _rounded_down(threshold, dtype):
    """Thresholds in the precision of what is held against them: the same numbers are no larger than these."""
    near = threshold.astype(dtype)
    return np.where(near > threshold, np.nextafter(near, dtype.type(-np.inf)), near)


@njit(cache=True)
def _leaves(x, feature, threshold, children, value):
    """Rows go down a tree LANES at a time: where one goes next takes no guess, and none waits for another."""
    n, total = len(x), np.zeros(len(x))
    for first in range(0, n, BLOCK):
        stop = min(first + BLOCK, n)
        for t in range(len(feature)):
            of, most, to = feature[t], threshold[t], children[t]
            for i in range(first, stop, LANES):
                j, k, m = min(i + 1, n - 1), min(i + 2, n - 1), min(i + 3, n - 1)
                a = b = c = d = np.uint32(0)
                while True:
                    p = to[a, int(x[i, of[a]] <= most[a])]
                    q = to[b, int(x[j, of[b]] <= most[b])]
                    r = to[c, int(x[k, of[c]] <= most[c])]
                    s = to[d, int(x[m, of[d]] <= most[d])]
                    if p == a and q == b and r == c and s == d:
                        break
                    a, b, c, d = p, q, r, s
                for row, leaf in ((i, a), (i + 1, b), (i + 2, c), (i + 3, d)):
                    if row < stop:
                        total[row] += value[t, leaf]
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
