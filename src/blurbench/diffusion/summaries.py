"""Some thirty numbers that summarise what `ours` sees of a stack, for learners that take no more.

None changes when the image is turned or mirrored, or time runs backwards. Lengths in units of the PSF's SD.
"""

import numpy as np

from blurbench.diffusion.hermite_moments import PAIRS

LAGS = (1, 2, 3, 5)
_AT = {pair: i for i, pair in enumerate(PAIRS)}


def summaries(frames, whole, present):
    """Summaries (n, columns) float64 of the features of `hermite_moments.features`; the first two as of `whole`."""
    x = frames.astype(float)
    there = present & (x[..., 4] > 0)
    position, photons, sigma = x[..., :2], x[..., 2], x[..., 3]
    return np.column_stack([
        whole.astype(float), *_path(position, there), _mean(sigma, there), _sd(photons, there),
        *(column for scale in range(2) for column in _shape(x[..., 5 + scale * len(PAIRS) :], position, there)),
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


def _shape(moments, position, there):
    """Means and spreads over frames of one scale's moments, and how they lie along the steps."""
    m = {pair: moments[..., i] for pair, i in _AT.items()}
    width, along, across = m[2, 0] + m[0, 2], (m[2, 0] - m[0, 2]) / np.sqrt(2), m[1, 1]
    anisotropy = np.hypot(along, across)
    fourth = np.sqrt(24) * (m[4, 0] + m[0, 4]) + 4 * m[2, 2]
    for value in (m[0, 0], width, anisotropy):
        yield from (_mean(value, there), _sd(value, there))
    yield _mean(fourth, there)
    # The quadrupole along the steps to and from a frame, and the skewness along the turn between them: a molecule that
    # comes in along a line goes on along it.
    step = np.diff(position, axis=1)
    both = (there[:, 1:] & there[:, :-1])[..., None]
    step = np.where(both, step, 0.0)
    none = np.zeros_like(step[:, :1])
    before, after = np.concatenate([none, step], axis=1), np.concatenate([step, none], axis=1)
    elongation = 0.0
    for y, x in (np.moveaxis(d, -1, 0) for d in (before, after)):
        elongation = elongation + (along * (y * y - x * x) + 2 * across * y * x) / (y * y + x * x + 0.1)
    yield _mean(elongation, there)
    turn = after - before
    skewness = np.stack([np.sqrt(6) * m[3, 0] + np.sqrt(2) * m[1, 2], np.sqrt(6) * m[0, 3] + np.sqrt(2) * m[2, 1]], -1)
    yield _mean((skewness * turn).sum(axis=-1), there)


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
