"""A random forest of scikit-learn as plain tensors, for a model file holds no objects of a library."""

import numpy as np
import torch

from blurbench.learning.trees import COLUMNS


def nodes(forest) -> dict[str, torch.Tensor]:
    """Trees (tree, node) of a RandomForestClassifier of two classes, as `learning.trees.grown` gives of a boosting.

    The sum of their `leaves` is the chance of the second class.
    """
    trees = [tree.tree_ for tree in forest.estimators_]
    most = max(tree.node_count for tree in trees)
    out = {name: np.zeros((len(trees), most), float if name in ("threshold", "value") else int) for name in COLUMNS}
    for i, tree in enumerate(trees):
        n, itself = tree.node_count, np.arange(tree.node_count)
        leaf = tree.children_left < 0
        out["feature"][i, :n] = np.maximum(tree.feature, 0)
        out["threshold"][i, :n] = tree.threshold
        out["below"][i, :n] = np.where(leaf, itself, tree.children_left)
        out["above"][i, :n] = np.where(leaf, itself, tree.children_right)
        out["value"][i, :n] = tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) / len(trees)
    return {name: torch.from_numpy(values) for name, values in out.items()}
