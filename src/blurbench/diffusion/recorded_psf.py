"""Width of the PSF of a recording: what its user states, and what its stacks say of it.

The spots of molecules that move are wider than the PSF, so the PSF's width cannot be read off them. But the paths say
how far they move: the variance of a spot exceeds the PSF's by D t_E/3, and D is that of the path. So the likelihood of
path and blur together, D left open, is a curve over the width of the PSF for every stack, and their product over all
tracks is that of the width common to them. D is drawn from a law that is found along with it, free in its form: with
every D as likely as any other, stacks whose path happens to be short would count more, as their blur seems surer, and
the PSF would come out too wide.
"""

import logging
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp

from blurbench.diffusion import psf as psfs
from blurbench.diffusion.blur_likelihood import joint_log_likelihood
from blurbench.diffusion.localise import localise
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.files.logs import progress
from blurbench.running.processes import side_by_side

MOST_STACKS = 200  # more do not know the width better than their model holds
FEWEST_TRACKS = 5
RANGE = (0.25, 2.0)  # of the widths that come into question, over the median width of the spots
COARSE, FINE = 100, 2000  # widths at which curves are computed, and between which they are drawn
SPREADS = [0.0, *np.geomspace(0.01, 0.5, 16)]  # SD of the logarithm of the width from molecule to molecule
OTHERS = 0.05  # share of the tracks that may be anything else: two molecules, a smear, noise
SHOWN = 2.0  # gain in log-likelihood from which on molecules are taken to differ: 5 % of recordings of alike ones do
ROUNDS = 20  # of finding the law of D; from 5 on the width stays what it is
LIMIT = 0.1  # relative SD of the width, 20 % of its square: beyond, it is not known

log = logging.getLogger(__name__)


class Width(NamedTuple):
    """Width of a Gaussian PSF.

    fwhm_um : FWHM, µm
    known_to : SD of its logarithm: an error common to all molecules of the recording
    spread : SD of its logarithm from molecule to molecule, as where they lie at many depths
    """

    fwhm_um: float
    known_to: float
    spread: float = 0.0

    @property
    def uncertainty(self) -> float:
        """SD of the logarithm of the width of one molecule about the one that methods are told."""
        return float(np.hypot(self.known_to, self.spread))


class Undetermined(ValueError):
    """The stacks do not say how wide the PSF is."""


def stated(psf: dict) -> Width:
    """Width of a recording's `psf` entry."""
    return Width(float(psfs.fwhm(psf)), float(psf.get("known_to", 0.0)))


def estimate(stacks: list, tracks) -> Width:
    """Width that all stacks of a recording have in common, with its uncertainty.

    Parameters
    ----------
    stacks : of Stack, whose spec has a PSF known exactly: the widths that are tried take its place
    tracks : (stack,), which of them are of the same molecule

    Raises
    ------
    Undetermined if there are too few tracks, or if these leave the width more uncertain than LIMIT.
    """
    some = np.unique(np.linspace(0, len(stacks) - 1, MOST_STACKS).astype(int))
    fits = [(stacks[i], localise(stacks[i]), tracks[i]) for i in some]
    fits = [
        fit for fit in fits if np.isfinite(fit[1].variance) and np.isfinite(fit[1].positions).all(axis=1).sum() >= 3
    ]
    found = len({track for *_, track in fits})
    if found < FEWEST_TRACKS:
        raise Undetermined(f"{found} tracks with spots to fit, at least {FEWEST_TRACKS} are needed")
    spot = FWHM_OVER_SD * np.sqrt(np.median([spots.variance for _, spots, _ in fits]))
    ln_width, curves = _by_track(fits, np.log(np.multiply(RANGE, spot)))
    posterior, known_to, spread = _common(ln_width, curves)
    best = np.exp((posterior * ln_width).sum())
    log.info("PSF: FWHM %.4g um, known to %.2g, spread %.2g; spots %.4g um", best, known_to, spread, spot)
    if known_to > LIMIT or max(posterior[0], posterior[-1]) > 1e-3 * posterior.max():
        raise Undetermined(
            f"{found} tracks of spots {spot:.3g} µm wide, which know its width to {100 * known_to:.0f} %"
        )
    return Width(float(best), known_to, spread)


def _by_track(fits, ends):
    """Log-likelihood (track, FINE) of every width, whose logarithm (FINE,) comes first, between two ends."""
    coarse = np.linspace(*ends, COARSE)
    fine = np.linspace(coarse[0], coarse[-1], FINE)
    lo, hi = map(float, fits[0][0].D_range)
    D = np.geomspace(lo / 3, hi * 3, 100)
    calls = ((D, spots, stack, np.exp(coarse)) for stack, spots, _ in progress(fits, "PSF"))
    likelihood = np.array(side_by_side(_of_widths, calls))
    tracks, track = np.unique([track for *_, track in fits], return_inverse=True)
    curves = np.zeros((len(tracks), len(coarse)))
    np.add.at(curves, track, _over_D(likelihood))
    return fine, CubicSpline(coarse, curves, axis=1)(fine)


def _of_widths(D, spots, stack, widths):
    """Log-likelihood (width, D) of a stack."""
    return [joint_log_likelihood(D, spots, stack._replace(fwhm_um=width)) for width in widths]


def _over_D(log_likelihood):
    """Log-likelihood (stack, width) of (stack, width, D), averaged over the likeliest law of D at every width.

    The law is that of Kiefer & Wolfowitz 1956 (Ann Math Statist 27:887), approached by expectation and maximisation.
    """
    peak = log_likelihood.max(axis=2, keepdims=True)
    likelihood = np.exp(log_likelihood - peak)
    law = np.full(likelihood.shape[1:], 1 / likelihood.shape[2])
    for _ in range(ROUNDS):
        mean = np.einsum("iwd,wd->iw", likelihood, law)
        law = law * np.einsum("iwd,iw->wd", likelihood, 1 / mean) / len(likelihood)
    return np.log(np.einsum("iwd,wd->iw", likelihood, law)) + peak[..., 0]


def _common(ln_width, curves):
    """Posterior (FINE,) of the common width, its SD, and the spread between tracks that makes the curves likeliest.

    The SD is that of the posterior or, where it is larger, what the scatter of the tracks makes of it (White 1982,
    Econometrica 50:1, the sandwich form): the likelihood is a model of the spots.
    """
    spread, evidence, likeliest = 0.0, -np.inf, curves
    for tried in SPREADS:
        population = _population(ln_width, curves, tried)
        found = logsumexp(population.sum(axis=0)) - (SHOWN if tried else 0)
        if found > evidence:
            spread, evidence, likeliest = float(tried), found, population
    total = likeliest.sum(axis=0)
    posterior = np.exp(total - logsumexp(total))
    mean = (posterior * ln_width).sum()
    variance = (posterior * (ln_width - mean) ** 2).sum()
    slopes = np.gradient(likeliest, ln_width, axis=1)[:, np.argmax(posterior)]
    return posterior, float(np.sqrt(max(variance, variance**2 * (slopes**2).sum()))), spread


def _population(ln_width, curves, spread):
    """Log-likelihood (track, FINE) of the width about which those of the molecules are normal in their logarithm."""
    peak = curves.max(axis=1, keepdims=True)
    likelihood = alike = np.exp(curves - peak)
    if spread:
        kernel = np.exp(-0.5 * ((ln_width[:, None] - ln_width) / spread) ** 2)
        alike = likelihood @ (kernel / kernel.sum(axis=0))
    return np.log((1 - OTHERS) * alike + OTHERS * likelihood.mean(axis=1, keepdims=True)) + peak
