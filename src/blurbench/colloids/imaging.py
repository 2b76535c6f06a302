"""The microscope: from spheres to the photons expected in each voxel, and from those to grey values.

Spheres of uniform brightness stand on a uniform background; the PSF blurs both, bleaching dims slice after slice, a
voxel detects a Poisson number of photons, normal read noise and the offset are added, and the sum is rounded. The
object is drawn on a canvas that reaches as far beyond the volume as anything is seen from within it. Indices and
lengths are in voxels, axes z, y, x; index 0 is the centre of the first voxel.
"""

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.ndimage import correlate1d

from blurbench.colloids.configuration import REACH, SATURATION
from blurbench.microscopy.random_streams import normal, poisson

FAR, NEAR, INSIDE = range(3)  # of the centres: beyond a diameter, nearer, nearer than a radius


class Psf(NamedTuple):
    """A PSF of sum 1 on the voxels of one item.

    profiles : three arrays, one per axis, whose product it is; none for an image
    image : (z, y, x), its centroid on the middle voxel; None for a Gaussian
    reach : (3,), voxels that it extends to either side of its middle
    sigma : (3,), its standard deviations in voxels
    """

    profiles: tuple
    image: np.ndarray | None
    reach: np.ndarray
    sigma: np.ndarray


def psf_on_voxels(psf: dict, voxel_um: float) -> Psf:
    """The configuration's `psf` entry on cubic voxels.

    Raises ValueError if the file of a measured PSF holds no such image.
    """
    if psf["kind"] == "gaussian":
        sigma = np.asarray(psf["sigma_um"], float) / voxel_um
        reach = np.ceil(REACH * sigma).astype(int)
        profiles = [np.exp(-0.5 * (np.arange(-r, r + 1) / s) ** 2) for r, s in zip(reach, sigma)]
        return Psf(tuple(p / p.sum() for p in profiles), None, reach, sigma)
    image, centroid = _measured(str(Path(psf["file"])))
    for axis, pitch in enumerate(np.asarray(psf["voxel_um"], float) / voxel_um):
        image = np.moveaxis(np.tensordot(_shares(image.shape[axis], centroid[axis], pitch), image, (1, axis)), 0, axis)
    reach = np.array(image.shape) // 2
    return Psf((), image, reach, _widths(image))


@lru_cache
def _measured(file):
    """Image of a measured PSF, its sum 1, and its centroid in voxels from its corner."""
    from tifffile import imread

    image = np.asarray(imread(file), float)
    if image.ndim != 3:
        raise ValueError(f"psf.file {file}: an image of shape {image.shape} was found, a 3-D one was expected")
    if not np.isfinite(image).all() or image.min() < 0 or image.sum() <= 0:
        raise ValueError(f"psf.file {file}: its values must be finite, not negative and not all zero")
    image = image / image.sum()
    return image, [(image.sum(axis=tuple({0, 1, 2} - {a})) @ (np.arange(n) + 0.5)) for a, n in enumerate(image.shape)]


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


def blur(canvas, psf: Psf):
    """The canvas (z, y, x) under the PSF, without the margin of psf.reach voxels on every side."""
    if psf.image is not None:
        from scipy.signal import fftconvolve

        return np.maximum(fftconvolve(canvas, psf.image.astype(np.float32), mode="valid"), 0)
    for axis, profile in enumerate(psf.profiles):  # cropped at once, so that the next axis has less to do
        inner = [slice(None)] * 3
        inner[axis] = slice(psf.reach[axis], canvas.shape[axis] - psf.reach[axis])
        canvas = correlate1d(canvas, profile, axis, mode="constant")[tuple(inner)]
    return canvas


@njit(cache=True)
def draw_spheres(canvas, corner, centres, radii, light, box, shape):
    """Add spheres and their periodic images to a canvas, anti-aliased.

    A voxel takes the share of its volume that lies in the sphere: a plane at the sphere's distance, moved in by
    1/(12 R), which is what the curvature of the surface takes from a voxel cut through its middle. Averaged over where
    the centre lies in its voxel the volume is exact; a single one is right within 1 % for radii from 3 voxels on.

    Parameters
    ----------
    canvas : float32 (z, y, x)
    corner : (3,), index of the canvas's first voxel
    centres, radii, light : (n, 3), (n,), (n,); light is what a voxel inside the sphere gains
    box : (3,), periods
    shape : (3,), the volume within the canvas

    Returns
    -------
    float, the share of the volume that spheres fill
    """
    filled = 0.0
    for i in range(len(centres)):
        radius = radii[i]
        surface = radius - 1.0 / (12.0 * radius)
        full, empty = max(surface - 0.5, 0.0) ** 2, (surface + 0.5) ** 2
        low, high = np.empty(3, np.int64), np.empty(3, np.int64)
        for axis in range(3):
            low[axis] = math.ceil((corner[axis] - radius - 1.0 - centres[i, axis]) / box[axis])
            high[axis] = math.floor((corner[axis] + canvas.shape[axis] + radius - centres[i, axis]) / box[axis])
        for kz in range(low[0], high[0] + 1):
            z = centres[i, 0] + kz * box[0] - corner[0]
            z0, z1 = max(math.ceil(z - radius - 0.5), 0), min(math.floor(z + radius + 0.5), canvas.shape[0] - 1)
            for ky in range(low[1], high[1] + 1):
                y = centres[i, 1] + ky * box[1] - corner[1]
                y0, y1 = max(math.ceil(y - radius - 0.5), 0), min(math.floor(y + radius + 0.5), canvas.shape[1] - 1)
                for kx in range(low[2], high[2] + 1):
                    x = centres[i, 2] + kx * box[2] - corner[2]
                    x0, x1 = max(math.ceil(x - radius - 0.5), 0), min(math.floor(x + radius + 0.5), canvas.shape[2] - 1)
                    for vz in range(z0, z1 + 1):
                        for vy in range(y0, y1 + 1):
                            square = (vz - z) ** 2 + (vy - y) ** 2
                            inside = 0 <= vz + corner[0] < shape[0] and 0 <= vy + corner[1] < shape[1]
                            for vx in range(x0, x1 + 1):
                                distance = square + (vx - x) ** 2
                                if distance < empty:
                                    share = 1.0 if distance <= full else surface + 0.5 - math.sqrt(distance)
                                    canvas[vz, vy, vx] += light[i] * share
                                    if inside and 0 <= vx + corner[2] < shape[2]:
                                        filled += share
    return filled / (shape[0] * shape[1] * shape[2])


@njit(cache=True)
def regions(shape, centres, radii, diameter):
    """Region of each voxel, uint8 (z, y, x): INSIDE a sphere, NEAR one or FAR (farther than `diameter` from all)."""
    region = np.full((shape[0], shape[1], shape[2]), FAR, np.uint8)
    far = diameter * diameter
    for i in range(len(centres)):
        z, y, x = centres[i, 0], centres[i, 1], centres[i, 2]
        inside = radii[i] * radii[i]
        for vz in range(max(math.ceil(z - diameter), 0), min(math.floor(z + diameter), shape[0] - 1) + 1):
            for vy in range(max(math.ceil(y - diameter), 0), min(math.floor(y + diameter), shape[1] - 1) + 1):
                square = (vz - z) ** 2 + (vy - y) ** 2
                for vx in range(max(math.ceil(x - diameter), 0), min(math.floor(x + diameter), shape[2] - 1) + 1):
                    distance = square + (vx - x) ** 2
                    if distance <= inside:
                        region[vz, vy, vx] = INSIDE
                    elif distance <= far:
                        region[vz, vy, vx] = max(region[vz, vy, vx], NEAR)
    return region


@njit(cache=True)
def detect(s, photons, read_noise, offset):
    """Grey values, uint16, of expected photons (z, y, x); read_noise in photons, offset in ADU, one ADU a photon.

    The cut at the ends of the grey scale is unseen at settings that `configuration.faults` lets pass.
    """
    image = np.empty(photons.shape, np.uint16)
    flat, expected = image.reshape(-1), photons.reshape(-1)
    for i in range(len(flat)):
        value = poisson(s, np.float64(expected[i])) + read_noise * normal(s) + offset
        flat[i] = np.uint16(min(max(math.floor(value + 0.5), 0.0), SATURATION))
    return image
