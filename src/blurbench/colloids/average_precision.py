"""Two average precisions of detected spheres: over their confidence, and the one that a data challenge called so.

Points are (n, 3) arrays of finite numbers in any one unit; `box` is (2, 3), the lowest and the highest corner of the
imaged volume in that unit.
"""

import numpy as np

from blurbench.colloids.volume_border import inside, trim
from blurbench.scoring.matching import candidates, greedy

CHALLENGE_THRESHOLDS = np.linspace(0, 1, 10)  # as coded there; its text says steps of 0.1


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
    i, j, distance = candidates(truth, found, radius)
    pairs = greedy(i, j, np.lexsort((distance, -confidence[j])))
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
    i, j, distance = candidates(truth, found, scale)
    order = np.argsort(distance, kind="stable")
    pairs = greedy(i, j, order)
    closeness = 1 - np.linalg.norm(truth[pairs[:, 0]] - found[pairs[:, 1]], axis=1) / scale
    # Nearest first: the pairs above a threshold are the first ones of a single matching.
    hits = (closeness > CHALLENGE_THRESHOLDS[:, None]).sum(axis=1)
    return float(np.trapezoid(hits / len(found), hits[::-1] / len(truth)))
