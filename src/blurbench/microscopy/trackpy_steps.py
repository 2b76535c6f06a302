"""The steps of trackpy's `locate` (Crocker & Grier 1996) and its features, without the tables it makes on the way.

So settings that share a step share its cost, and a small frame takes a third of the time.
"""

from typing import NamedTuple

import numpy as np
from trackpy.find import grey_dilation, percentile_threshold, where_close
from trackpy.preprocessing import bandpass, convert_to_int
from trackpy.refine import refine_com_arr


class Smoothed(NamedTuple):
    """An image in which features are located, as given, and after the filter: whole numbers, `scale` times as large."""

    raw: np.ndarray
    image: np.ndarray
    scale: float
    diameter: tuple[int, ...]


def smoothed(raw, diameter, noise_size=1.0) -> Smoothed:
    """An image after trackpy's filter.

    Parameters
    ----------
    raw : (..., y, x), whole numbers or not
    diameter : of a feature, pixels, odd, one per axis
    noise_size : SD in pixels of the Gaussian
    """
    whole = np.issubdtype(raw.dtype, np.integer)
    scale, image = convert_to_int(bandpass(raw, noise_size, diameter), raw.dtype if whole else np.uint8)
    return Smoothed(raw, image, scale, diameter)


def locate(smooth: Smoothed, separation=None, percentiles=(64,)):
    """Features (n, axes + 1) of an image, position in pixels and mass, for each of the percentiles.

    Parameters
    ----------
    smooth : Smoothed
    separation : least distance of two features, pixels; None for trackpy's default of diameter + 1
    percentiles : of the pixels that are brighter than none; a maximum must be brighter still. trackpy's default is 64
    """
    separation = tuple(d + 1 for d in smooth.diameter) if separation is None else (separation,) * smooth.image.ndim
    radius = tuple(d // 2 for d in smooth.diameter)
    margin = tuple(max(r, s // 2 - 1) for r, s in zip(radius, separation))
    peaks = grey_dilation(smooth.image, separation, min(percentiles), margin, precise=False).astype(int)
    found = refine_com_arr(smooth.raw, smooth.image, radius, peaks, engine="numba", characterize=False)
    for percentile in percentiles:
        bright = found[smooth.image[tuple(peaks.T)] > percentile_threshold(smooth.image, percentile)]
        apart = np.delete(bright, where_close(bright[:, :-1], separation, bright[:, -1]), axis=0)
        apart[:, -1] /= smooth.scale
        yield apart[apart[:, -1] > 0]
