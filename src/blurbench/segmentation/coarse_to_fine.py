"""What a classifier of single pixels says of an image, asked at each pixel only where it is not sure of all around."""

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

STEP = 4  # of the grid on which it is asked everywhere, pixels: a third of the smallest cells
SURE = 4.0  # log-odds, beyond which one pixel of fifty is wrong


def coarse_to_fine(odds, found) -> np.ndarray:
    """Log-odds (y, x); where a point of a grid and those next to it are sure alike, those of the point.

    Parameters
    ----------
    odds : function (n, columns) -> (n,), log-odds
    found : features (y, x, columns)
    """
    grid = found[::STEP, ::STEP]
    coarse = odds(grid.reshape(-1, grid.shape[-1])).reshape(grid.shape[:2])
    open_ = _everywhere((minimum_filter(coarse, 3) < SURE) & (maximum_filter(coarse, 3) > -SURE), found.shape)
    fine = _everywhere(coarse, found.shape)
    fine[open_] = odds(found[open_])
    return fine


def _everywhere(grid, shape):
    """Each pixel's value of a grid from whose first point it is less than STEP away."""
    return grid.repeat(STEP, axis=0).repeat(STEP, axis=1)[: shape[0], : shape[1]]
