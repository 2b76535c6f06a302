"""Which of the things found is which true one, one to one: points within a radius, or any candidates with a cost."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree


def match(truth, found, radius) -> np.ndarray:
    """One-to-one pairs no farther apart than `radius`: as many as there can be, and of these the least total distance.

    Exact, over all assignments. Of several that are equally good one is returned, always the same for the same input.

    Parameters
    ----------
    truth : (n, axes);  found : (m, axes), finite
    radius : float, in the unit of the points

    Returns
    -------
    int (k, 2): row of `truth`, row of `found`, sorted by the former
    """
    i, j, distance = candidates(truth, found, radius)
    return assign(i, j, distance / (radius or 1.0))


def candidates(truth, found, radius):
    """Row of truth, row of found and distance of all that are no farther apart than `radius`, sorted by both rows."""
    truth, found = (np.asarray(points, float) for points in (truth, found))
    if not len(truth) or not len(found):
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    near = cKDTree(truth).sparse_distance_matrix(cKDTree(found), radius, output_type="ndarray")
    near = near[np.lexsort((near["j"], near["i"]))]
    return near["i"].astype(np.intp), near["j"].astype(np.intp), near["v"]


def assign(i, j, cost) -> np.ndarray:
    """One-to-one pairs among candidates: as many as there can be, and of these the least total cost.

    Parameters
    ----------
    i, j : int (n,), what a candidate would pair, each pair once
    cost : (n,), from 0 to 1: the distance over the largest allowed, or one minus an overlap

    Returns
    -------
    int (k, 2), sorted by the first column
    """
    alone = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1)
    pairs = [np.column_stack([i[alone], j[alone]])]
    if not alone.all():
        pairs.append(_assign(i[~alone], j[~alone], cost[~alone]))
    together = np.concatenate(pairs)
    return together[np.argsort(together[:, 0])]


def _assign(i, j, cost):
    """As `assign`, unsorted.

    Every i may also stay alone, at a cost that no sum of costs reaches; so an assignment of all always exists, and the
    cheapest one has as many pairs as possible.
    """
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    n, m = len(rows), len(columns)
    cost = 1 + cost  # the solver takes a stored zero for no edge
    alone = np.full(n, n + 2.0)  # to add a pair, n - 1 others may grow by one each, and the new one costs two
    graph = csr_array(
        (np.r_[cost, alone], (np.r_[row, np.arange(n)], np.r_[column, m + np.arange(n)])), shape=(n, m + n)
    )
    row, column = min_weight_full_bipartite_matching(graph)
    paired = column < m
    return np.column_stack([rows[row[paired]], columns[column[paired]]])


def greedy(i, j, order) -> np.ndarray:
    """Pairs (k, 2) of the candidates i, j (n,), taken one after the other in that order (n,) if both are still free."""
    taken_i, taken_j, pairs = set(), set(), []
    for a, b in zip(i[order].tolist(), j[order].tolist()):
        if a not in taken_i and b not in taken_j:
            taken_i.add(a)
            taken_j.add(b)
            pairs.append((a, b))
    return np.array(pairs, np.intp).reshape(-1, 2)
