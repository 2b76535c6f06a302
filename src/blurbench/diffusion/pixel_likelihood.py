"""Likelihood of the grey values of a stack, given where the molecule was: the law of `blurbench.diffusion.simulate`.

The mean of a pixel is background + photons x PSF, integrated over the pixel and averaged over the sub-positions of the
frame; its number of photons is Poisson, its grey value follows `camera.reading_law`. Exact but for a Gaussian PSF cut
at REACH of its SDs, and laws tabulated over the logarithm of the mean with cubic interpolation (some 1e-6 of ln P).
Lengths in pixels, from the corner of the field.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import gammaln, ndtr

from blurbench.microscopy.camera import reading_law

REACH = 5.0  # SDs
STEP = 0.03  # of ln mean
DARKEST = 1e-9  # share of the photons that a pixel far from the spot sees at least, so that its logarithm exists
NEGLIGIBLE = 1e-100  # probability of a grey value at a number of electrons, over that at the likeliest number
_PER_SD = 64
_Z = np.arange(-int(REACH * _PER_SD), int(REACH * _PER_SD) + 2) / _PER_SD
_NORMAL = np.column_stack([ndtr(_Z), np.exp(-0.5 * _Z**2) / np.sqrt(2 * np.pi) / _PER_SD])  # Φ, its slope per row


class Pixels(NamedTuple):
    """What the compiled likelihood reads.

    rows : int32 (t, y, x), the row of `laws` of each pixel
    laws : (row, step, 2): ln P(grey value) less that at the lowest mean, and its slope per step of ln mean
    darkest : mean of a pixel far from the spot;  per_position : photons that a sub-position sends
    sd : of the PSF
    """

    rows: np.ndarray
    laws: np.ndarray
    darkest: float
    per_position: float
    sd: float


def pixels(grey, photons, background, sd, camera, positions) -> Pixels:
    """Pixels of one stack.

    Parameters
    ----------
    grey : (t, y, x), ADU
    photons, background : expected per frame; per pixel and frame
    sd : of the Gaussian PSF
    camera : settings of the configuration
    positions : sub-positions per frame

    Raises
    ------
    ValueError for a grey value that this camera cannot give.
    """
    detected = photons * camera["quantum_efficiency"]
    darkest = max(background * camera["quantum_efficiency"], DARKEST * detected)
    steps = math.ceil(math.log((darkest + detected) / darkest) / STEP) + 2
    values = np.flatnonzero(np.bincount(grey.ravel()))
    rows = np.zeros(values[-1] + 1, np.int32)
    rows[values] = np.arange(len(values))
    signal = (values[-1] - camera["offset"]) / camera["gain"] / camera["em_gain"]
    noise = 20 * (camera["read_noise"] + 5 * camera["laplace_noise"])
    most = max(signal + noise, darkest + detected)
    electrons = np.arange(int(most + 12 * math.sqrt(most)) + 20)
    reading = reading_law(values, electrons, camera)
    if (impossible := reading.max(axis=1) <= 0).any():
        raise ValueError(f"grey value {values[impossible][0]}: found in the stack, this camera never reads it")
    laws = np.empty((len(values), steps, 2))
    _tabulate(reading, gammaln(electrons + 1.0), math.log(darkest), laws)
    return Pixels(rows[grey], laws, darkest, detected / positions, sd)


@njit(cache=True)
def _tabulate(reading, ln_factorial, ln_darkest, laws):
    """Fill `laws`: d ln P / d ln mean is the expected number of electrons at this grey value, less the mean."""
    for row in range(len(reading)):
        least = NEGLIGIBLE * reading[row].max()
        likely = np.flatnonzero(reading[row] >= least)
        terms = np.empty(len(likely))
        for i in range(laws.shape[1]):
            ln_mean = ln_darkest + i * STEP
            top = -np.inf
            for j in range(len(likely)):
                k = likely[j]
                terms[j] = math.log(reading[row, k]) - ln_factorial[k] + k * ln_mean
                top = max(top, terms[j])
            total = expected = 0.0
            for j in range(len(likely)):
                weight = math.exp(terms[j] - top)
                total += weight
                expected += weight * likely[j]
            mean = math.exp(ln_mean)
            laws[row, i, 0] = top + math.log(total) - mean
            laws[row, i, 1] = (expected / total - mean) * STEP
        empty = laws[row, 0, 0]
        for i in range(laws.shape[1]):
            laws[row, i, 0] -= empty


@njit(cache=True, inline="always")
def _normal(z):
    """Φ(z) and its slope, cubic between the rows of the table."""
    if z <= -REACH:
        return 0.0, 0.0
    if z >= REACH:
        return 1.0, 0.0
    at = (z + REACH) * _PER_SD
    i = int(at)
    w = at - i
    f0, g0, f1, g1 = _NORMAL[i, 0], _NORMAL[i, 1], _NORMAL[i + 1, 0], _NORMAL[i + 1, 1]
    a, b = g0 + g1 - 2.0 * (f1 - f0), 3.0 * (f1 - f0) - 2.0 * g0 - g1
    return f0 + w * (g0 + w * (b + w * a)), (g0 + w * (2.0 * b + 3.0 * w * a)) * _PER_SD


@njit(cache=True)
def _profile(centre, sd, first, stop, share, slope):
    """Share of the PSF in each pixel from `first` to `stop` along an axis, and its slope by the centre."""
    below, density = _normal((first - centre) / sd)
    for i in range(stop - first):
        above, density_above = _normal((first + i + 1 - centre) / sd)
        share[i] = above - below
        slope[i] = (density - density_above) / sd
        below, density = above, density_above


@njit(cache=True)
def log_likelihood(path, pixels, slope, with_slope):
    """Log-likelihood of a path (t, k, 2), less that of empty frames; fills its slope (t, k, 2) if asked for."""
    total = 0.0
    for t in range(len(path)):
        total += of_frame(path[t], pixels.rows[t], pixels, slope[t], with_slope)
    return total


@njit(cache=True)
def of_frame(places, rows, pixels, slope, with_slope):
    """Log-likelihood of one frame: of its sub-positions (k, 2), at the rows (y, x) of its pixels."""
    positions, size, sd = len(places), rows.shape, pixels.sd
    reach, per_step, ln_darkest = REACH * sd, 1.0 / STEP, math.log(pixels.darkest)
    share = np.empty((positions, 2, int(2 * reach) + 3))
    steep, span = np.empty_like(share), np.empty((positions, 2, 2), np.int64)
    y0, y1, x0, x1 = size[0], 0, size[1], 0
    for k in range(positions):
        for axis in range(2):
            at = places[k, axis]
            first = int(min(max(math.floor(at - reach), 0.0), size[axis]))
            stop = int(min(max(math.floor(at + reach) + 1.0, first), size[axis]))
            span[k, axis, 0], span[k, axis, 1] = first, stop
            _profile(at, sd, first, stop, share[k, axis], steep[k, axis])
        if span[k, 0, 1] > span[k, 0, 0] and span[k, 1, 1] > span[k, 1, 0]:
            y0, y1 = min(y0, span[k, 0, 0]), max(y1, span[k, 0, 1])
            x0, x1 = min(x0, span[k, 1, 0]), max(x1, span[k, 1, 1])
    mean = np.full((max(y1 - y0, 0), max(x1 - x0, 0)), pixels.darkest)
    for k in range(positions):
        first = span[k, 1, 0]
        for y in range(span[k, 0, 0], span[k, 0, 1]):
            row = pixels.per_position * share[k, 0, y - span[k, 0, 0]]
            for x in range(first, span[k, 1, 1]):
                mean[y - y0, x - x0] += row * share[k, 1, x - first]
    total = 0.0
    for y in range(y0, y1):
        for x in range(x0, x1):
            m = mean[y - y0, x - x0]
            at = (math.log(m) - ln_darkest) * per_step
            i = int(at)
            w = at - i
            law = pixels.laws[rows[y, x]]
            f0, g0, f1, g1 = law[i, 0], law[i, 1], law[i + 1, 0], law[i + 1, 1]
            a, b = g0 + g1 - 2.0 * (f1 - f0), 3.0 * (f1 - f0) - 2.0 * g0 - g1
            total += f0 + w * (g0 + w * (b + w * a))
            mean[y - y0, x - x0] = (g0 + w * (2.0 * b + 3.0 * w * a)) * per_step / m  # slope by the mean
    if with_slope:
        for k in range(positions):
            along_y = along_x = 0.0
            first = span[k, 1, 0]
            for y in range(span[k, 0, 0], span[k, 0, 1]):
                here = sideways = 0.0
                for x in range(first, span[k, 1, 1]):
                    here += mean[y - y0, x - x0] * share[k, 1, x - first]
                    sideways += mean[y - y0, x - x0] * steep[k, 1, x - first]
                along_y += steep[k, 0, y - span[k, 0, 0]] * here
                along_x += share[k, 0, y - span[k, 0, 0]] * sideways
            slope[k, 0] = pixels.per_position * along_y
            slope[k, 1] = pixels.per_position * along_x
    return total
