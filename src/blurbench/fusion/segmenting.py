"""One fixed way to tell nuclei apart, for the score that asks what a restoration is worth to whoever counts them.

A Gaussian, Otsu's threshold and scikit-image's watershed. What is scored is the change from the view to the answer, so
the segmenter need not be the best, but the same for all.
"""

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from blurbench.fusion.gaussian import smooth
from blurbench.scoring.matching import assign

SMOOTHING = 0.15  # SD of the Gaussian, diameters of a nucleus: texture within it makes no maximum of its own
SEPARATION = 0.6  # of two maxima, diameters: a side of the box in which there is one


def nuclei(volume, spacing_um, diameter_um) -> np.ndarray:
    """Labels of the nuclei in a volume.

    Parameters
    ----------
    volume : (z, y, x);  spacing_um : (3,) of its voxels;  diameter_um : of a nucleus

    Returns
    -------
    int32 (z, y, x), 0 is background
    """
    across = diameter_um / np.asarray(spacing_um, float)  # voxels
    light = smooth(np.asarray(volume, np.float32), SMOOTHING * across)
    if np.ptp(light) == 0:
        return np.zeros(light.shape, np.int32)
    bright = light > threshold_otsu(light)
    box = np.maximum(2 * np.rint(SEPARATION * across / 2).astype(int) + 1, 1)
    seeds, _ = ndimage.label((light == ndimage.maximum_filter(light, tuple(box))) & bright, np.ones((3, 3, 3)))
    return watershed(-light, seeds, mask=bright)


def agreement(found, truth) -> float:
    """How well two segmentations agree: twice the overlaps (IoU) of matched nuclei over the nuclei of both.

    Matched one to one, as many as overlap at all, and of these the best; so both what is missed and what is invented
    counts. 1 where they are equal, NaN where neither has a nucleus.

    Parameters
    ----------
    found, truth : labels (z, y, x), 0 is background
    """
    sizes = [np.bincount(labels.ravel()) for labels in (found, truth)]
    n = sum(int(np.count_nonzero(size[1:])) for size in sizes)
    if n == 0:
        return float("nan")
    both = (found > 0) & (truth > 0)
    pairs, shared = np.unique(found[both] * len(sizes[1]) + truth[both], return_counts=True)
    i, j = np.divmod(pairs, len(sizes[1]))
    overlap = shared / (sizes[0][i] + sizes[1][j] - shared)
    matched = assign(i, j, 1 - overlap) @ [len(sizes[1]), 1]
    return float(2 * overlap[np.isin(pairs, matched)].sum() / n)
