"""trackpy's locator, as its methods use it."""

import logging
import warnings

import numpy as np

from blurbench.microscopy import trackpy_steps


def odd(length) -> int:
    """Nearest odd number, of two equally near the larger; at least 3."""
    return max(3, 2 * int(np.floor(length / 2)) + 1)


def smoothed(photons, diameter, noise_size=1.0):
    """A volume after trackpy's filter; None where it is no larger than a feature.

    Parameters
    ----------
    photons : (z, y, x), rounded to whole numbers, as a camera gives them; what is negative counts as 0
    diameter : odd int or three of them, voxels
    noise_size : SD in voxels of the Gaussian that is applied first
    """
    if min(photons.shape) <= np.max(diameter):
        return None
    whole = np.round(np.clip(photons, 0, 65535)).astype(np.uint16)
    return trackpy_steps.smoothed(whole, tuple(np.broadcast_to(diameter, 3).tolist()), noise_size)


def locate(smooth, separation=None, percentiles=(64,)):
    """trackpy's features of a volume (Crocker & Grier 1996), for each of the percentiles.

    Parameters
    ----------
    smooth : what `smoothed` gave
    separation, percentiles : as of `trackpy_steps.locate`; voxels

    Returns
    -------
    list of positions (n, 3) in voxels, mass (n,); none where the volume holds nothing
    """
    if smooth is None:
        return [(np.empty((0, 3)), np.empty(0)) for _ in percentiles]
    logging.getLogger("trackpy").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # trackpy warns of volumes without a feature; they are answered by no row
        found = list(trackpy_steps.locate(smooth, separation, percentiles))
    whole = [one[np.isfinite(one).all(axis=1)] for one in found]
    return [(one[:, :3].copy(), one[:, 3].copy()) for one in whole]
