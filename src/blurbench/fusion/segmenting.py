"""One fixed way to tell nuclei apart, for the score that asks what a restoration is worth to whoever counts them.

Gaussian, Otsu's threshold and watershed of scikit-image. What is scored is the change from the view to the answer, so
the segmenter need not be the best, but the same for all.
"""

import numpy as np
from scipy import ndimage
from skimage.filters import gaussian, threshold_otsu
from skimage.segmentation import watershed

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
    smooth = gaussian(np.asarray(volume, np.float32), SMOOTHING * across, mode="nearest", preserve_range=True)
    if np.ptp(smooth) == 0:
        return np.zeros(smooth.shape, np.int32)
    bright = smooth > threshold_otsu(smooth)
    box = np.maximum(2 * np.rint(SEPARATION * across / 2).astype(int) + 1, 1)
    seeds, _ = ndimage.label((smooth == ndimage.maximum_filter(smooth, tuple(box))) & bright, np.ones((3, 3, 3)))
    return watershed(-smooth, seeds, mask=bright)


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
    pairs, shared = np.unique(np.column_stack([found[both], truth[both]]), axis=0, return_counts=True)
    if not len(pairs):
        return 0.0
    i, j = pairs.T
    overlap = shared / (sizes[0][i] + sizes[1][j] - shared)
    matched = {tuple(pair) for pair in assign(i, j, 1 - overlap).tolist()}
    kept = [pair in matched for pair in map(tuple, pairs.tolist())]
    return float(2 * overlap[kept].sum() / n)
