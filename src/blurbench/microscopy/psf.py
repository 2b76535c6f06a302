"""Point-spread functions on the voxels of an image, and the image of a measured one.

For any number of axes: (y, x) in an image, (z, y, x) in a volume.
"""

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

REACH = 4  # standard deviations of a Gaussian PSF beyond which nothing is seen


class Psf(NamedTuple):
    """A PSF of sum 1 on the voxels of one item.

    profiles : arrays, one per axis, whose product it is; none for an image
    image : an array, its centroid on the middle voxel; None for a Gaussian
    reach : (axes,), voxels that it extends to either side of its middle
    sigma : (axes,), its standard deviations in voxels
    """

    profiles: tuple
    image: np.ndarray | None
    reach: np.ndarray
    sigma: np.ndarray


def psf_on_voxels(psf: dict, voxel_um) -> Psf:
    """The configuration's `psf` entry, whose lengths are per axis, on voxels of a side or of one per axis.

    Raises ValueError if the file of a measured PSF holds no such image.
    """
    if psf["kind"] == "gaussian":
        sigma = np.asarray(psf["sigma_um"], float) / voxel_um
        reach = np.ceil(REACH * sigma).astype(int)
        profiles = [np.exp(-0.5 * (np.arange(-r, r + 1) / s) ** 2) for r, s in zip(reach, sigma)]
        return Psf(tuple(p / p.sum() for p in profiles), None, reach, sigma)
    image, centroid = measured(psf["file"], len(psf["voxel_um"]))
    for axis, pitch in enumerate(np.asarray(psf["voxel_um"], float) / voxel_um):
        image = np.moveaxis(np.tensordot(_shares(image.shape[axis], centroid[axis], pitch), image, (1, axis)), 0, axis)
    reach = np.array(image.shape) // 2
    return Psf((), image, reach, _widths(image))


def measured(file, axes):
    """Image of a measured PSF, its sum 1, and its centroid in voxels from its corner; read once.

    Raises ValueError if the TIFF `file` holds no image of that many axes whose values can be a PSF's.
    """
    return _measured(str(Path(file)), axes)


@lru_cache
def _measured(file, axes):
    from tifffile import imread

    image = np.asarray(imread(file), float)
    if image.ndim != axes:
        raise ValueError(f"psf.file {file}: an image of shape {image.shape} was found, a {axes}-D one was expected")
    if not np.isfinite(image).all() or image.min() < 0 or image.sum() <= 0:
        raise ValueError(f"psf.file {file}: its values must be finite, not negative and not all zero")
    image = image / image.sum()
    others = [tuple(b for b in range(axes) if b != a) for a in range(axes)]
    return image, [image.sum(axis=o) @ (np.arange(n) + 0.5) for o, n in zip(others, image.shape)]


def _shares(n, centre, pitch):
    """Share of each of n PSF voxels of side `pitch` in each voxel around `centre`, (2 reach + 1, n).

    The light of a PSF voxel is spread evenly over it, so none is lost and a coarser grid takes no aliases.
    """
    edges = (np.arange(n + 1) - centre) * pitch
    reach = max(math.ceil(max(-edges[0], edges[-1]) - 0.5), 0)
    own = np.arange(-reach, reach + 2) - 0.5
    inside = np.minimum(own[1:, None], edges[1:]) - np.maximum(own[:-1, None], edges[:-1])
    return np.clip(inside, 0, None) / pitch


def _widths(image):
    """Standard deviations along the axes, inside half of the field, where the light is and the pedestal is not."""
    at = np.meshgrid(*(np.arange(n) - n // 2 for n in image.shape), indexing="ij")
    core = np.ones(image.shape, bool)
    for x, n in zip(at, image.shape):
        core &= np.abs(x) <= max(n / 4, 1)
    weight = image * core
    return np.array([math.sqrt((weight * x**2).sum() / weight.sum()) for x in at])
