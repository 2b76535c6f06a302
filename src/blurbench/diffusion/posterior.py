"""Exact posterior of D from the pixels of a stack, under the model of the simulator.

Known are the microscope, the photons and the background expected, the true width of the PSF, and where a path starts;
ln D is flat on the range of the dataset. The start is taken for normal, with the variance of its square.
"""

import hashlib

import numpy as np

from blurbench.diffusion.bounds import mortensen
from blurbench.diffusion.configuration import MOMENTS
from blurbench.diffusion.items import Stack
from blurbench.diffusion.localise import localise
from blurbench.diffusion.path_sampler import Motion, advance, begin, features
from blurbench.diffusion.pixel_likelihood import pixels
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.microscopy.camera import excess_noise, noise_variance, to_grey
from blurbench.microscopy.random_streams import key
from blurbench.planning.defaults import stated

HELD = ((4, 1), (1, 1), (1, 2), (1, 4))  # frames of a block and modes, of the features that changes of D hold
PER_SD = 3  # cells of ln D per SD of its law given a path
AGREED = 0.1  # SD of the posterior: what the standard error of its mean may be
LEAST_SPREAD = 1e-3  # pixels, SD of a start that is known


class NoModel(ValueError):
    """A dataset whose images the likelihood does not describe."""


def posteriors(stack: Stack, chains=2, warm_up=200, iterations=500, most=4000, positions=30):
    """Posterior of ln D by each of several chains, which begin at D apart and go on until they agree.

    Parameters
    ----------
    stack : Stack with its truth, of which only the width of the PSF is used
    chains, warm_up : number of chains; iterations of each that are not counted
    iterations, most : of each chain, so many at a time, and at most so many
    positions : sub-positions per frame that stand for a continuous path: an odd multiple of MOMENTS, so that one of
        them is where the path starts

    Returns
    -------
    (chain, cell), probability of equal cells of ln D over the dataset's range

    Raises
    ------
    NoModel where the dataset's images are not those of the model; ValueError for a grey value that cannot be
    """
    judge(stack.spec)
    positions = stack.substeps or positions
    grey = to_grey(stack.photons, stack.camera)
    sd = stack.truth.psf_fwhm_um / FWHM_OVER_SD / stack.pixel_um
    seen = pixels(grey, stack.brightness, stack.background, sd, stack.camera, positions)
    motion = _motion(stack, sd, positions)
    held = tuple(
        features(stack.frames, positions, motion, block, modes)
        for block, modes in HELD
        if block > 1 or positions >= 2 * modes
    )
    path, own = _begin(stack, positions), key("posterior", hashlib.blake2b(grey.tobytes()).hexdigest())
    D = motion.D_low * np.exp((np.arange(chains) + 0.5) / chains * motion.ln_range)
    states = [begin(path, one, held, own, number) for number, one in enumerate(D)]
    cells = int(np.ceil(motion.ln_range * PER_SD * np.sqrt(stack.frames * positions)))
    halves = np.empty((chains, 0, cells))
    while halves.shape[1] * iterations // 2 < most and _error(halves) > AGREED:
        new = np.empty((chains, 2, cells))
        for state, (first, second) in zip(states, new):
            unsettled = 0 if halves.shape[1] else warm_up
            advance(state, seen, motion, held, unsettled, iterations // 2, first)
            advance(state, seen, motion, held, 0, iterations // 2, second)
        halves = np.concatenate([halves, new], axis=1)
    return halves.mean(axis=1)


def _error(halves):
    """Standard error of the mean of all, over the SD of the posterior: by the scatter of halves, and of chains."""
    if halves.shape[1] == 0:
        return np.inf
    at = np.arange(halves.shape[2])
    mean = halves @ at
    variance = np.mean(halves @ at**2) - np.mean(mean**2)
    chains = mean.mean(axis=1)
    errors = mean.var(ddof=1) / mean.size, chains.var(ddof=1) / len(chains) if len(chains) > 1 else 0.0
    return np.sqrt(max(errors) / variance)


def judge(spec):
    """Raise NoModel for a dataset that the likelihood does not describe."""
    imaging = spec["imaging"]
    if (kind := imaging["psf"]["kind"]) != "gaussian":
        raise NoModel(f"psf.kind: found {kind}, the likelihood is of a gaussian one")
    for other in ("cue", "mistakes"):
        if other in spec:
            raise NoModel(f"{other}: found {spec[other]}, the likelihood is of whole images of the stated microscope")
    if wrong := sorted(set(imaging) - set(stated("diffusion", "imaging"))):
        raise NoModel(f"imaging: found {', '.join(wrong)}, the likelihood is of the stated microscope")


def _motion(stack, sd, positions):
    """Prior of the path of one stack."""
    pixel, size = stack.pixel_um, stack.imaging["size_px"]
    durations = np.full(stack.frames * positions - 1, stack.exposure_s / positions)
    durations[positions - 1 :: positions] += stack.frame_time_s - stack.exposure_s
    photons = stack.brightness * stack.camera["quantum_efficiency"]
    background = stack.background * stack.camera["quantum_efficiency"] + noise_variance(stack.camera)
    variance = excess_noise(stack.camera) * mortensen(sd**2, 1.0, photons, background)
    low, high = (D / pixel**2 for D in stack.D_range)
    spread = max(stack.imaging["start_spread_px"] / np.sqrt(12), LEAST_SPREAD)
    anchor = 0 if stack.substeps else (positions // MOMENTS - 1) // 2
    centre = np.full(2, size / 2)
    return Motion(durations, anchor, centre, 1 / spread**2, low, np.log(high / low), 1 / (positions * variance))


def _begin(stack, positions):
    """Path (t, k, 2) along the positions found, pixels; at the centre of the field where there are none."""
    found = localise(stack).positions / stack.pixel_um + stack.imaging["size_px"] / 2
    known = np.flatnonzero(np.isfinite(found).all(axis=1))
    if len(known) == 0:
        return np.full((stack.frames, positions, 2), stack.imaging["size_px"] / 2)
    at = np.arange(stack.frames)[:, None] + (np.arange(positions) + 0.5) / positions - 0.5
    return np.stack([np.interp(at, known, found[known, axis]) for axis in range(2)], axis=-1)
