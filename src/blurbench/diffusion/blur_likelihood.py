"""D from the blur of the spots, and the likelihood of blur and path together.

The common variance of a stack's spots exceeds the PSF's by V on average: D t_E/3, times 1 - 1/K² where photons share K
sub-positions; with an SD of V·sqrt(0.8) per frame and axis (Karhunen-Loève spectrum of the Brownian path within an
exposure). A blurred spot is not Gaussian, though, once V is as large as the PSF: the fitted width then lies below the
true one and the fitted centre strays from the mean position. Both are measured once per dataset, on stacks simulated
with its own imaging parameters, as a function of Q = V/s².
"""

import json
from functools import lru_cache

import numpy as np

from blurbench.diffusion import items as stacks
from blurbench.diffusion.estimators import path_log_likelihood
from blurbench.diffusion.localise import localise
from blurbench.diffusion.simulate import imaging, render
from blurbench.microscopy.random_streams import key

CALIBRATION_STACKS = 600
FALSE_SPOT = 6  # SDs from the molecule, of localisation and blur together: what is found there is noise
GRID = 120  # values of ln D that a posterior is held at: some 0.05 apart, a fifth of its SD or less


def blur_variance(D, stack):
    """V (µm²) of a diffusion coefficient."""
    return D * stack.blur_time_s


def width_D(spots, stack):
    """D (µm²/s) from the width of the spots, and its standard error."""
    if not np.isfinite(spots.variance):
        return np.nan, np.nan
    shrink, _ = calibration(stack.spec)
    s2 = stack.psf_sd_um**2
    per_V = stack.blur_time_s
    excess = spots.variance - s2
    V = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 400)]) * s2
    shown = V * shrink(V / s2)
    D = (np.interp(excess, shown, V) if excess > 0 else excess) / per_V
    # What a width shows grows less than V does: an error of the width is a larger one of V.
    slope = np.interp(excess, shown, np.gradient(shown, V)) if excess > 0 else 1.0
    variance = (spots.variance_sd**2 + _psf_variance(s2, stack)) / slope**2
    return D, float(np.sqrt(variance / per_V**2 + 0.8 * max(D, 0) ** 2 / (2 * stack.frames)))


def joint_log_likelihood(D, spots, stack):
    """Log-likelihood (len(D),) of each D (µm²/s) by the widths and the path of one stack, taken as independent."""
    shrink, stray = calibration(stack.spec)
    s2 = stack.psf_sd_um**2
    V = blur_variance(D, stack)
    variance = np.mean(spots.sigma**2) + stray(V / s2) * V
    path = path_log_likelihood(spots.positions, stack.frame_time_s, D, variance, stack.motion_blur)
    expected = V * shrink(V / s2)
    spread = spots.variance_sd**2 * ((s2 + expected) / max(spots.variance, 0.25 * s2)) ** 2
    spread = spread + 0.8 * expected**2 / (2 * stack.frames) + _psf_variance(s2, stack)
    width = -0.5 * (np.log(spread) + (spots.variance - s2 - expected) ** 2 / spread)
    return path + width


def posterior(spots, stack):
    """ln D by widths and path together, under the flat prior in ln D on the dataset's range.

    Returns
    -------
    ln_D : (GRID,), from one end of the range to the other, evenly
    probability : (GRID,), adds up to 1; NaN where fewer than three spots were found
    """
    ln_D = np.linspace(*np.log(stack.D_range), GRID)
    if np.isfinite(spots.positions).all(axis=1).sum() < 3 or not np.isfinite(spots.variance):
        return ln_D, np.full(GRID, np.nan)
    log_likelihood = joint_log_likelihood(np.exp(ln_D), spots, stack)
    weight = np.exp(log_likelihood - log_likelihood.max())
    return ln_D, weight / weight.sum()


def _psf_variance(s2, stack):
    """Variance of the PSF's own variance s2 where its width is known to a limited accuracy."""
    return (2 * s2 * stack.psf_known_to) ** 2


def calibration(spec):
    """Two functions of Q: fitted over true V, and the variance of a fitted centre beyond the Fisher one, over V."""
    a, b, c = _calibrate(json.dumps({k: spec[k] for k in ("imaging", "D_um2_s")}, sort_keys=True))
    return lambda Q: np.maximum(1 + a * Q / (1 + Q) + b * (Q / (1 + Q)) ** 2, 0.2), lambda Q: c * Q / (1 + Q)


@lru_cache
def _calibrate(text):
    spec = json.loads(text)
    full = spec["imaging"] = imaging(spec["imaging"])
    full["psf"].pop("known_to", None)  # what a width shows is calibrated against the true one
    lo, hi = map(float, spec["D_um2_s"])
    D = lo * (hi / lo) ** ((np.arange(CALIBRATION_STACKS) + 0.5) / CALIBRATION_STACKS)
    images, positions, items = render(D, full, key("width calibration"))
    ratio, stray, Q, weight = np.empty((4, len(D)))
    for i, row in enumerate(items.itertuples()):
        one = stacks.stack(images[i], row, spec)
        spots, s2, V = localise(one), one.psf_sd_um**2, blur_variance(D[i], one)
        Q[i], ratio[i] = V / s2, (spots.variance - s2) / V
        weight[i] = 1 / ((spots.variance_sd / V) ** 2 + 0.4 / row.frames)
        error2 = (spots.positions - positions[i, : row.frames].mean(axis=1, dtype=float)) ** 2
        error2[error2 > FALSE_SPOT**2 * (np.mean(spots.sigma**2) + V)] = np.nan
        stray[i] = (np.nanmean(error2) - np.mean(spots.sigma**2)) / V
    good = np.isfinite(ratio + stray + weight) & (ratio > 0.1)
    U = (Q / (1 + Q))[good]
    w = np.sqrt(weight[good])
    a, b = np.linalg.lstsq(np.column_stack([U, U**2]) * w[:, None], (ratio[good] - 1) * w, rcond=None)[0]
    heavy = weight[good]
    c = max(0.0, float((heavy * U * stray[good]).sum() / (heavy * U * U).sum()))
    return float(a), float(b), c
