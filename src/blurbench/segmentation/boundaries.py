"""How far the outline of one mask lies from that of another."""

import numpy as np
from scipy.spatial import cKDTree

PERCENTILE = 95  # of distances: a few stray pixels do not decide


def hausdorff(prediction, truth, percentile=PERCENTILE) -> float:
    """Distance between the outlines of two masks, px: the larger of two percentiles.

    Of the distances from every pixel of one outline to the nearest of the other, and the other way round (Huttenlocher
    et al. 1993, IEEE PAMI 15:850, whose K-th ranked distance this is). An outline are the pixels of a mask with one of
    their four neighbours outside; what lies beyond the image is outside.

    Parameters
    ----------
    prediction, truth : (y, x), of labels or of a mask;  percentile : 100 is the Hausdorff distance itself

    Returns
    -------
    float; 0 where both masks are empty, the image's diagonal, which nothing exceeds, where one of them is
    """
    outlines = [outline(np.asarray(image) > 0) for image in (prediction, truth)]
    if not all(map(len, outlines)):
        return float(np.hypot(*np.shape(truth))) if any(map(len, outlines)) else 0.0
    trees = [cKDTree(pixels, balanced_tree=False, compact_nodes=False) for pixels in outlines]  # quick to build
    away = (trees[other].query(outlines[one])[0] for one, other in ((0, 1), (1, 0)))
    return float(max(np.percentile(distances, percentile) for distances in away))


def outline(mask) -> np.ndarray:
    """Pixels of a mask (y, x) with a neighbour outside, int (n, 2)."""
    wide = np.pad(mask, 1)
    inside = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return np.argwhere(mask & ~inside)
