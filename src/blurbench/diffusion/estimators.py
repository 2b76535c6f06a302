"""Diffusion coefficient from a measured path, and its Cramér-Rao bound.

Positions are (frames, dims) in µm, NaN where the molecule was lost; P positions give N = P - 1 displacements. R is the
motion-blur coefficient (`blur`), σ the localisation SD per axis (µm) without blur, Δt the frame time. Equations as in
Berglund 2010 (PRE 82:011917), Michalet & Berglund 2012 (PRE 85:061916) and Vestergaard, Blainey & Flyvbjerg 2014 (PRE
89:022726, "VBF"). Unbiased estimators may answer D <= 0; too few positions give NaN.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit

STEPS = 5000  # of the likelihood's ascent; some hundreds are usual


def blur_share(substeps=None):
    """Share of a continuous path's blur that K sub-positions show: 1 - 1/K² (derived; no unit); None: all of it."""
    return 1 - 1 / substeps**2 if substeps else 1.0


def blur_coefficient(exposure, frame_time, substeps=None):
    """R = t_E/(6Δt) of a uniform exposure; times `blur_share` for K sub-positions (no unit)."""
    return exposure / (6 * frame_time) * blur_share(substeps)


def msd(positions, lags):
    """Time-averaged mean square displacement at each lag, summed over axes, (len(lags),), µm²; NaN without a pair."""
    positions = np.asarray(positions, float)
    out = np.full(len(lags), np.nan)
    for i, lag in enumerate(lags):
        square = ((positions[lag:] - positions[:-lag]) ** 2).sum(axis=1)
        if np.isfinite(square).any():
            out[i] = np.nanmean(square)
    return out


def optimal_lags(x, frames):
    """Number of lags for the best D of an unweighted MSD fit (Michalet & Berglund 2012, appendix B).

    Parameters
    ----------
    x : reduced localisation error σ²/(DΔt) - 2R; 0 if negative, may be infinite
    frames : number of positions P

    Returns
    -------
    int, at least 2 and at most floor(0.8 + 0.564 P)
    """
    L = 0.8 + 0.564 * frames
    if not np.isfinite(x):
        return max(2, math.floor(L))
    f = 2 + 1.35 * max(x, 0.0) ** 0.6
    return max(2, min(math.floor(L), math.floor(f * L / (f**3 + L**3) ** (1 / 3))))


def msd_slope(positions, dt, lags="optimal"):
    """D (µm²/s) from the slope of the mean square displacement.

    Parameters
    ----------
    positions : (frames, dims), µm
    dt : frame time, s
    lags : "optimal": least-squares line over the lags of `optimal_lags`, iterated from P/10 until they repeat; a whole
        number: line over that many lags; "all": all lags through the origin, the practice that the published
        comparison used (its relative SD is 0.8 at 16 frames)
    """
    return _msd_fit(positions, dt, lags)[0]


def _msd_fit(positions, dt, lags):
    """D and the number of lags used."""
    positions = np.asarray(positions, float)
    P, d = positions.shape
    if P < 3 or np.isfinite(positions).all(axis=1).sum() < 3:
        return np.nan, 0
    every = np.arange(1, P)
    rho = msd(positions, every)
    if lags == "all":
        good = np.isfinite(rho)
        return float((rho * every)[good].sum() / (every[good] ** 2).sum() / (2 * d * dt)), P - 1
    if lags != "optimal":
        return _line(rho, lags)[0] / (2 * d * dt), lags
    p, seen = max(2, P // 10), set()
    while p not in seen:  # a cycle of lags ends at its first repetition
        seen.add(p)
        slope, intercept = _line(rho, p)
        p = optimal_lags(intercept / slope if slope > 0 else np.inf, P)
    return _line(rho, p)[0] / (2 * d * dt), p


def _line(rho, p):
    """Slope and intercept of the least-squares line over the first p lags."""
    n = np.arange(1, min(p, len(rho)) + 1)
    good = np.isfinite(rho[: len(n)])
    if good.sum() < 2:
        return np.nan, np.nan
    slope, intercept = np.polyfit(n[good], rho[: len(n)][good], 1)
    return float(slope), float(intercept)


@lru_cache(maxsize=512)
def _slope_form(frames, lags, through_origin):
    """Matrix A such that xᵀAx over one axis is the fitted slope per lag (gap-free positions)."""
    n = np.arange(1, lags + 1)
    weight = n / (n**2).sum() if through_origin else (n - n.mean()) / ((n - n.mean()) ** 2).sum()
    A = np.zeros((frames, frames))
    for lag, w in zip(n, weight):
        step = np.eye(frames, k=lag)[: frames - lag] - np.eye(frames)[: frames - lag]
        A += w * step.T @ step / (frames - lag)
    return A


def msd_sd(D, sigma, dt, frames, lags="optimal", dims=2, blur=1 / 6):
    """SD (µm²/s) of `msd_slope` at true D and σ, exact for Gaussian positions: var = 2 tr(AΣAΣ) per axis."""
    D = max(D, 1e-12)
    if lags == "all":
        A = _slope_form(frames, frames - 1, True)
    else:
        p = optimal_lags(sigma**2 / (D * dt) - 2 * blur, frames) if lags == "optimal" else lags
        A = _slope_form(frames, min(p, frames - 1), False)
    M = A @ _position_covariance(D, sigma, dt, frames, blur)
    return float(np.sqrt(2 * np.trace(M @ M) * dims) / (2 * dims * dt))


def _position_covariance(D, sigma, dt, frames, blur):
    """Covariance of one axis of the measured positions around the first: motion, localisation, blur."""
    t = np.arange(frames)
    motion = 2 * D * dt * np.minimum(t[:, None], t)
    return motion + (sigma**2 - 2 * blur * D * dt) * np.eye(frames)


def _displacements(positions):
    return np.diff(np.asarray(positions, float), axis=0)


def cve(positions, dt, sigma=None, blur=1 / 6):
    """D (µm²/s) by the covariance-based estimator (VBF eqs 14-18).

    Parameters
    ----------
    positions : (frames, dims), µm, NaN where lost: only whole displacements and adjacent pairs of them are used
    dt : frame time, s
    sigma : localisation SD, µm, where it is known; without it the covariance of adjacent displacements replaces it
    blur : R; needed only with `sigma`
    """
    step = _displacements(positions)
    if np.isfinite(step).sum() == 0:
        return np.nan
    square = np.nanmean(step**2)
    if sigma is not None:
        return float((square - 2 * sigma**2) / (2 * (1 - 2 * blur) * dt))
    pairs = step[1:] * step[:-1]
    if np.isfinite(pairs).sum() == 0:
        return np.nan
    return float(square / (2 * dt) + np.nanmean(pairs) / dt)


def cve_sigma(positions, blur=1 / 6):
    """Localisation SD (µm) by the covariance-based estimator; 0 where its square is negative."""
    step = _displacements(positions)
    pairs = step[1:] * step[:-1]
    if np.isfinite(pairs).sum() == 0:
        return np.nan
    return float(np.sqrt(max(0.0, blur * np.nanmean(step**2) + (2 * blur - 1) * np.nanmean(pairs))))


def cve_sd(D, sigma, dt, frames, dims=2, blur=1 / 6, sigma_known=False):
    """SD (µm²/s) of `cve` (VBF eqs 16 and 18), in D·sqrt(..) form with ε = σ²/(DΔt) - 2R and N = frames - 1."""
    N, D = frames - 1, max(D, 1e-12)
    e = sigma**2 / (D * dt) - 2 * blur
    if sigma_known:
        return float(D * np.sqrt((2 + 4 * e + 3 * e**2) / (N * (1 - 2 * blur) ** 2) / dims))
    return float(D * np.sqrt(((6 + 4 * e + 2 * e**2) / N + 4 * (1 + e) ** 2 / N**2) / dims))


@njit(cache=True, nogil=True)
def _spectrum(positions):
    """Sine transforms of the displacements of each gap-free run, one after the other.

    Returns
    -------
    power : squares summed over axes;  c : 1 - cos of the frequency
    """
    frames, dims = positions.shape
    power, c = np.zeros(frames), np.empty(frames)
    n = first = 0
    while first < frames:
        last = first
        while last < frames and np.isfinite(positions[last]).all():
            last += 1
        N = last - first - 1
        for k in range(1, N + 1):
            cosine, sine = math.cos(math.pi * k / (N + 1)), math.sin(math.pi * k / (N + 1))
            for axis in range(dims):
                total, before, now = 0.0, 0.0, sine
                for j in range(first, last - 1):
                    total += now * (positions[j + 1, axis] - positions[j, axis])
                    before, now = now, 2.0 * cosine * now - before  # the sines of all multiples of one angle
                power[n] += 2.0 / (N + 1) * total * total
            c[n] = 1.0 - cosine
            n += 1
        first = last + 1
    return power[:n], c[:n]


def path_log_likelihood(positions, dt, D, variance, blur=1 / 6):
    """Log-likelihood of D (array, µm²/s) at localisation variance σ² (µm², scalar or like D), up to a constant.

    Exact for gap-free paths (Berglund 2010 in sine-transform form); gap-free runs count as independent.
    """
    positions = np.asarray(positions, float)
    (power, c), d = _spectrum(positions), positions.shape[1]
    D, variance = np.broadcast_arrays(np.asarray(D, float)[..., None], np.asarray(variance, float)[..., None])
    spectrum = 2 * D * dt * (1 - 2 * blur * c) + 2 * variance * c
    return -0.5 * (d * np.log(spectrum) + power / spectrum).sum(axis=-1)


def mle(positions, dt, sigma=None, blur=1 / 6):
    """D (µm²/s, >= 0) of maximum likelihood (Berglund 2010), with σ given (µm) or fitted (σ >= 0) beside it."""
    return mle_fit(positions, dt, sigma, blur)[0]


def mle_fit(positions, dt, sigma=None, blur=1 / 6):
    """D (µm²/s) and σ (µm) of maximum likelihood; NaN with fewer than two displacements."""
    positions = np.asarray(positions, float)
    (power, c), d = _spectrum(positions), positions.shape[1]
    if len(power) < 2:
        return np.nan, np.nan
    scale = power.mean() / (2 * d)  # DΔt of a path that is all motion: makes both unknowns of order one
    if scale == 0:
        return 0.0, sigma or 0.0
    if sigma is not None:
        D, v, _ = _climb(power / scale, c, d, blur, 1.0, sigma**2 / scale, True)
    else:  # the likelihood may have one maximum inside and one at an edge
        D, v, _ = max(
            (_climb(power / scale, c, d, blur, *start, False) for start in ((0.8, 0.1), (0.1, 0.5))), key=_value
        )
    return float(D * scale / dt), float(np.sqrt(v * scale))


def _value(climbed):
    return climbed[2]


@njit(cache=True)
def _climb(power, c, d, blur, D, v, v_known):
    """Maximise the likelihood of λ = D a + v b by multiplicative steps, which never fall and keep D and v positive.

    Each unknown is multiplied by the square root of the ratio of the two parts of its derivative: a minorise-maximise
    step, for -ln λ is bounded from below by its tangent and -1/λ by the convexity of 1/x (Hunter & Lange 2004).
    """
    for _ in range(STEPS):
        up_D = down_D = up_v = down_v = 0.0
        for k in range(len(c)):
            a, b = 2.0 * (1.0 - 2.0 * blur * c[k]), 2.0 * c[k]
            spectrum = max(D * a + v * b, 1e-300)
            pull, push = power[k] / (spectrum * spectrum), d / spectrum
            up_D += a * pull
            down_D += a * push
            up_v += b * pull
            down_v += b * push
        factor_D = math.sqrt(up_D / down_D)
        factor_v = 1.0 if v_known or v == 0.0 else math.sqrt(up_v / down_v)
        D *= factor_D
        v *= factor_v
        # Neither moves any more, or what still moves is too small to matter.
        if abs(factor_D - 1.0) * D < 1e-7 and abs(factor_v - 1.0) * v < 1e-7:
            break
    value = 0.0
    for k in range(len(c)):
        spectrum = max(D * 2.0 * (1.0 - 2.0 * blur * c[k]) + v * 2.0 * c[k], 1e-300)
        value -= 0.5 * (d * math.log(spectrum) + power[k] / spectrum)
    return D, v, value


def cramer_rao(D, sigma, dt, frames, dims=2, blur=1 / 6, sigma_known=False):
    """Smallest relative SD sd(D)/D of an unbiased estimator that sees the path alone, exact for any number of frames.

    From the Fisher information of the sine-transformed displacements (Berglund 2010).

    Parameters
    ----------
    D : µm²/s, > 0, scalar or array;  sigma : µm;  dt : s;  frames : number of positions
    """
    D = np.asarray(D, float)
    N = frames - 1
    c = 1 - np.cos(np.pi * np.arange(1, N + 1) / (N + 1))
    spectrum = 2 * D[..., None] * dt * (1 - 2 * blur * c) + 2 * np.square(sigma)[..., None] * c
    g, h = 2 * dt * (1 - 2 * blur * c) / spectrum, 2 * c / spectrum
    I_DD, I_Ds, I_ss = (dims / 2 * (u * v).sum(axis=-1) for u, v in ((g, g), (g, h), (h, h)))
    variance = 1 / I_DD if sigma_known else I_ss / (I_DD * I_ss - I_Ds**2)
    return np.sqrt(variance) / D
