"""What networks are given of a volume: its image on one scale whatever the brightness, and the widths of the PSF."""

import numpy as np

from blurbench.colloids import wiener

NUMBERS = 2  # that every network is told of the microscope


def channels(values, noise_share, volume, estimated):
    """Channels (c, z, y, x), float32, of what `wiener.normalised` gave of a volume, or of a part of it.

    estimated : whether the Wiener estimates of where centres are stand beside the image
    """
    if not estimated:
        return values[None]
    return np.concatenate([values[None], wiener.wiener(values, noise_share, volume.diameter, volume.psf.sigma)])


def microscope(volume):
    """The widths of the PSF, (NUMBERS,) float32: its SDs along z and in the plane, in diameters."""
    return np.array(volume.psf.sigma[:2], np.float32) / volume.diameter
