"""Scenes: cells of which each has a nucleus and a body about the same centre, after the SIMCEP model.

An outline is a closed cubic spline through ten points of a circle, each moved along x and y and along the circle; cells
gather about a few places and may overlap a little (Lehmussola et al. 2007, IEEE Trans. Med. Imaging 26:1010).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

from blurbench.microscopy.random_streams import normal, stream, uniform
from blurbench.segmentation.items import STAINS

POINTS, FINE = 10, 100  # of an outline: those that are moved, and those of the polygon that is filled
SPREAD = 0.05  # SD of cells about the middle of their cluster, over the sides of the image
TRIES = 200  # places that are tried for a cell before the scene is taken for full
SMALLEST = 0.5  # of an object's size, over the usual one
OUTLINES, PLACES = 0, 1  # purposes of a scene's random streams


def _spline():
    """Matrix (FINE, POINTS) from points at equal steps to their closed cubic spline."""
    closed = np.vstack([np.eye(POINTS), np.eye(POINTS)[:1]])
    return CubicSpline(np.arange(POINTS + 1), closed, bc_type="periodic")(np.arange(FINE) * POINTS / FINE)


_SPLINE = _spline()


class Scene(NamedTuple):
    """Cells of one scene.

    centres : (cells, 2) px, y and x
    outlines : by stain, (cells, FINE, 2) px, y and x about the centre
    """

    centres: np.ndarray
    outlines: dict


def scene(shape, settings: dict, count: int, stream_key: int, item: int) -> Scene:
    """Cells of a scene: as many as are asked for, or as find a place.

    Parameters
    ----------
    shape : (y, x) px;  settings : the entry's `scene`, with a number for each of its ranges
    stream_key, item : name the random streams
    """
    rng = np.random.default_rng([stream_key, item, OUTLINES])
    found = {stain: outlines(count, settings[stain], rng) for stain in STAINS}
    shared = (float(settings["clustering"]), int(settings["clusters"]), float(settings["overlap"]))
    centres = _placed(found["nuclei"], *shape, *shared, stream(stream_key, item, PLACES))
    return Scene(centres, {stain: lines[: len(centres)] for stain, lines in found.items()})


def outlines(n: int, kind: dict, rng: np.random.Generator) -> np.ndarray:
    """Outlines of n objects about their centres, (n, FINE, 2) px; their mean area is that of a disc of `diameter_px`.

    Parameters
    ----------
    kind : of the objects: `diameter_px`, `size_sd`, `elongation`, `radius_jitter`, `angle_jitter`
    """
    angles = 2 * np.pi * np.arange(POINTS) / POINTS + kind["angle_jitter"] * rng.uniform(-1, 1, (n, POINTS))
    points = np.stack([np.sin(angles), np.cos(angles)], -1)
    points = (points + kind["radius_jitter"] * rng.uniform(-1, 1, points.shape)) / np.sinc(kind["angle_jitter"] / np.pi)
    sizes = np.maximum(1 + kind["size_sd"] * rng.normal(size=n), SMALLEST)
    sizes *= 0.5 * kind["diameter_px"] / np.hypot(1, kind["size_sd"])
    long = np.sqrt(rng.uniform(1, kind["elongation"], n))
    turn = rng.uniform(0, 2 * np.pi, n)
    c, s = np.cos(turn), np.sin(turn)
    turned = np.stack([np.stack([c * long, -s / long], -1), np.stack([s * long, c / long], -1)], -2)
    found = np.einsum("fk,nkd,ned,n->nfe", _SPLINE, points, turned, sizes, optimize=True)
    return np.ascontiguousarray(found, np.float32)  # in whatever order einsum left it, one type to numba


def reach(outlines: np.ndarray) -> int:
    """Pixels from the one at a centre within which every outline stays."""
    return int(np.ceil(np.abs(outlines).max(initial=0))) + 1


@njit(cache=True)
def fill(outline, y, x, mask):
    """Set `mask` (rows, columns) uint8 to 1 where a pixel's centre lies within the outline about (y, x), else to 0."""
    mask[:] = 0
    for k in range(len(outline)):
        y0, x0, y1, x1 = outline[k - 1, 0] + y, outline[k - 1, 1] + x, outline[k, 0] + y, outline[k, 1] + x
        if y0 > y1:
            y0, x0, y1, x1 = y1, x1, y0, x0
        for row in range(max(int(np.ceil(y0)), 0), min(int(np.ceil(y1)), mask.shape[0])):
            first = int(np.ceil(x0 + (row - y0) * (x1 - x0) / (y1 - y0)))
            for column in range(max(first, 0), mask.shape[1]):
                mask[row, column] ^= 1


def _placed(outlines, height, width, clustering, clusters, overlap, s):
    return _place(outlines, reach(outlines), height, width, clustering, clusters, overlap, s)


@njit(cache=True)
def _place(outlines, reach, height, width, clustering, clusters, overlap, s):
    """Centres of cells, (placed, 2): of no two does the overlap exceed the share `overlap` of either's area."""
    n, side = len(outlines), 2 * reach + 1
    middles = np.empty((clusters, 2))
    for k in range(clusters):
        middles[k, 0], middles[k, 1] = uniform(s) * height, uniform(s) * width
    centres, corners = np.empty((n, 2)), np.empty((n, 2), np.int64)
    masks, areas = np.empty((n, side, side), np.uint8), np.empty(n)
    for i in range(n):
        for _ in range(TRIES):
            y, x = _somewhere(middles, height, width, clustering, s)
            corners[i, 0], corners[i, 1] = round(y) - reach, round(x) - reach
            fill(outlines[i], y - corners[i, 0], x - corners[i, 1], masks[i])
            areas[i] = _common(masks[i], masks[i], corners[i], corners[i])
            free = True
            for j in range(i):
                if _common(masks[i], masks[j], corners[i], corners[j]) > overlap * min(areas[i], areas[j]):
                    free = False
                    break
            if free:
                centres[i, 0], centres[i, 1] = y, x
                break
        else:
            return centres[:i]
    return centres


@njit(cache=True)
def _somewhere(middles, height, width, clustering, s):
    """A place within the image: anywhere, or near the middle of a cluster."""
    if uniform(s) >= clustering:
        return uniform(s) * height - 0.5, uniform(s) * width - 0.5
    k = int(uniform(s) * len(middles))
    while True:
        y, x = middles[k, 0] + SPREAD * height * normal(s), middles[k, 1] + SPREAD * width * normal(s)
        if 0 <= y < height and 0 <= x < width:
            return y - 0.5, x - 0.5


@njit(cache=True)
def _common(a, b, a_corner, b_corner):
    """Pixels that two masks of one size have in common; each by the place (row, column) of its first pixel."""
    side, common = len(a), 0
    down, right = b_corner[0] - a_corner[0], b_corner[1] - a_corner[1]
    for row in range(max(0, down), min(side, side + down)):
        for column in range(max(0, right), min(side, side + right)):
            common += a[row, column] & b[row - down, column - right]
    return common
