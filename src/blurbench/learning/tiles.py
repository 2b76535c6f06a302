"""Tiles without seams: an image of any size, and of any number of axes, in parts that a network can be given.

A tile is read with a margin, beyond which the answer in its core does not depend on the image, and answers for its core
alone: so the tiles together give what the whole image would give.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from blurbench.files.logs import progress

MANY = 32  # tiles, which take long enough that one wants to know how far they are


class Tile(NamedTuple):
    """Two boxes of pixels, each a (lo, hi) per axis.

    core : the tile's own pixels; the cores of all tiles cover every pixel once
    read : the core and its margin, as far as the image reaches
    """

    core: tuple
    read: tuple

    def owns(self, pixels) -> np.ndarray:
        """Which of the pixels (n, axes) of the image lie in the core, (n,)."""
        low, high = np.transpose(self.core)
        return ((low <= pixels) & (pixels < high)).all(axis=1)


def tiles(shape, side, margin, align):
    """Tiles of an image, row after row, with a progress bar where they are many.

    Parameters
    ----------
    shape : of the image;  side : of a core, rounded down to a multiple of `align`
    margin : pixels
    align : cores begin at multiples of it, so that a network halves a tile where it would halve the image
    """
    step = max(align, side // align * align)
    corners = list(product(*(range(0, n, step) for n in shape)))
    for corner in corners if len(corners) < MANY else progress(corners, "tiles"):
        core = tuple((lo, min(lo + step, n)) for lo, n in zip(corner, shape))
        yield Tile(core, widened(core, margin, shape))


def widened(box, margin, shape):
    """A box and `margin` pixels around it, as far as the image reaches."""
    return tuple((max(lo - margin, 0), min(hi + margin, n)) for (lo, hi), n in zip(box, shape))


def window(box, within=None):
    """Slices of a box of pixels, in the image or in another box that holds it."""
    firsts = [lo for lo, _ in within] if within else [0] * len(box)
    return tuple(slice(lo - first, hi - first) for (lo, hi), first in zip(box, firsts))
