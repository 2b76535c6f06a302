"""From masks to cells: components, and basins around seeds."""

from functools import lru_cache

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import gaussian
from skimage.measure import label
from skimage.segmentation import watershed

SMALLEST = 0.1  # of the usual cell's area, below which a component is a speck


def components(mask, diameter_px) -> np.ndarray:
    """Connected components of a mask (y, x), numbered from 1, int32; specks are left out."""
    found, n = label(mask, connectivity=1, return_num=True)
    area = np.bincount(found.ravel(), minlength=n + 1)
    kept = area >= SMALLEST * np.pi / 4 * diameter_px**2
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[found]


def by_distance(mask, diameter_px, separation, smoothing) -> np.ndarray:
    """A mask (y, x) cut where its distance to the background is least between two maxima (Vincent and Soille 1991).

    Parameters
    ----------
    separation : of two maxima, at least, in usual diameters
    smoothing : SD of the Gaussian that the distance is smoothed with, likewise
    """
    return cut(mask, distance(mask), diameter_px, separation, smoothing)


def distance(mask) -> np.ndarray:
    """Pixels from each one of a mask (y, x) to the background, float32.

    Cells may be cut by the border of the image, which is no background.
    """
    return ndimage.distance_transform_edt(mask).astype(np.float32)


def cut(mask, distance, diameter_px, separation, smoothing) -> np.ndarray:
    """What `by_distance` gives of a mask whose `distance` is known."""
    height = gaussian(distance, smoothing * diameter_px) * mask if smoothing else distance
    return basins(height, seeds(height, separation * diameter_px, 0.0), mask, diameter_px)


def masks(levels):
    """Function of a level: the mask of `thresholds.Levels` above it, and its `distance`.

    The last ones are kept, for settings that are tried one after the other mostly share them.
    """

    @lru_cache(1)
    def at(level):
        mask = levels.above(level)
        return mask, distance(mask)

    return at


def seeds(height, separation_px, least) -> np.ndarray:
    """Maxima (n, 2) of a height (y, x), those above `least` and no nearer to a higher one than a separation."""
    return peak_local_max(height, min_distance=max(1, round(separation_px)), threshold_abs=least, exclude_border=False)


def basins(height, seeds, mask, diameter_px) -> np.ndarray:
    """Cells, int32 (y, x): the basin of each seed (n, 2) in a mask; then components without a seed, but for specks."""
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    cells = watershed(-height, markers, mask=mask)
    alone = components(mask & (cells == 0), diameter_px)
    return np.where(alone, alone + len(seeds), cells).astype(np.int32)
