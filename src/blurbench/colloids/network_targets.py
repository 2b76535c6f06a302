"""What a network is to answer: for every cell, where the nearest centre is; and the way back from answers to centres.

A cell is a cube of `stride` voxels. Cell i covers the voxels from stride·i on, so its middle lies at
stride·i + (stride - 1)/2 voxels from the centre of the first voxel.
"""

import math

import numpy as np
from numba import njit
from scipy import ndimage
from scipy.spatial import cKDTree


@njit(cache=True, nogil=True)
def nearest(centres, shape, stride, radius):
    """Vector from each cell to the nearest centre within `radius`, float32 (3, z, y, x) in voxels; NaN where none is.

    centres : (n, 3) voxels;  shape : cells
    """
    vectors = np.full((3, shape[0], shape[1], shape[2]), np.nan, np.float32)
    best = np.full((shape[0], shape[1], shape[2]), radius * radius)
    middle = (stride - 1) / 2
    for c in range(len(centres)):
        low, high = np.empty(3, np.int64), np.empty(3, np.int64)
        for axis in range(3):
            low[axis] = max(int(math.ceil((centres[c, axis] - radius - middle) / stride)), 0)
            high[axis] = min(int(math.floor((centres[c, axis] + radius - middle) / stride)), shape[axis] - 1)
        for i in range(low[0], high[0] + 1):
            z = centres[c, 0] - (i * stride + middle)
            for j in range(low[1], high[1] + 1):
                y = centres[c, 1] - (j * stride + middle)
                for k in range(low[2], high[2] + 1):
                    x = centres[c, 2] - (k * stride + middle)
                    square = z * z + y * y + x * x
                    if square < best[i, j, k]:
                        best[i, j, k] = square
                        vectors[0, i, j, k], vectors[1, i, j, k], vectors[2, i, j, k] = z, y, x
    return vectors


def peaks(heat, votes, diameter, stride, floor, apart):
    """Centres from a map of how near one is, and each cell's vote for where.

    A cell that no neighbour exceeds is a candidate; its centre is the mean of the votes around it, weighted by the
    square of the map. Of two candidates nearer than `apart`, the surer one stays.

    Parameters
    ----------
    heat : (z, y, x), from 0 to 1;  votes : (3, z, y, x), voxels from the middle of the cell
    diameter, apart : voxels;  stride : voxels a cell;  floor : least value of a candidate

    Returns
    -------
    positions (n, 3) in voxels, confidence (n,), cells (n, 3) of the candidates
    """
    top = (heat == ndimage.maximum_filter(heat, 3, mode="constant")) & (heat > floor)
    at = np.argwhere(top)
    if not len(at):
        return np.empty((0, 3)), np.empty(0), at
    reach = max(1, int(round(0.25 * diameter / stride)))
    ball = np.argwhere(np.ones((2 * reach + 1,) * 3)) - reach
    ball = ball[(ball**2).sum(axis=1) <= reach**2 + 1]
    around = np.clip(at[:, None] + ball, 0, np.array(heat.shape) - 1)
    index = tuple(np.moveaxis(around, -1, 0))
    places = around * stride + (stride - 1) / 2 + np.moveaxis(votes[(slice(None), *index)], 0, -1)
    own = places[:, len(ball) // 2]  # the candidate's vote: `ball` is in order, its middle is no step at all
    weight = heat[index].astype(float) ** 2
    weight *= np.linalg.norm(places - own[:, None], axis=-1) < 0.3 * diameter  # others vote for another sphere
    positions = (places * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
    confidence = heat[tuple(at.T)].astype(float)
    kept = exclusive(positions, confidence, apart)
    return positions[kept], confidence[kept], at[kept]


def exclusive(positions, confidence, apart):
    """Rows that stay when, from the surest on, each removes those nearer than `apart`; in order of the rows."""
    alive, neighbours = np.ones(len(positions), bool), {}
    for i, j in cKDTree(positions).query_pairs(apart) if len(positions) else ():
        neighbours.setdefault(i, []).append(j)
        neighbours.setdefault(j, []).append(i)
    order = np.lexsort((np.arange(len(positions)), -np.asarray(confidence)))
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    for i in order:
        if alive[i]:
            for j in neighbours.get(i, ()):
                if rank[j] > rank[i]:
                    alive[j] = False
    return np.flatnonzero(alive)
