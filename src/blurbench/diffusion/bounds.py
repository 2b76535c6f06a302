"""Bounds as methods: an ideal estimator that attains them, and the localisation error they start from."""

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtri

from blurbench.diffusion.intervals import from_log
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.microscopy.camera import excess_noise, noise_variance


def efficient(items, relative_sd):
    """Answers of an unbiased estimator of ln D that attains a Cramér-Rao bound: its SD is sd(D)/D, (item,).

    Its law is normal in ln D. The errors of the items of one D stand at the normal quantiles, scaled to variance 1:
    nothing is drawn. Items that share their D with no other, as where D is drawn for each, stand at them together. D
    itself then has the relative SD sqrt(exp(2r²) - exp(r²)) > r, and is not unbiased.
    """
    z = np.empty(len(items))
    alone = items.groupby("D")["D"].transform("size") == 1
    for rows in items.groupby(items["D"].mask(alone, 0.0)).indices.values():
        n = len(rows)
        quantiles = ndtri((np.arange(n) + 0.5) / n)
        z[rows] = quantiles / quantiles.std() if n > 1 else 0.0
    return from_log(np.log(items["D"].to_numpy()) + z * relative_sd, relative_sd)


def localisation_sd(stack) -> float:
    """SD per axis (µm) with which a frame of this item can be localised (Mortensen et al. 2010, eq. 5).

    The spot's variance is that of the PSF and the mean blur D t_E/3; read noise counts as background.
    """
    camera, truth = stack.camera, stack.truth
    photons = stack.brightness * camera["quantum_efficiency"]
    background = stack.background * camera["quantum_efficiency"] + noise_variance(camera)
    s2 = (truth.psf_fwhm_um / FWHM_OVER_SD) ** 2 + truth.D * stack.exposure_s / 3
    return float(np.sqrt(excess_noise(camera) * mortensen(s2, stack.pixel_um, photons, background)))


def mortensen(s2, a, photons, background) -> float:
    """Variance (µm²) of a maximum-likelihood position; s2 spot variance and a pixel size in µm², µm (their eq. 5)."""
    sa2 = s2 + a**2 / 12
    tau = 2 * np.pi * sa2 * background / (photons * a**2)
    integral = quad(lambda t: np.log(t) / (1 + t / tau), 0, 1)[0] if tau > 0 else 0.0
    return sa2 / photons / (1 + integral)
