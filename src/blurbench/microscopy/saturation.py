"""The grey value at which a recording saturates, wherever it lies: 4095 in a file of 16 bits, 1.0 in one of floats."""

from typing import NamedTuple

import numpy as np

from blurbench.microscopy.frames import Frames

FEWEST = 10  # pixels at the highest value: so many, and no higher one, is no chance
BAND = 0.02  # of the range of the grey values: a smooth tail has more pixels in so much below its end than at it


class Ceiling(NamedTuple):
    """Grey value (ADU) at which a detector or an export cuts off, and the share of the pixels that have it."""

    value: float
    share: float

    def __str__(self):
        return f"grey values pile up at {self.value:g} ADU ({100 * self.share:.2g} % of the pixels)"


def ceiling(movie: Frames, alive: np.ndarray) -> Ceiling | None:
    """Where the grey values of a movie pile up at their highest, None where they thin out towards it.

    They pile up where more pixels have the highest value than lie in the BAND below it, or at the next lower value
    where the band is empty: what is above a ceiling is at it.

    Parameters
    ----------
    movie : Frames, which are read twice
    alive : bool (y, x), pixels that count; a hot one is at its highest for good, and says nothing of the others
    """
    if not alive.any():
        return None
    ends = np.array([(image[alive].min(), image[alive].max()) for image in _images(movie)])
    lowest, highest = ends[:, 0].min(), ends[:, 1].max()
    at, near, below, at_below = 0, 0, -np.inf, 0
    for image in _images(movie):
        values = image[alive]
        at += int((values == highest).sum())
        lower = values[values < highest]
        near += int((lower > highest - BAND * (highest - lowest)).sum())
        top = lower.max(initial=-np.inf)
        if top > below:
            below, at_below = top, 0
        at_below += int((lower == below).sum())
    if at < FEWEST or at <= max(near, at_below):
        return None
    return Ceiling(float(highest), at / (len(movie) * alive.sum()))


def _images(movie):
    return (movie[i].astype(float) for i in range(len(movie)))
