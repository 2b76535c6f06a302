"""The crop that every network reads: as many pixels about the molecule, wherever in the field that is."""

import math

import numpy as np
from numba import njit

from blurbench.diffusion.localise import detect
from blurbench.diffusion.psf import FWHM_OVER_SD


def side(spec, crop_px: int) -> int:
    """Side in pixels of what a network reads: `crop_px`, but the whole field where that is no larger, or for 0."""
    return min(crop_px or math.inf, spec["imaging"]["size_px"])


def corners(images, items, spec, side: int):
    """First row and column (n, 2) of the crop of each item, about the median over frames of its brightest spot.

    A molecule near the edge has a crop that reaches beyond the field.

    Parameters
    ----------
    images : (n, t, y, x) grey values;  items : their table;  spec : of the dataset;  side : of the crop, pixels
    """
    size = spec["imaging"]["size_px"]
    if side == size:
        return np.zeros((len(images), 2), np.int64)
    camera, pixel = spec["imaging"]["camera"], spec["imaging"]["pixel_size_um"]
    background = items["background"].to_numpy(float) * camera["quantum_efficiency"]
    grey = camera["offset"] + background * camera["gain"] * camera["em_gain"]
    s2, exposure = (items["fwhm_um"].to_numpy(float) / FWHM_OVER_SD) ** 2, items["exposure_s"].to_numpy(float)
    slowest, fastest = (s2 + D * exposure / 3 for D in map(float, spec["D_um2_s"]))
    scale = (slowest * fastest) ** 0.25 / pixel  # the width that `localise` begins with
    return _medians(images, items["frames"].to_numpy(np.int64), grey, scale) - side // 2


@njit(cache=True, nogil=True)
def _medians(images, frames, background, scale):
    """Median row and column (n, 2) of the brightest spots of each item, pixel indices; the upper one of two."""
    out = np.empty((len(images), 2), np.int64)
    for i in range(len(images)):
        found = np.empty((2, frames[i]), np.int64)
        for t in range(frames[i]):
            found[0, t], found[1, t] = detect(images[i, t], background[i], scale[i])
        for axis in range(2):
            out[i, axis] = np.sort(found[axis])[frames[i] // 2]
    return out
