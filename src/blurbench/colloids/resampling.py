"""Volumes on cubic voxels, a plane at a time: what is held is some twenty slices, whatever the volume."""

import math
from collections.abc import Iterator

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter1d
from scipy.sparse import csr_array

NEGLIGIBLE = 1e-7  # weight of a voxel in a cube: a cubic spline's fall to a quarter from one voxel to the next


def cubes(shape, sides, side) -> tuple[int, ...]:
    """How many cubes of a side (µm) a volume of that shape, in voxels of those sides (µm), holds along each axis."""
    return tuple(int(n / r * (1 + 1e-9)) if abs(r - 1) > 1e-9 else n for n, r in zip(shape, side / np.asarray(sides)))


def resampled(photons, sides, side) -> Iterator[np.ndarray]:
    """Planes of a volume on cubic voxels; the first corner stays where it was, what does not fill a voxel is left out.

    Cubic splines. Along an axis that gets fewer voxels, a Gaussian before takes away what they cannot hold: with the
    voxel that it has been, it is as wide as the new voxel (SD, in quadrature). Light goes with the voxel's volume. All
    of it is linear, and the same along each axis whatever lies along the others.

    Parameters
    ----------
    photons : (z, y, x), per voxel, of which slices are asked for
    sides : (3,) of a voxel, µm;  side : of the cubes, µm

    Yields
    ------
    float32 (y, x), photons per cube
    """
    lengths, ratios = cubes(photons.shape, sides, side), side / np.asarray(sides, float)
    along_z, along_y, along_x = (_weights(*three) for three in zip(photons.shape, ratios, lengths))
    along_y, along_x = csr_array(along_y), csr_array(along_x)
    for row in along_z:
        used = np.flatnonzero(row)
        part = slice(used[0], used[-1] + 1)
        yield (along_x @ (along_y @ np.tensordot(row[part], photons[part], 1)).T).T


def _weights(n, ratio, m):
    """What each of n voxels in a row gives to each of m cubes that are `ratio` as long, float32 (m, n)."""
    weights = np.eye(n)
    if ratio > 1:
        weights = gaussian_filter1d(weights, math.sqrt((ratio**2 - 1) / 12), 0, mode="nearest")
    if abs(ratio - 1) > 1e-9:
        at = (ratio - 1) / 2  # where the centre of the first cube lies, in voxels from that of the first voxel
        turned = [affine_transform(one, [ratio], at, (m,), order=3, mode="nearest") for one in weights.T]
        weights = np.transpose(turned) * ratio
    return np.where(np.abs(weights) > NEGLIGIBLE, weights, 0).astype(np.float32)
