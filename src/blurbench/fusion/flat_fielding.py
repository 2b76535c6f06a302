"""Flat field of a view, from the view itself: what is left of the light at each place after its ways in and out.

What fluoresces is taken to be as bright here as there, but for chance: so the brightness of the foreground falls as the
light is lost. Its logarithm is fitted by a polynomial of low degree, as absorption adds up along the ways of the light
(Beer-Lambert). All this on blocks of some micrometres, few whatever the size of the view.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from skimage.filters import threshold_otsu

BLOCK_UM = 3.0  # side of a block: less than a cell, and many voxels
ROUNDS = 15  # of the fit and of what it takes for foreground
PLANES = 16  # that are divided at a time


class FlatField(NamedTuple):
    """Light that is left, of the brightest place's.

    log_left : (z, y, x) float32 at the centres of blocks, at most 0
    block : (3,) voxels of a block
    """

    log_left: np.ndarray
    block: np.ndarray

    def on(self, box) -> np.ndarray:
        """Light left on a box of voxels, a (lo, hi) per axis, float32; linear between the centres of blocks."""
        values = self.log_left
        for axis, ((lo, hi), side) in enumerate(zip(box, self.block)):
            at = np.clip((np.arange(lo, hi) + 0.5) / side - 0.5, 0, values.shape[axis] - 1)
            below = np.minimum(at.astype(int), max(values.shape[axis] - 2, 0))
            share = np.expand_dims((at - below).astype(np.float32), [a for a in range(3) if a != axis])
            above = np.minimum(below + 1, values.shape[axis] - 1)
            values = values.take(below, axis) * (1 - share) + values.take(above, axis) * share
        return np.exp(values)


def fit(photons, spacing_um, shrink=0.1, degree=3) -> FlatField:
    """Flat field of a view.

    Parameters
    ----------
    photons : (z, y, x);  spacing_um : (3,)
    shrink : how much the terms beyond the linear ones are drawn to 0: not at all for 0, about by half for 1
    degree : of the polynomial in z, y and x

    Raises ValueError if nothing is brighter than the rest.
    """
    block = np.maximum(1, np.rint(BLOCK_UM / np.asarray(spacing_um))).astype(int)
    brightness = block_means(photons, block)
    log = np.log(np.maximum(brightness, 1e-3 * max(brightness.max(), 1e-6)))
    terms, bent = _terms(brightness.shape, block * spacing_um, degree)
    fitted = np.zeros(log.shape)
    for _ in range(ROUNDS):
        flat = log - fitted
        foreground = flat > np.log(_threshold(np.exp(flat)))
        fitted = _polynomial(log, foreground, terms, shrink * bent)
        fitted = np.clip(fitted, fitted[foreground].min(), fitted[foreground].max())  # elsewhere nothing is known of it
    return FlatField((fitted - fitted.max()).astype(np.float32), block)


def fits(view):
    """Function of `shrink`, the flat field of a view (`items.View`), fitted once for each value."""
    return cache(lambda shrink: fit(view.photons, view.optics.spacing_um, shrink))


def divided(photons, field) -> np.ndarray:
    """A view of which the light lost is made good, float32 (z, y, x), some planes at a time."""
    (depth, *sides), flat = photons.shape, np.empty(photons.shape, np.float32)
    for first in range(0, depth, PLANES):
        last = min(first + PLANES, depth)
        box = ((first, last), *((0, n) for n in sides))
        flat[first:last] = photons[first:last] / field.on(box)
    return flat


def block_means(volume, block) -> np.ndarray:
    """Means over blocks of so many voxels, the last ones of what is there."""
    for axis in (2, 1, 0):
        edges = np.arange(0, volume.shape[axis], block[axis])
        counts = np.diff([*edges, volume.shape[axis]])
        counts = np.expand_dims(counts, [a for a in range(3) if a != axis])
        volume = np.add.reduceat(volume, edges, axis, dtype=np.float64) / counts
    return volume


def _threshold(flat):
    """Otsu's, of values of which some may be very bright."""
    top = np.quantile(flat, 0.995)
    if not top > flat.min():
        raise ValueError("a flat field: found a view that is as bright everywhere, expected a foreground")
    return threshold_otsu(np.minimum(flat, top))


def _terms(shape, side_um, degree):
    """Monomials of z, y and x, in 100 µm from the middle, (terms, z, y, x), and which of them are bent."""
    grid = np.meshgrid(*((np.arange(n) - (n - 1) / 2) * s / 100 for n, s in zip(shape, side_um)), indexing="ij")
    powers = [p for p in product(range(degree + 1), repeat=3) if 0 < sum(p) <= degree]
    terms = np.array([np.prod([x**k for x, k in zip(grid, p)], axis=0) for p in powers])
    return terms, np.array([sum(p) > 1 for p in powers])


def _polynomial(log, foreground, terms, shrink):
    """Least squares on the foreground; the constant is left out."""
    columns, values = terms[:, foreground], log[foreground]
    centred = columns - columns.mean(axis=1, keepdims=True)
    normal = centred @ centred.T / len(values)
    normal += np.diag(shrink * np.diag(normal)) + 1e-9 * np.eye(len(normal))
    return np.tensordot(np.linalg.solve(normal, centred @ (values - values.mean()) / len(values)), terms, 1)
