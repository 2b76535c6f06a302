"""trackpy's locator, as both its methods use it."""

import logging
import warnings

import numpy as np
import trackpy


def odd(length) -> int:
    """Nearest odd number, of two equally near the larger; at least 3."""
    return max(3, 2 * int(np.floor(length / 2)) + 1)


def locate(photons, diameter, separation=None, noise_size=1.0, percentile=64):
    """trackpy's features of a volume (Crocker & Grier 1996).

    Parameters
    ----------
    photons : (z, y, x), rounded to whole numbers, as a camera gives them; what is negative counts as 0
    diameter : odd int or three of them, voxels;  separation : voxels, None for trackpy's default of diameter + 1
    noise_size : SD in voxels of the Gaussian that is applied first
    percentile : of the voxels that are brighter than none; a maximum must be brighter still. trackpy's default

    Returns
    -------
    positions (n, 3) in voxels, mass (n,); none where the volume holds nothing
    """
    none = np.empty((0, 3)), np.empty(0)
    if min(photons.shape) <= np.max(diameter):
        return none
    whole = np.round(np.clip(photons, 0, 65535)).astype(np.uint16)
    logging.getLogger("trackpy").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # trackpy warns of volumes without a feature; they are answered by no row
        found = trackpy.locate(
            whole,
            diameter,
            separation=separation,
            noise_size=noise_size,
            percentile=percentile,
            characterize=False,
            engine="numba",
        )
    if not len(found):
        return none
    found = found.dropna(subset=["z", "y", "x", "mass"])
    return found[["z", "y", "x"]].to_numpy(float), found["mass"].to_numpy(float)
