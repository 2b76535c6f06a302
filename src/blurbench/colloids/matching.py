"""Which detection is which sphere, what the faces of the volume do to that, and the two average precisions.

Points are (n, 3) arrays of finite numbers in any one unit; `box` is (2, 3), the lowest and the highest corner of the
imaged volume in that unit.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

CHALLENGE_THRESHOLDS = np.linspace(0, 1, 10)  # as coded there; its text says steps of 0.1


def match(truth, found, radius) -> np.ndarray:
    """One-to-one pairs no farther apart than `radius`: as many as there can be, and of these the least total distance.

    Exact, over all assignments. Of several that are equally good one is returned, always the same for the same input.

    Parameters
    ----------
    truth : (n, 3);  found : (m, 3)
    radius : float, in the unit of the points

    Returns
    -------
    int (k, 2): row of `truth`, row of `found`, sorted by the former
    """
    i, j, distance = _candidates(truth, found, radius)
    alone = (np.bincount(i, minlength=len(truth))[i] == 1) & (np.bincount(j, minlength=len(found))[j] == 1)
    pairs = [np.column_stack([i[alone], j[alone]])]
    if not alone.all():
        pairs.append(_assign(i[~alone], j[~alone], distance[~alone], radius))
    pairs = np.concatenate(pairs)
    return pairs[np.argsort(pairs[:, 0])]


def _candidates(truth, found, radius):
    """Row of truth, row of found and distance of all that are no farther apart than `radius`."""
    truth, found = (np.asarray(points, float).reshape(-1, 3) for points in (truth, found))
    near = cKDTree(truth).sparse_distance_matrix(cKDTree(found), radius, output_type="ndarray")
    near = near[np.lexsort((near["j"], near["i"]))]
    return near["i"].astype(np.intp), near["j"].astype(np.intp), near["v"]


def _assign(i, j, distance, radius):
    """Optimal pairs (k, 2) among candidates.

    Every truth may also stay alone, at a cost that no sum of distances reaches; so an assignment of all always exists,
    and the cheapest one has as many pairs as possible.
    """
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    n, m = len(rows), len(columns)
    unit = radius or 1.0
    cost = 1 + distance / unit  # the solver takes a stored zero for no edge
    alone = np.full(n, n + 2.0)  # to add a pair, n - 1 others may grow by one each, and the new one costs two
    graph = csr_array(
        (np.r_[cost, alone], (np.r_[row, np.arange(n)], np.r_[column, m + np.arange(n)])), shape=(n, m + n)
    )
    row, column = min_weight_full_bipartite_matching(graph)
    paired = column < m
    return np.column_stack([rows[row[paired]], columns[column[paired]]])


def inside(points, box, margin) -> np.ndarray:
    """Whether points are in the box and no nearer to a face than `margin`, (n,)."""
    low, high = np.asarray(box, float)
    return ((points >= low + margin) & (points <= high - margin)).all(axis=1)


def trim(truth, found, pairs, box, margin):
    """Take the border out of a finished matching.

    Spheres whose centre lies nearer to a face than `margin`, or outside, are not asked for. They go together with the
    detections that were matched to them, as do unmatched detections nearer to a face than that. A detection stays with
    its sphere, so a pair on either side of the limit makes no error, as it does where the border is cut first.

    Returns
    -------
    pairs that stay (k, 2), which truths are asked for (n,), which detections count (m,)
    """
    asked, counted = inside(truth, box, margin), inside(found, box, margin)
    stays = asked[pairs[:, 0]]
    counted[pairs[:, 1]] = stays
    return pairs[stays], asked, counted


def f1_in_voxels(truth, found, shape, diameter, radius=0.25) -> float:
    """F1 of the centres of one volume, the border of half a diameter left out: what settings are chosen by.

    Parameters
    ----------
    truth : (n, 3);  found : (m, 3), voxels from the centre of the first one
    shape : voxels;  diameter : voxels;  radius : of a match, in diameters

    Returns
    -------
    float; 1 where there is nothing to find and nothing was found
    """
    box = np.array([np.full(3, -0.5), np.array(shape) - 0.5])
    pairs, asked, counted = trim(truth, found, match(truth, found, radius * diameter), box, diameter / 2)
    total = asked.sum() + counted.sum()
    return 2 * len(pairs) / total if total else 1.0


def average_precision(truth, found, confidence, radius, box=None, margin=0.0) -> float:
    """Area under precision against recall, from the surest detection to the least sure.

    By decreasing confidence, each detection takes the nearest sphere within `radius` that is still free. While the
    radius is less than half the least distance between spheres (which no detection can then share), that is the best
    matching at every threshold of the confidence. Equal confidences enter together, so their order does not matter; the
    precision at a recall is the best one at that recall or a higher one (all-point interpolation: Everingham et al.
    2010, Int. J. Comput. Vis. 88:303).

    Parameters
    ----------
    truth : (n, 3);  found : (m, 3);  confidence : (m,), higher is surer
    radius : of a match
    box, margin : optional, as in `trim`

    Returns
    -------
    float; 0 if nothing was found, NaN if a confidence is NaN or no sphere is asked for
    """
    truth, found = (np.asarray(points, float).reshape(-1, 3) for points in (truth, found))
    confidence = np.asarray(confidence, float)
    if np.isnan(confidence).any():
        return np.nan
    i, j, distance = _candidates(truth, found, radius)
    pairs = _greedy(i, j, np.lexsort((distance, -confidence[j])))
    asked, counted = np.ones(len(truth), bool), np.ones(len(found), bool)
    if box is not None:
        pairs, asked, counted = trim(truth, found, pairs, box, margin)
    if not asked.any():
        return np.nan
    true = np.zeros(len(found), bool)
    true[pairs[:, 1]] = True
    confidence, true = confidence[counted], true[counted]
    order = np.argsort(-confidence, kind="stable")
    last = np.flatnonzero(np.diff(confidence[order], append=np.nan) != 0)  # of each run of equal confidences
    hits = np.cumsum(true[order])[last]
    precision = np.maximum.accumulate((hits / (last + 1))[::-1])[::-1]
    return float(np.sum(np.diff(hits, prepend=0) * precision) / asked.sum())


def _greedy(i, j, order):
    """Pairs (k, 2) taken one after the other in that order, each if both its points are still free."""
    taken_i, taken_j, pairs = set(), set(), []
    for a, b in zip(i[order].tolist(), j[order].tolist()):
        if a not in taken_i and b not in taken_j:
            taken_i.add(a)
            taken_j.add(b)
            pairs.append((a, b))
    return np.array(pairs, np.intp).reshape(-1, 2)


def challenge_average_precision(truth, found, scale, box=None) -> float:
    """The score that a data challenge (challengedata.ens.fr, no. 106) called average precision, for comparison only.

    Its closeness of two points is 1 - distance / scale. At ten thresholds from 0 to 1 the nearest pairs above the
    threshold are matched first; what lies within scale / 2 of a face is cut before that. The precisions from the
    loosest threshold to the strictest are then integrated over the recalls from the strictest to the loosest. That is
    about precision times recall as long as errors are small, and hardly depends on them. `scale` was meant to be the
    diameter; the challenge was scored with the radius in its place.

    Returns
    -------
    float; 0 if there is nothing to find or nothing was found
    """
    truth, found = (np.asarray(points, float).reshape(-1, 3) for points in (truth, found))
    if box is not None:
        truth, found = (points[inside(points, box, scale / 2)] for points in (truth, found))
    if not len(truth) or not len(found):
        return 0.0
    i, j, distance = _candidates(truth, found, scale)
    order = np.argsort(distance, kind="stable")
    pairs = _greedy(i, j, order)
    closeness = 1 - np.linalg.norm(truth[pairs[:, 0]] - found[pairs[:, 1]], axis=1) / scale
    # Nearest first: the pairs above a threshold are the first ones of a single matching.
    hits = (closeness > CHALLENGE_THRESHOLDS[:, None]).sum(axis=1)
    return float(np.trapezoid(hits / len(found), hits[::-1] / len(truth)))
