"""Gaussian filters of a volume, one of whose axes may be filtered otherwise at each place along another.

Beyond its faces a volume goes on as its own mirror image, so a filter keeps the sum of the values and is its own
adjoint. scipy has the plain filter; this one takes an SD that varies, and loops in an order that vector registers like.
"""

import math

import numpy as np
from numba import njit

REACH = 4  # standard deviations beyond which a filter ends


def profiles(sigma_px, places: int = 1) -> np.ndarray:
    """Half of a Gaussian's profile, from its middle outwards, at each place; each sums to 1 with its other half.

    Parameters
    ----------
    sigma_px : float, or (places,)
    places : int, for one SD at all of them

    Returns
    -------
    (reach + 1, places) float32
    """
    sigma = np.maximum(np.broadcast_to(np.asarray(sigma_px, float), places), 1e-6)
    at = np.arange(math.ceil(REACH * float(sigma.max())) + 1)[:, None]
    half = np.exp(-0.5 * (at / sigma) ** 2)
    return (half / (2 * half.sum(axis=0) - half[0])).astype(np.float32)


def smooth(volume, sigma_px) -> np.ndarray:
    """A volume (z, y, x) after a Gaussian of an SD along each axis, in voxels."""
    z, y, x = sigma_px
    volume = np.ascontiguousarray(volume, np.float32)
    return lateral(axial(volume, profiles(z, volume.shape[2])), profiles(y)[:, 0], profiles(x)[:, 0])


@njit(cache=True)
def _mirrored(i, n):
    """Index of the voxel that stands at i, which may lie beyond the faces."""
    i %= 2 * n
    return i if i < n else 2 * n - 1 - i


@njit(cache=True)
def axial(volume, half):
    """Filter along z by the profile of each x: `half` is (reach + 1, x). Returns float32 (z, y, x)."""
    nz, ny, nx = volume.shape
    out = np.empty((nz, ny, nx), np.float32)
    for z in range(nz):
        for y in range(ny):
            row, middle = out[z, y], volume[z, y]
            for x in range(nx):
                row[x] = half[0, x] * middle[x]
            for k in range(1, len(half)):
                below, above, weight = volume[_mirrored(z - k, nz), y], volume[_mirrored(z + k, nz), y], half[k]
                for x in range(nx):
                    row[x] += weight[x] * (below[x] + above[x])
    return out


@njit(cache=True)
def lateral(volume, half_y, half_x):
    """Filter along y, then along x, by one profile each. Returns float32 (z, y, x)."""
    nz, ny, nx = volume.shape
    out = np.empty((nz, ny, nx), np.float32)
    reach = len(half_x) - 1
    padded = np.empty(nx + 2 * reach, np.float32)
    inner = padded[reach : reach + nx]
    for z in range(nz):
        for y in range(ny):
            middle = volume[z, y]
            for x in range(nx):
                inner[x] = half_y[0] * middle[x]
            for k in range(1, len(half_y)):
                below, above = volume[z, _mirrored(y - k, ny)], volume[z, _mirrored(y + k, ny)]
                for x in range(nx):
                    inner[x] += half_y[k] * (below[x] + above[x])
            for k in range(1, reach + 1):
                padded[reach - k] = inner[_mirrored(-k, nx)]
                padded[reach + nx - 1 + k] = inner[_mirrored(nx - 1 + k, nx)]
            row = out[z, y]
            for x in range(nx):
                row[x] = half_x[0] * inner[x]
            for k in range(1, reach + 1):
                left, right = padded[reach - k : reach - k + nx], padded[reach + k : reach + k + nx]
                for x in range(nx):
                    row[x] += half_x[k] * (left[x] + right[x])
    return out
