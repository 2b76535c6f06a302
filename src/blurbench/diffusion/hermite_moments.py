"""What `ours` and the regressions begin with: positions, and Gauss-Hermite moments of each spot about its centre.

A moment is the sum over a window of (photons - background) · h_m(y) · h_n(x), h_m the m-th Hermite function at one of
two scales (PSF and widest blur). The moments up to order 5 keep nearly all that a blurred spot shows of its width, its
elongation, skewness and tails, do not depend on where in a pixel the molecule is, and those of one order turn into each
other when the image turns. They are to this problem what a first, fixed convolution layer would have to learn.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from blurbench.diffusion.blur_likelihood import posterior
from blurbench.diffusion.items import Stack, stack
from blurbench.diffusion.localise import fit_stack, spots_of
from blurbench.diffusion.network_inputs import PARAMETERS, microscope
from blurbench.files.logs import progress
from blurbench.microscopy.camera import excess_noise, noise_variance

ORDER = 5
PAIRS = [(m, n) for m in range(ORDER + 1) for n in range(ORDER + 1 - m)]
MOMENTS = 2 * len(PAIRS)
FRAME_FEATURES = 2 + 3 + MOMENTS  # position (y, x), then photons, localisation SD and found, then the moments
OWN = 5  # features of the stack that are measured; what is known of the microscope follows
STACK_FEATURES = OWN + PARAMETERS
CHUNK = 256


@njit(cache=True, nogil=True)
def hermite_moments(photons, centres, half, scales, background):
    """Moments (t, 2, (ORDER+1)²) of every frame at two scales (pixels), normalised Hermite functions."""
    frames, size_y, size_x = photons.shape
    n, orders = 2 * half + 1, ORDER + 1
    out = np.zeros((frames, 2, orders * orders))
    basis = np.empty((2, orders, n))
    rows = np.empty((orders, n))
    for t in range(frames):
        corner = (
            min(max(int(centres[t, 0]) - half, 0), size_y - n),
            min(max(int(centres[t, 1]) - half, 0), size_x - n),
        )
        for k in range(2):
            for axis in range(2):
                for i in range(n):
                    z = (corner[axis] + i + 0.5 - centres[t, axis]) / scales[k]
                    basis[axis, 0, i] = math.exp(-0.5 * z * z)
                    basis[axis, 1, i] = z * basis[axis, 0, i]
                    for m in range(2, orders):
                        basis[axis, m, i] = (
                            z * basis[axis, m - 1, i] - math.sqrt(m - 1.0) * basis[axis, m - 2, i]
                        ) / math.sqrt(m)
            rows[:] = 0.0
            for i in range(n):
                for j in range(n):
                    value = photons[t, corner[0] + i, corner[1] + j] - background
                    for b in range(orders):
                        rows[b, i] += value * basis[1, b, j]
            for a in range(orders):
                for b in range(orders - a):
                    total = 0.0
                    for i in range(n):
                        total += basis[0, a, i] * rows[b, i]
                    out[t, k, a * orders + b] = total
    return out


COLUMNS = np.array([m * (ORDER + 1) + n for m, n in PAIRS])  # of what `hermite_moments` gives: those it computes


def stack_features(one: Stack):
    """What is measured in one stack.

    Returns
    -------
    frames : (t, FRAME_FEATURES) float32; lengths in units of the PSF's SD
    stack : (OWN,) float32; the first two are mean and SD of ln D by the blur-and-path likelihood under the dataset's
        prior, from which a network starts; then excess width, photons and background
    """
    pixel, camera, photons = one.pixel_um, one.camera, one.photons
    half, s = one.window, one.psf_sd_um
    s2 = (s / pixel) ** 2
    lo, hi = (s2 + D * one.exposure_s / 3 / pixel**2 for D in one.D_range)
    fits, background, w2, w2_sd = fit_stack(
        photons, half, s2, math.sqrt(lo * hi), hi, noise_variance(camera), excess_noise(camera)
    )
    spots = spots_of(fits, background, w2, w2_sd, photons.shape[1], pixel)
    scales = np.array([math.sqrt(s2 + 0.1), math.sqrt(max(hi, s2 + 0.3))])
    moments = hermite_moments(photons, fits[:, :2], half, scales, background)[:, :, COLUMNS]
    mean_photons = max(float(np.mean(fits[:, 2])), 1.0)
    found = np.isfinite(spots.positions).all(axis=1)
    positions = np.where(found[:, None], spots.positions, (fits[:, :2] - photons.shape[1] / 2) * pixel) / s
    frames = np.column_stack([
        positions, np.log(np.maximum(fits[:, 2], 0.1) / mean_photons), np.log(fits[:, 3] * pixel / s), found,
        moments.reshape(len(fits), -1) * (10 / mean_photons),
    ])  # fmt: skip
    ln_D, probability = posterior(spots, one)
    if np.isnan(probability).any():
        probability = np.full(len(ln_D), 1 / len(ln_D))
    mean = probability @ ln_D
    sd = math.sqrt(probability @ (ln_D - mean) ** 2 + 1e-4)
    excess = spots.variance / s**2 - 1 if np.isfinite(spots.variance) else 0.0
    own = [
        mean, sd, np.clip(excess, -1, 30) / 3, math.log(mean_photons / 100) / 2, math.log1p(max(background, 0.0)) - 1,
    ]  # fmt: skip
    return np.clip(frames, -50, 50).astype(np.float32), np.array(own, np.float32)


def features(dataset, threads=1):
    """Features of all items: (n, T, FRAME_FEATURES), (n, STACK_FEATURES), mask (n, T) of the frames there are."""
    n, longest = dataset.images.shape[:2]
    frames = np.zeros((n, longest, FRAME_FEATURES), np.float32)
    whole = np.zeros((n, STACK_FEATURES), np.float32)
    whole[:, OWN:] = microscope(dataset.items, dataset.spec)
    present = np.zeros((n, longest), bool)

    def fill(at, images, items):
        for i, (image, row) in enumerate(zip(images, items.itertuples()), at):
            f, whole[i, :OWN] = stack_features(stack(image, row, dataset.spec))
            frames[i, : len(f)], present[i, : len(f)] = f, True

    with ThreadPoolExecutor(threads) as pool:
        for first in progress(range(0, n, CHUNK), "moments"):
            chunk = dataset[first : first + CHUNK]
            images = chunk.images[:]
            parts = [p for p in np.array_split(np.arange(len(chunk)), threads) if len(p)]
            work = [(first + p[0], images[p], chunk.items.iloc[p]) for p in parts]
            list(pool.map(fill, *zip(*work)))  # raises what a thread raised
    return frames, whole, present
