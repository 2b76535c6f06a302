"""Some thirty numbers that summarise a stack, for learners that take no more, and beside its frames for `ours`.

None changes when the image is turned or mirrored, or time runs backwards. Lengths in units of the PSF's SD.
"""

import numpy as np

from blurbench.diffusion.hermite_moments import STACK_FEATURES
from blurbench.diffusion.invariants import SCALES, along, found, moments, steps

LAGS = (1, 2, 3, 5)
COUNT = STACK_FEATURES + len(LAGS) + 5 + 9 * SCALES


def summaries(frames, whole, present):
    """Summaries (n, COUNT) float64 of the features of `hermite_moments.features`; the first two as of `whole`."""
    x = frames.astype(float)
    there = found(x, present)
    position, photons, sigma = x[..., :2], x[..., 2], x[..., 3]
    return np.column_stack([
        whole.astype(float), *_path(position, there), _mean(sigma, there), _sd(photons, there),
        *(column for scale in range(SCALES) for column in _shape(moments(x, scale), there, *steps(x, there))),
    ])  # fmt: skip


def _path(position, there):
    """Log MSD at LAGS, covariance of adjacent steps over MSD, log of the largest and the median step."""
    squares = {}
    for lag in LAGS:
        both = there[:, lag:] & there[:, :-lag]
        square = np.square(position[:, lag:] - position[:, :-lag]).sum(axis=-1)
        squares[lag] = square, both
        yield np.log(_mean(square, both) + 0.01)
    step = np.diff(position, axis=1)
    square, both = squares[1]
    yield _mean((step[:, 1:] * step[:, :-1]).sum(axis=-1), both[:, 1:] & both[:, :-1]) / (_mean(square, both) + 0.01)
    yield np.log(np.where(both, square, 0).max(axis=1, initial=0) + 0.01)
    yield np.log(_median(square, both) + 0.01)


def _shape(m, there, before, after):
    """Means and spreads over frames of one scale's moments, and how they lie along the steps."""
    for value in (m[0, 0], m[2, 0], np.abs(m[2, 2])):
        yield from (_mean(value, there), _sd(value, there))
    yield _mean(m[4, 0], there)
    yield _mean(sum(along(m[2, 2], step**2, np.abs(step) ** 2, 0.1) for step in (before, after)), there)
    yield _mean((m[3, 1].conj() * (after - before)).real, there)


def _mean(value, there):
    """Mean over the frames that are there; 0 where none is."""
    return (value * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)


def _sd(value, there):
    centred = value - _mean(value, there)[:, None]
    return np.sqrt(_mean(centred**2, there))


def _median(value, there):
    """Median over what is there; 0 where nothing is."""
    number = there.sum(axis=1)
    ordered = np.sort(np.where(there, value, np.inf), axis=1)
    middle = np.maximum(number - 1, 0) // 2
    at = np.take_along_axis(ordered, np.column_stack([middle, np.minimum(number // 2, ordered.shape[1] - 1)]), axis=1)
    return np.where(number > 0, at.mean(axis=1), 0.0)
