"""What a first answer says around a pixel: smoothed, curved, along its gradient and across, and where cells are.

Lengths are in usual diameters of a cell, so that cell bodies are seen as nuclei are.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from blurbench.segmentation.derivatives import curvatures
from blurbench.segmentation.watershed import by_distance

SMOOTHED = 0.03, 0.06, 0.125, 0.25, 0.5  # SDs of Gaussians
CURVED = 0.06, 0.125  # likewise, of what the curvatures are read from
UPHILL = 0.1  # likewise, of what the direction is read from
ALONG = 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.9  # where it is looked up and down the gradient
ACROSS = 0.13, 0.25, 0.4, 0.6  # and to both sides of it, of which the lower counts and the higher
NOISE_PX = 1.0  # SD of a Gaussian on what is looked at there
FAR = 5.0  # and no further: what is said of distances where there is no cell
NOWHERE = -1e6, -1e6  # a place beyond that, pixels


def reach(diameter_px) -> int:
    """Pixels around a place beyond which its features hardly depend on the first answer."""
    return int(np.ceil(2 * max(*ALONG, *ACROSS, *SMOOTHED) * diameter_px))


def context(chance, planes, at, diameter_px, separation, smoothing) -> np.ndarray:
    """Features (n, columns) float32 of places.

    Parameters
    ----------
    chance : (y, x) that a cell is there, as the first answer has it
    planes : of (y, x), of the image, which are looked at along the gradient and across too
    at : pixels, (n,) rows and (n,) columns
    diameter_px : usual diameter of a cell
    separation, smoothing : of `by_distance`, which tells cells apart
    """
    smoothed = {sd: ndimage.gaussian_filter(chance, sd * diameter_px) for sd in {*SMOOTHED, *CURVED, UPHILL}}
    columns = [chance[at], *(smoothed[sd][at] for sd in SMOOTHED)]
    columns += [curvature[at] for sd in CURVED for curvature in curvatures(smoothed[sd])]
    slope = np.array([axis[at] for axis in np.gradient(smoothed[UPHILL])])
    steepness = np.hypot(*slope)
    uphill = slope / np.maximum(steepness, np.finfo(np.float32).tiny)
    columns.append(diameter_px * steepness)
    seen = [ndimage.gaussian_filter(plane, NOISE_PX) for plane in (chance, *planes)]
    for plane in seen:
        columns += _rays(plane, np.array(at), diameter_px * uphill)
    cells = by_distance(seen[0] > 0.5, diameter_px, separation, smoothing)
    columns += _cells(cells, np.array(at), uphill, diameter_px)
    return np.column_stack(columns).astype(np.float32)


def _rays(plane, at, uphill):
    """A plane's values along the gradient and across, (n,) each; at, uphill : (2, n), pixels."""

    def look(steps, direction):
        places = at[:, None] + np.multiply.outer(steps, direction).swapaxes(0, 1)
        return ndimage.map_coordinates(plane, places, order=1, mode="mirror")

    left = np.stack([uphill[1], -uphill[0]])
    sides = look(ACROSS, left), look(ACROSS, -left)
    return [*look((*np.negative(ALONG), *ALONG), uphill), *np.minimum(*sides), *np.maximum(*sides)]


def _cells(labels, at, uphill, diameter_px):
    """How far the middles of the two nearest cells are, what the nearest is like, and how far the outline is."""
    numbers = np.arange(1, labels.max() + 1)
    middles = [*ndimage.center_of_mass(labels > 0, labels, numbers), NOWHERE, NOWHERE]
    areas = np.array([*np.bincount(labels.ravel())[1:], 0, 0])
    (near, next_), (nearest, _) = (found.T for found in cKDTree(middles).query(at.T, k=2))
    radius = np.sqrt(areas[nearest] / np.pi)
    ascent = ((at - np.transpose(middles)[:, nearest]) * uphill).sum(axis=0) / np.maximum(near, 1)
    inside, outside = (_depth(mask)[tuple(at)] for mask in (labels > 0, labels == 0))
    lengths = [np.clip(length / diameter_px, -FAR, FAR) for length in (near, next_, near - radius, inside - outside)]
    return [*lengths, radius / diameter_px, ascent]


def _depth(mask):
    """Distance of each pixel of a mask to what is beyond it, (y, x); infinite where nothing is."""
    return np.full(mask.shape, np.inf) if mask.all() else ndimage.distance_transform_edt(mask)
