"""What networks are given of a volume: its image on one scale whatever the brightness, and the widths of the PSF."""

import numpy as np

from blurbench.colloids import wiener


def channels(values, noise_share, volume, estimates):
    """Channels (c, z, y, x), float32, of what `wiener.normalised` gave of a volume, or of a part of it.

    estimates : whether the Wiener estimates of where centres are stand beside the image
    """
    if not estimates:
        return values[None]
    return np.concatenate([values[None], wiener.wiener(values, noise_share, volume.diameter, volume.psf.sigma)])


def microscope(volume):
    """The widths of the PSF, (2,) float32: its SDs along z and in the plane, in diameters."""
    return np.array(volume.psf.sigma[:2], np.float32) / volume.diameter
