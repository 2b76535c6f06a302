"""The microscope: from fluorophores and absorption to the photons that a view expects in each voxel, without noise."""

import math

import numpy as np
from numba import njit

from blurbench.fusion.optics import Optics, blur

RAYS = 5  # that stand for a sheet's fan


def view(density, mu_i, mu_d, optics: Optics) -> np.ndarray:
    """Photons expected, (z, y, x) float32.

    Parameters
    ----------
    density : (z, y, x), photons that a voxel gives where nothing is absorbed
    mu_i, mu_d : (z, y, x), 1/µm, absorption of the sheet's light and of the fluorescence
    """
    return blur(density * attenuation(mu_i, mu_d, optics), optics)


def attenuation(mu_i, mu_d, optics: Optics) -> np.ndarray:
    """Share of the light that reaches each voxel times that which returns from it, exp(-∫ mu) of both ways.

    The law of Beer and Lambert, up to the middle of the voxel. Rays of the sheet that come at other angles within it
    fill shadows up: the mean over RAYS of them, evenly spread over the fan. Absorption goes on as at the nearest face.

    Returns
    -------
    (z, y, x) float32
    """
    return illumination(mu_i, optics) * detection(mu_d, optics)


def illumination(mu_i, optics: Optics) -> np.ndarray:
    """Share of the sheet's light that reaches each voxel, (z, y, x) float32; mu_i in 1/µm."""
    axis, flip = optics.light_axis, slice(None, None, optics.light_sign)
    step, across = optics.spacing_um[axis], optics.spacing_um[1]
    half = np.exp(np.asarray(mu_i, np.float32) * np.float32(-step / 2))  # light that half a voxel lets pass
    slopes = np.linspace(-1, 1, RAYS) * optics.fan * step / across if optics.fan else np.zeros(1)
    left = _rays(np.ascontiguousarray(np.swapaxes(half, axis, 2)[..., flip]), slopes)
    return np.ascontiguousarray(np.swapaxes(left[..., flip], axis, 2))


def detection(mu_d, optics: Optics) -> np.ndarray:
    """Share of the fluorescence of each voxel that reaches the objective, (z, y, x) float32; mu_d in 1/µm."""
    axis, flip = optics.depth_axis, slice(None, None, optics.depth_sign)
    mu = np.moveaxis(np.asarray(mu_d, np.float32), axis, 0)[flip]
    path = np.cumsum(mu, axis=0, dtype=np.float32) - mu / 2
    left = np.exp(path * np.float32(-optics.spacing_um[axis]))
    return np.ascontiguousarray(np.moveaxis(left[flip], 0, axis))


@njit(cache=True)
def _rays(half, slopes):
    """Mean over rays of the light that is left at the middle of each voxel.

    Every ray has one slope for a whole plane: the plane is sheared along it, so that rays go along its rows, light is
    followed there, and the result is sheared back.

    Parameters
    ----------
    half : (z, y, x) float32, share of the light that half of each voxel lets pass; light goes along x
    slopes : (rays,), voxels along y a voxel along x
    """
    nz, ny, nx = half.shape
    out = np.empty((nz, ny, nx), np.float32)
    plane, total = np.empty((nx, ny), np.float32), np.empty((nx, ny), np.float32)
    light, there, back = np.empty(ny, np.float32), np.empty(ny, np.float32), np.empty(ny, np.float32)
    for z in range(nz):
        for x in range(nx):
            for y in range(ny):
                plane[x, y], total[x, y] = half[z, y, x], 0
        for slope in slopes:
            for y in range(ny):
                light[y] = 1
            for x in range(nx):
                _shifted(plane[x], slope * x, there)
                for y in range(ny):
                    light[y] *= there[y]
                _shifted(light, -slope * x, back)
                for y in range(ny):
                    total[x, y] += back[y]
                    light[y] *= there[y]
        for y in range(ny):
            for x in range(nx):
                out[z, y, x] = total[x, y] / np.float32(len(slopes))
    return out


@njit(cache=True)
def _shifted(row, shift, out):
    """What a row (n,) holds at each index + shift, linear between two voxels, the last one beyond the ends."""
    n, whole = len(row), math.floor(shift)
    part = np.float32(shift - whole)
    for i in range(n):
        low = min(max(i + whole, 0), n - 1)
        high = min(max(i + whole + 1, 0), n - 1)
        out[i] = row[low] + part * (row[high] - row[low])
