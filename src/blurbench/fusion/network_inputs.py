"""What networks are given of a view: its light on one scale, where each voxel lies, and what is known of the optics."""

import numpy as np

from blurbench.fusion.features import fitting
from blurbench.fusion.items import CHANNELS
from blurbench.fusion.optics import axial_sigma

PLAIN = 8  # channels that every network sees
AXIAL, LATERAL = 3, 4  # which of them are the widths of the PSF
FURTHER = 2  # channels of each further view


def channels(part, box, known, estimates=()) -> list:
    """Channels of the part of a view that lies in a box of voxels, float32 arrays that fit (z, y, x).

    Sides of 1 stand for what does not change along an axis; `stacked` makes one array of them.

    The root of the light, in which noise is even, and places along z and x, in 100 µm; the width of the PSF along z in
    planes and in the plane in voxels, the logarithm of the brightness, how flat the voxels are, nuclei or membranes.
    With estimates then the flat field, its logarithm, and the estimates, which are the last ones.

    part : `items.View`, as `restoration.part` cuts it;  known : `features.Whole` of the view;  estimates : of the truth
    over the scale, (z, y, x) each
    """
    spacing, shape = np.asarray(part.optics.spacing_um), part.photons.shape
    z, x = (np.arange(*box[axis]) * spacing[axis] / 100 for axis in (0, 2))
    width = axial_sigma(part.optics, np.arange(shape[2]) * spacing[2]) / spacing[0]
    flat = np.log(spacing[0] / spacing[2])
    numbers = [part.optics.sigma_um[2] / spacing[2], np.log(known.scale) / 5, flat, CHANNELS.index(part.channel)]
    found = [_root(part.photons, known), z[:, None, None], x, width, *numbers]
    if len(estimates):
        found += [np.log(known.field.on(box)), *estimates]
    return [fitting(one) for one in found]


def stacked(channels, shape) -> np.ndarray:
    """One array (c, z, y, x) float32 of channels that fit the shape (z, y, x)."""
    found = np.empty((len(channels), *shape), np.float32)
    for whole, one in zip(found, channels):
        whole[...] = one
    return found


def further(part, known) -> list:
    """Channels of the further views of a part: of each the root of its light, and the width of its PSF along its axis.

    Parameters as of `channels`, and what is returned; FURTHER of each view.
    """
    found = []
    for photons, optics in zip(part.others, part.others_optics):
        light = optics.light_axis
        width = axial_sigma(optics, np.arange(photons.shape[light]) * optics.spacing_um[light])
        width = np.expand_dims(width / optics.spacing_um[optics.depth_axis], [a for a in range(3) if a != light])
        found += [_root(photons, known), width]
    return [fitting(one) for one in found]


def _root(photons, known):
    return np.sqrt(np.maximum(photons / np.float32(known.scale), 0))
