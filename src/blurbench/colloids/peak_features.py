"""Places where a sphere may be, the maxima of Wiener's estimates, and what the image and the estimates say about each.

What is said of a place is the same for the mirror images of a volume, and for the exchange of y and x; but slopes, by
which it may be moved, go along.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from blurbench.colloids import network_inputs, wiener
from blurbench.colloids.items import relative
from blurbench.colloids.maxima import maxima
from blurbench.microscopy.separable import gaussian

FACTORS = (10.0, 1.0, 0.1, 3.0, 0.3)  # on the noise power, as in `wiener`: from smooth to sharp
OF = 3  # of the estimates have their maxima taken, and their shells: the first ones
SEPARATION = 0.3  # diameters between two maxima of one estimate
SMOOTHING = 0.15, 0.3  # diameters: SDs of the Gaussian over the image, and of the Laplacian of one
SHELLS = (0.3, 0.6, 0.9, 1.2)  # diameters: radii of the shells about a place
BESIDE = (0.15, 0.3, 0.5, 0.7, 1.0)  # diameters: steps to both sides of a place, along each axis
FLAT = 0.3  # least curvature that a top is told by, in units of the map over the square of the first step
NEIGHBOURS, TOLD = 16, 6  # that are searched for a higher one, and of which each is told
FAR = 2.0  # diameters: what is farther counts as so far

# Directions on a shell, to the faces and edges of a cube: along z, between z and the plane, in the plane.
_STEPS = np.argwhere(np.ones((3, 3, 3))) - 1
_STEPS = _STEPS[np.isin(np.abs(_STEPS).sum(axis=1), (1, 2))]
_OF_Z = np.where(_STEPS[:, 0] == 0, 2, np.abs(_STEPS[:, 1:]).sum(axis=1))
_DIRECTIONS = _STEPS / np.linalg.norm(_STEPS, axis=1, keepdims=True)


class Places(NamedTuple):
    """Places where a sphere may be.

    positions : (n, 3), voxels
    features : (n, columns), without unit, of each
    slopes : (n, 3, columns), how the maps differ on its two sides along each axis: of the other sign in a mirror image
    """

    positions: np.ndarray
    features: np.ndarray
    slopes: np.ndarray


def places(volume) -> Places:
    """Places where a sphere may be, and what is known of each.

    Parameters
    ----------
    volume : colloids.items.Volume
    """
    d = volume.diameter
    values, noise_share = wiener.normalised(volume.photons)
    estimates = wiener.wiener(values, noise_share, d, volume.psf.sigma, FACTORS)
    found = [maxima(estimate, SEPARATION * d)[0] for estimate in estimates[:OF]]
    positions = np.concatenate(found)
    smooth, curved = SMOOTHING
    image = gaussian(values, 3 * [smooth * d])
    laplacian = -sum(gaussian(values, 3 * [curved * d], orders) for orders in 2 * np.eye(3))
    heights = _at([*estimates, image, laplacian], positions)
    edges = np.minimum(positions + 0.5, np.array(values.shape) - 0.5 - positions) / d
    which = np.repeat(np.arange(OF), [len(part) for part in found])
    told = [np.ones(len(which)), *heights[:OF], *(which == one for one in range(OF))]
    told += [np.full(len(which), number) for number in (noise_share, volume.psf.sigma[0] / d)]
    slopes = _slopes([*estimates[:OF], image], positions, d, np.column_stack(told))
    columns = [
        which,
        *heights,
        *(relative(np.maximum(height, 0)) for height in heights),
        *_shells([*estimates[:OF], image], positions, d),
        *_others(positions / d, heights[1]),
        np.minimum(edges[:, 0], FAR),
        np.minimum(edges[:, 1:].min(axis=1), FAR),
        *(np.full(len(positions), number) for number in (noise_share, *network_inputs.microscope(volume))),
    ]
    return Places(positions, np.column_stack(columns).astype(float), slopes)


def _at(maps, points):
    """Values of each map at points (..., 3) in voxels, linear between the voxels and 0 outside: (maps, ...)."""
    at = np.moveaxis(points, -1, 0)
    return np.stack([ndimage.map_coordinates(one, at, order=1, mode="constant") for one in maps])


def _slopes(maps, positions, diameter, told):
    """Differences of the maps at BESIDE, and where the top of a quadratic lies, each times all that is told (n, k)."""
    found, here = [], _at(maps, positions)[..., None]
    for axis in np.eye(3):
        steps = diameter * np.array(BESIDE)[:, None] * axis
        ahead, behind = (_at(maps, positions[:, None] + sign * steps) for sign in (1, -1))  # (maps, n, steps)
        bend = np.maximum(2 * here - ahead - behind, FLAT)[..., :1]
        odd = np.concatenate([ahead - behind, (ahead - behind)[..., :1] / bend], axis=-1)
        odd = np.moveaxis(odd, 1, 0).reshape(len(positions), odd.shape[0] * odd.shape[2])
        found.append((odd[:, :, None] * told[:, None]).reshape(len(positions), odd.shape[1] * told.shape[1]))
    return np.stack(found, axis=1).astype(np.float32)


def _shells(maps, positions, diameter):
    """Means over the three kinds of directions, largest and least value of each shell of each map."""
    points = positions[:, None, None] + diameter * np.array(SHELLS)[:, None, None] * _DIRECTIONS
    for values in _at(maps, points):  # (n, shells, directions)
        for kind in range(3):
            yield from values[..., kind == _OF_Z].mean(axis=-1).T
        yield from values.max(axis=-1).T
        yield from values.min(axis=-1).T


def _others(positions, height):
    """Of the nearest other places: how far, and how much higher; of the nearest higher one: how far, and how far in z.

    positions (n, 3) in diameters
    """
    if not len(positions):
        return np.empty((2 * TOLD + 2, 0))
    distance, which = (part[:, 1:] for part in cKDTree(positions).query(positions, NEIGHBOURS + 1))
    there = distance < FAR
    which = np.where(there, which, 0)
    distance, more = np.minimum(distance, FAR), np.where(there, height[which] - height[:, None], 0)
    higher = np.argmax(more > 0, axis=1)[:, None]  # places are sorted by distance
    any_higher = (more > 0).any(axis=1)
    along = np.abs(positions[which, 0] - positions[:, :1])
    nearest = (np.take_along_axis(part, higher, axis=1)[:, 0] for part in (distance, along))
    return [*distance[:, :TOLD].T, *more[:, :TOLD].T, *(np.where(any_higher, part, FAR) for part in nearest)]
