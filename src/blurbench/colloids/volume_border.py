"""The border of a volume: spheres nearer to a face than a margin are not asked for, and what becomes of a matching.

Points are (n, 3) arrays of finite numbers in any one unit; `box` is (2, 3), the lowest and the highest corner of the
imaged volume in that unit.
"""

import numpy as np


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
