"""Where the molecule is, how bright and how wide its spot: maximum-likelihood fits of a pixel-integrated Gaussian.

The spot of a frame is background + N · G(y) · G(x), G the integral of a Gaussian of variance w² over a pixel. Within
one stack the background is that of the pixels far from the spot, and w² is common to all frames: w² = s² + D t_E/3 on
average, s being the PSF's SD. Lengths in pixels, from the corner of the field; intensities in photons.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.diffusion.items import Stack
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.microscopy.camera import excess_noise, noise_variance

LOST_SNR = 3.0  # a spot whose fitted photons are fewer than this many of their SD is no spot
ITERATIONS = 25


class Spots(NamedTuple):
    """Fits of one stack.

    positions : (t, 2) (y, x) in µm from the centre of the field, NaN where no spot was found
    sigma : (t,) localisation SD per axis in µm, from the Fisher information
    photons : (t,) photons of the spot
    background : photons per pixel
    variance : w², µm², common to all frames, corrected for what the fitted centres take from it
    variance_sd : SD of `variance` by the Fisher information, µm²
    """

    positions: np.ndarray
    sigma: np.ndarray
    photons: np.ndarray
    background: float
    variance: float
    variance_sd: float


def localise(stack: Stack) -> Spots:
    """Fit one stack."""
    pixel, camera = stack.pixel_um, stack.camera
    s2 = (stack.fwhm_um / FWHM_OVER_SD / pixel) ** 2
    lo, hi = (s2 + D * stack.exposure_s / 3 / pixel**2 for D in stack.D_range)
    fits, background, w2, w2_sd = fit_stack(
        stack.photons, stack.window, s2, math.sqrt(lo * hi), hi, noise_variance(camera), excess_noise(camera)
    )
    return spots_of(fits, background, w2, w2_sd, stack.photons.shape[1], pixel)


def spots_of(fits, background, w2, w2_sd, size, pixel) -> Spots:
    """Spots in µm of what `fit_stack` found in pixels, in a field of `size` pixels."""
    positions = (fits[:, :2] - size / 2) * pixel
    positions[~(fits[:, 2] > LOST_SNR * fits[:, 4])] = np.nan
    return Spots(positions, fits[:, 3] * pixel, fits[:, 2], background, w2 * pixel**2, w2_sd * pixel**2)


def ellipse_centres(stack: Stack):
    """Centres (t, 2) of unweighted elliptical Gaussian fits, µm from the centre of the field, NaN where a fit was lost.

    The published baseline's localiser, started where `localise` ends, so that a few lost fits do not decide its score.
    """
    pixel, photons, window = stack.pixel_um, stack.photons, stack.window
    spots = localise(stack)
    begin = np.column_stack([spots.positions / pixel + photons.shape[1] / 2, spots.photons])
    begin = np.column_stack([begin, np.full(len(begin), spots.variance / pixel**2)])
    whole = np.isfinite(begin).all(axis=1)
    positions = np.full_like(spots.positions, np.nan)
    if whole.any():
        fits, _ = fit_ellipses(photons[whole], window, begin[whole], spots.background, 0.0, 0.0)
        near = (np.abs(fits[:, :2] - begin[whole, :2]) < window).all(axis=1)
        positions[np.flatnonzero(whole)[near]] = (fits[near, :2] - photons.shape[1] / 2) * pixel
    return positions


@njit(cache=True, nogil=True)
def detect(photons, background, scale):
    """Brightest spot of a frame after a Gaussian filter of SD `scale`: row, column (pixel indices)."""
    size_y, size_x = photons.shape
    reach = int(math.ceil(2.5 * scale))
    kernel = np.empty(2 * reach + 1, np.float32)
    for k in range(-reach, reach + 1):
        kernel[k + reach] = math.exp(-0.5 * (k / scale) ** 2)
    # A margin of zeros makes a shift in y or x one of the flat array: long loops, which run on vector registers.
    wide = size_x + 2 * reach
    given = np.zeros((size_y + 2 * reach, wide), np.float32)
    for y in range(size_y):  # numba compiles an assignment of arrays for seconds
        for x in range(size_x):
            given[y + reach, x + reach] = photons[y, x] - np.float32(background)
    flat = given.ravel()
    rows, total = np.zeros(flat.size, np.float32), np.zeros(flat.size, np.float32)
    margin = reach * wide
    for k in range(-reach, reach + 1):
        _add(rows[reach : flat.size - reach], flat[reach + k : flat.size - reach + k], kernel[k + reach])
    for k in range(-reach, reach + 1):
        _add(
            total[margin : flat.size - margin],
            rows[margin + k * wide : flat.size - margin + k * wide],
            kernel[k + reach],
        )
    best, at = -np.inf, 0
    for y in range(size_y):
        for x in range(size_x):
            value = total[(y + reach) * wide + x + reach]
            if value > best:
                best, at = value, y * size_x + x
    return at // size_x, at % size_x


@njit(cache=True, nogil=True)
def _add(to, of, weight):
    for i in range(len(to)):
        to[i] += weight * of[i]


@njit(cache=True, nogil=True)
def _inverse(m, out):
    """Inverse of the upper left 3 x 3 of a symmetric matrix, some 1e-9 added to its diagonal."""
    a, b, c = m[0, 0] * (1 + 1e-9) + 1e-12, m[1, 1] * (1 + 1e-9) + 1e-12, m[2, 2] * (1 + 1e-9) + 1e-12
    d, e, f = m[0, 1], m[0, 2], m[1, 2]
    A, B, C = b * c - f * f, e * f - d * c, d * f - b * e
    determinant = a * A + d * B + e * C
    out[0, 0], out[1, 1], out[2, 2] = A, a * c - e * e, a * b - d * d
    out[0, 1] = out[1, 0] = B
    out[0, 2] = out[2, 0] = C
    out[1, 2] = out[2, 1] = d * e - a * f
    out /= determinant


@njit(cache=True, nogil=True)
def profile(centre, w2, first, P, P_x, P_w):
    """Share P of a unit Gaussian in each pixel from `first` on, and its derivatives by centre and w²."""
    w = math.sqrt(w2)
    z = (first - centre) / w
    below, density = 0.5 * (1.0 + math.erf(z / math.sqrt(2.0))), math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    for i in range(len(P)):
        z_up = (first + i + 1 - centre) / w
        above = 0.5 * (1.0 + math.erf(z_up / math.sqrt(2.0)))
        density_up = math.exp(-0.5 * z_up * z_up) / math.sqrt(2.0 * math.pi)
        P[i] = above - below
        P_x[i] = (density - density_up) / w
        P_w[i] = (z * density - z_up * density_up) / (2.0 * w2)
        z, below, density = z_up, above, density_up


@njit(cache=True, nogil=True)
def _score(photons, y0, x0, theta, w2, background, added, excess, work, gradient, fisher):
    """Gradient (4,) and Fisher information (4, 4) of (y, x, N, w²) in one window; weights at the model's variance."""
    Py, Py_c, Py_w, Px, Px_c, Px_w = work[0], work[1], work[2], work[3], work[4], work[5]
    profile(theta[0], w2, y0, Py, Py_c, Py_w)
    profile(theta[1], w2, x0, Px, Px_c, Px_w)
    N = theta[2]
    gradient[:] = 0.0
    fisher[:] = 0.0
    for i in range(len(Py)):
        # Sums over the row of residual and weight times what depends on x alone.
        r = r_c = r_w = s = s_c = s_w = s_cc = s_cw = s_ww = 0.0
        for j in range(len(Px)):
            mean = background + N * Py[i] * Px[j]
            weight = 1.0 / (excess * max(mean, 1e-3) + added)
            residual = (photons[y0 + i, x0 + j] - mean) * weight
            r += residual * Px[j]
            r_c += residual * Px_c[j]
            r_w += residual * Px_w[j]
            own, own_c = weight * Px[j], weight * Px_c[j]
            s += own * Px[j]
            s_c += own * Px_c[j]
            s_w += own * Px_w[j]
            s_cc += own_c * Px_c[j]
            s_cw += own_c * Px_w[j]
            s_ww += weight * Px_w[j] * Px_w[j]
        p, c, w = Py[i], Py_c[i], Py_w[i]
        gradient[0] += N * c * r
        gradient[1] += N * p * r_c
        gradient[2] += p * r
        gradient[3] += N * (w * r + p * r_w)
        fisher[0, 0] += N * N * c * c * s
        fisher[0, 1] += N * N * c * p * s_c
        fisher[0, 2] += N * c * p * s
        fisher[0, 3] += N * N * c * (w * s + p * s_w)
        fisher[1, 1] += N * N * p * p * s_cc
        fisher[1, 2] += N * p * p * s_c
        fisher[1, 3] += N * N * p * (w * s_c + p * s_cw)
        fisher[2, 2] += p * p * s
        fisher[2, 3] += N * p * (w * s + p * s_w)
        fisher[3, 3] += N * N * (w * w * s + 2.0 * w * p * s_w + p * p * s_ww)
    for a in range(4):
        for b in range(a):
            fisher[a, b] = fisher[b, a]


@njit(cache=True, nogil=True)
def far_background(photons, corner, n):
    """Mean of the pixels outside the windows (n x n from `corner`) around the spots; NaN if these fill the field."""
    frames, size_y, size_x = photons.shape
    total, count = 0.0, 0
    for t in range(frames):
        left, right = corner[t, 1], corner[t, 1] + n
        for y in range(size_y):
            if 0 <= y - corner[t, 0] < n:
                total += photons[t, y, :left].sum() + photons[t, y, right:].sum()
                count += size_x - n
            else:
                total += photons[t, y].sum()
                count += size_x
    return total / count if count > 0 else np.nan


@njit(cache=True, nogil=True)
def fit_stack(photons, half, s2, typical, widest, added, excess):
    """Fit all frames of a stack with one common width by Fisher scoring.

    Parameters
    ----------
    photons : (t, y, x) float32
    half : half-width of the windows
    s2, typical, widest : PSF variance; the width to begin with; the widest to be expected (pixels²)
    added, excess : variance per pixel beside the Poisson one; factor on the Poisson one

    Returns
    -------
    fits : (t, 5) y, x, photons, localisation SD per axis, SD of the photons
    background, w2, SD of w2
    """
    frames, size_y, size_x = photons.shape
    n = 2 * half + 1
    brightest, corner = np.empty((frames, 2), np.int64), np.empty((frames, 2), np.int64)
    theta = np.empty((frames, 3))
    background = np.median(photons.ravel()[::37])  # enough to find the spot with, and then its surroundings
    for t in range(frames):
        y, x = detect(photons[t], background, math.sqrt(typical))
        brightest[t, 0], brightest[t, 1] = y, x
        corner[t, 0] = min(max(y - half, 0), size_y - n)
        corner[t, 1] = min(max(x - half, 0), size_x - n)
        theta[t, 0], theta[t, 1] = y + 0.5, x + 0.5
    background = far_background(photons, corner, n)
    for t in range(frames):
        inside = photons[t, corner[t, 0] : corner[t, 0] + n, corner[t, 1] : corner[t, 1] + n]
        theta[t, 2] = max(inside.sum() - n * n * background, 5.0)
    w2 = typical
    fits = np.empty((frames, 5))
    work = np.empty((6, n))
    gradient, fisher = np.empty(4), np.empty((4, 4))
    information = taken = 0.0
    narrowest = 0.25 * s2 + 0.02
    inverse, step, cross = np.empty((3, 3)), np.empty(3), np.empty(3)
    for iteration in range(ITERATIONS):
        slope = information = taken = moved = 0.0
        near = min(half, int(math.ceil(4.5 * math.sqrt(w2))) + 1)  # further out there are no photons of this width
        for t in range(frames):
            y0 = min(max(brightest[t, 0] - near, 0), size_y - 2 * near - 1)
            x0 = min(max(brightest[t, 1] - near, 0), size_x - 2 * near - 1)
            _score(
                photons[t], y0, x0, theta[t], w2, background, added, excess, work[:, : 2 * near + 1], gradient, fisher
            )
            _inverse(fisher, inverse)
            for a in range(3):
                step[a] = cross[a] = 0.0
                for b in range(3):
                    step[a] += inverse[a, b] * gradient[b]
                    cross[a] += inverse[a, b] * fisher[b, 3]
            if theta[t, 2] > LOST_SNR * math.sqrt(inverse[2, 2]):
                weight, pull = fisher[3, 3], gradient[3]
                for a in range(3):
                    weight -= fisher[3, a] * cross[a]
                    pull -= gradient[a] * cross[a]
                slope += pull
                information += weight
                taken += weight * 0.5 * (inverse[0, 0] + inverse[1, 1])
            for a in range(2):
                theta[t, a] += min(max(step[a], -0.5), 0.5)
                theta[t, a] = min(max(theta[t, a], corner[t, a] - 0.5), corner[t, a] + n + 0.5)
                moved = max(moved, abs(step[a]))
            theta[t, 2] = max(theta[t, 2] + step[2], 0.2 * theta[t, 2], 0.1)
            fits[t, 3] = math.sqrt(0.5 * (inverse[0, 0] + inverse[1, 1]))
            fits[t, 4] = math.sqrt(inverse[2, 2])
        if iteration >= 3 and information > 0.0:  # centres first
            change = min(max(slope / information, -0.5 * w2), w2)
            w2 = min(max(w2 + change, narrowest), 4.0 * widest)
            if moved < 1e-3 and abs(change) < 1e-4 * w2:
                break
    for t in range(frames):
        for a in range(3):
            fits[t, a] = theta[t, a]
    if information <= 0.0:
        return fits, background, np.nan, np.nan
    # A centre fitted to the same photons takes its own variance from the width, as 1/M of it without background.
    return fits, background, w2 + taken / information, 1.0 / math.sqrt(information)


@njit(cache=True, nogil=True)
def fit_ellipse(photons, y0, x0, theta, fixed_background, added, excess, work):
    """Fit (y, x, N, w_y², w_x², background) of one frame's window in place, by Levenberg-Marquardt.

    excess > 0: weights of the model's own variance excess · mean + added (maximum likelihood); excess = 0: none (least
    squares). fixed_background keeps theta[5]. Returns the inverse Fisher information (or normal matrix), (6, 6).
    """
    n, free = work.shape[1], 5 if fixed_background else 6
    Py, Py_c, Py_w, Px, Px_c, Px_w = work[0], work[1], work[2], work[3], work[4], work[5]
    damping, last = 1e-3, np.inf
    gradient, fisher, d = np.zeros(free), np.zeros((free, free)), np.zeros(6)
    trial, kept_gradient, kept_fisher = theta.copy(), gradient.copy(), fisher.copy()
    for _ in range(ITERATIONS):
        profile(trial[0], trial[3], y0, Py, Py_c, Py_w)
        profile(trial[1], trial[4], x0, Px, Px_c, Px_w)
        gradient[:] = 0.0
        fisher[:] = 0.0
        cost = 0.0
        for i in range(n):
            for j in range(n):
                mean = trial[5] + trial[2] * Py[i] * Px[j]
                variance = excess * max(mean, 1e-3) + added if excess > 0.0 else 1.0
                residual = photons[y0 + i, x0 + j] - mean
                cost += residual * residual / variance + (math.log(variance) if excess > 0.0 else 0.0)
                d[0], d[1], d[2] = trial[2] * Py_c[i] * Px[j], trial[2] * Py[i] * Px_c[j], Py[i] * Px[j]
                d[3], d[4], d[5] = trial[2] * Py_w[i] * Px[j], trial[2] * Py[i] * Px_w[j], 1.0
                for a in range(free):
                    gradient[a] += residual / variance * d[a]
                    for b in range(a + 1):
                        fisher[a, b] += d[a] * d[b] / variance
        if cost < last:
            done = last - cost < 1e-7 * abs(cost)
            last = cost
            theta[:] = trial
            kept_gradient[:], kept_fisher[:] = gradient, fisher
            for a in range(free):
                for b in range(a):
                    kept_fisher[b, a] = kept_fisher[a, b]
            damping *= 0.2
            if done:
                break
        else:
            damping *= 8.0
            if damping > 1e8:
                break
        system = kept_fisher.copy()
        for a in range(free):
            system[a, a] = kept_fisher[a, a] * (1.0 + damping) + 1e-12
        step = np.linalg.solve(system, kept_gradient)
        trial[:] = theta
        for a in range(free):
            trial[a] += step[a]
        trial[2] = max(trial[2], 0.1)
        for a in (3, 4):
            trial[a] = min(max(trial[a], 0.02), 0.25 * n * n)
    for a in range(free):
        kept_fisher[a, a] = kept_fisher[a, a] * (1.0 + 1e-9) + 1e-12
    full = np.zeros((6, 6))
    full[:free, :free] = np.linalg.inv(kept_fisher)
    return full


@njit(cache=True, nogil=True)
def fit_ellipses(photons, half, begin, background, added, excess):
    """Elliptical fit of every frame from the start values begin (t, 4): y, x, N, w² .

    excess > 0: maximum likelihood at the given background; excess = 0: least squares with a background of its own.
    Returns (t, 6) y, x, N, w_y², w_x², background, and the (t, 6) diagonal of the inverse information.
    """
    frames, size_y, size_x = photons.shape
    n = 2 * half + 1
    fits, spread = np.empty((frames, 6)), np.empty((frames, 6))
    work = np.empty((6, n))
    for t in range(frames):
        y0 = min(max(int(begin[t, 0]) - half, 0), size_y - n)
        x0 = min(max(int(begin[t, 1]) - half, 0), size_x - n)
        fits[t] = (begin[t, 0], begin[t, 1], begin[t, 2], begin[t, 3], begin[t, 3], background)
        inverse = fit_ellipse(photons[t], y0, x0, fits[t], excess > 0.0, added, excess, work)
        for a in range(6):
            spread[t, a] = inverse[a, a]
    return fits, spread
