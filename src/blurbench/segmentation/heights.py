"""How near the middle of a cell a pixel lies, from 0 to 1: what networks learn beside the mask, to tell cells apart."""

import numpy as np
from scipy import ndimage
from skimage.segmentation import find_boundaries

WIDTH = 0.15  # SD of a bump, in usual diameters


def distances(labels) -> np.ndarray:
    """Distance to the border of the own cell over the largest in that cell, float32 (y, x)."""
    inside = labels > 0
    middle = inside & ~find_boundaries(labels, mode="inner")
    distance = ndimage.distance_transform_edt(middle).astype(np.float32) + inside
    most = np.asarray(ndimage.maximum(distance, labels, np.arange(labels.max() + 1)))
    return np.where(inside, distance / np.maximum(most[labels], 1), 0).astype(np.float32)


def bumps(labels, diameter_px) -> np.ndarray:
    """A Gaussian at the centre of mass of each cell, of which the highest counts, float32 (y, x)."""
    height, sd = np.zeros(labels.shape, np.float32), WIDTH * diameter_px
    numbers = np.flatnonzero(np.bincount(labels.ravel()))
    axes = [np.arange(n) for n in labels.shape]
    for centre in ndimage.center_of_mass(labels > 0, labels, numbers[numbers > 0]):
        box = [slice(max(0, int(c - 4 * sd)), int(c + 4 * sd) + 2) for c in centre]
        y, x = (np.exp(-0.5 * ((axis[side] - c) / sd) ** 2) for axis, side, c in zip(axes, box, centre))
        part = height[tuple(box)]
        np.maximum(part, y[:, None] * x, out=part, casting="same_kind")
    return height
