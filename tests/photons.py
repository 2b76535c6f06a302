"""Stacks of a simulated molecule, and what their photons alone say of it."""

import numpy as np

from blurbench.diffusion.simulate import imaging, render
from blurbench.microscopy.random_streams import key

QUIET = {"read_noise": 0.0}  # the grey value of a pixel is its number of photons and the offset of 100
PURE = {"background": 0, "camera": QUIET, "cue": "no_intensity"}  # so many photons in every frame, and nothing else


def stacks(D, seed, first=0, cue=None, **spec):
    """Images, positions and items of `render`, imaging parameters by name."""
    return render(np.atleast_1d(np.asarray(D, float)), imaging(spec), key(seed), first, cue)


def photon_moments(images, pixel):
    """Mean (item, t, 2) and unbiased variance (item, t) per axis of the photons of each frame, µm, without noise."""
    counts = images - 100.0
    n, at = counts.sum(axis=(2, 3)), (np.arange(images.shape[-1]) + 0.5 - images.shape[-1] / 2) * pixel
    sums = [counts.sum(axis=3), counts.sum(axis=2)]
    mean = np.stack([marginal @ at / n for marginal in sums], axis=-1)
    square = np.stack([marginal @ at**2 / n for marginal in sums], axis=-1)
    return mean, ((square - mean**2) * (n / (n - 1))[..., None]).mean(axis=-1)


def photon_sums(images):
    return images.sum(axis=(2, 3), dtype=int) - 100 * images.shape[2] * images.shape[3]
