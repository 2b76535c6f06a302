"""Specimens: where fluorophores are and what absorbs, on a canvas of voxels.

A specimen is an ellipsoid about the middle of the volume, and beyond it there is nothing. Nuclei are ellipsoids in a
random packing, membranes the faces of the Voronoi cells of one; both have a grain, and differ in brightness. The tissue
around them glows and absorbs, more in one place than in another; absorbers are balls that the sheet's light hardly
passes.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.spatial.transform import Rotation

from blurbench.fusion.gaussian import smooth

NEAREST = {"nuclei": 0.85, "membranes": 0.6}  # of two centres, in cell diameters
TRIES = 30  # places for a cell before it is left out
ELONGATION = 0.15  # SD of the logarithm of a nucleus's axes
GRAIN_UM = 0.35  # SD of the Gaussian that makes the grain of white noise
MEMBRANE_UM = 0.15  # SD of a membrane's profile
EDGE_UM = 2.0  # over which tissue begins
COARSE = 2.0  # cell diameters from node to node of what varies from place to place
FARTHEST = 1.5  # cell diameters to the second centre beyond which no membrane is looked for


class Scene(NamedTuple):
    """A specimen on a canvas, each (z, y, x) float32.

    structures : fluorophores of nuclei or membranes, 1 in a structure of the usual brightness
    tissue : absorption and autofluorescence of what is around, of mean 1 inside of many specimens
    absorbers : absorption of the sheet's light by absorbers, 1/µm
    """

    structures: np.ndarray
    tissue: np.ndarray
    absorbers: np.ndarray


def scene(channel: str, drawn: dict, canvas, rng: np.random.Generator) -> Scene:
    """A specimen.

    Parameters
    ----------
    channel : "nuclei" or "membranes";  drawn : of `studies.drawn`;  canvas : `canvas.Canvas`
    """
    diameter, shape, pitch_um = drawn["cell_diameter_um"], canvas.shape, np.asarray(canvas.pitch_um)
    sides = np.asarray(shape) * pitch_um
    radii = drawn["specimen"] / 2 * np.asarray(canvas.volume) * (canvas.planes, 1, 1) * pitch_um
    places = packing(sides, diameter, drawn["density"], NEAREST[channel], rng)
    places = places[np.square((places - sides / 2) / radii).sum(axis=1) < 1]
    draw = _nuclei if channel == "nuclei" else _membranes
    structures = draw(places, drawn, shape, pitch_um, rng)
    if drawn["texture"]:
        grain = smooth(rng.standard_normal(shape, np.float32), GRAIN_UM / pitch_um)
        structures *= np.maximum(1 + drawn["texture"] / grain.std() * grain, 0)
    inside = _inside(radii, shape, pitch_um)
    tissue = inside * _uneven(sides, diameter * COARSE, drawn["tissue_contrast"], shape, rng)
    absorbers = inside * _absorbers(sides, drawn, shape, pitch_um, rng)
    return Scene(structures if channel == "nuclei" else inside * structures, tissue, absorbers)


def _inside(radii_um, shape, pitch_um):
    """Whether a voxel is in an ellipsoid about the middle of the canvas, (z, y, x) float32; its edge is soft."""
    parts = [((np.arange(n) + 0.5 - n / 2) * side / radius) ** 2 for n, side, radius in zip(shape, pitch_um, radii_um)]
    away = np.sqrt(parts[0][:, None, None] + parts[1][:, None] + parts[2]).astype(np.float32)
    return np.clip((1 - away) * np.float32(radii_um[2] / EDGE_UM) + np.float32(0.5), 0, 1)


def packing(sides, diameter, density, nearest, rng):
    """Centres of cells, (n, 3) µm, placed one after the other nowhere near another one (random sequential addition).

    Parameters
    ----------
    sides : (3,) µm, of the canvas; cells stand up to a radius beyond it
    density : share of the volume that cells of that diameter take; a dense packing may hold less
    nearest : of two centres, in diameters
    """
    low, high = -0.5 * diameter * np.ones(3), np.asarray(sides) + 0.5 * diameter
    n = round(density * np.prod(high - low) / (math.pi / 6 * diameter**3))
    tries = rng.uniform(low, high, (n * TRIES, 3)).reshape(n, TRIES, 3)
    return _packed(tries, (nearest * diameter) ** 2)


@njit(cache=True)
def _square(a, b):
    """Squared distance of two places (3,)."""
    z, y, x = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return z * z + y * y + x * x


@njit(cache=True)
def _packed(tries, least):
    """Of each cell's tries (n, tries, 3) the first that is not nearer than √least to a cell before it."""
    placed, n = np.empty((tries.shape[0], 3)), 0
    for cell in tries:
        for place in cell:
            free = True
            for i in range(n):
                if _square(placed[i], place) < least:
                    free = False
                    break
            if free:
                placed[n, 0], placed[n, 1], placed[n, 2] = place
                n += 1
                break
    return placed[:n]


def _brightness(n, spread, rng):
    """Light of n structures, of mean 1 and a relative SD, uniform."""
    return 1 + spread * math.sqrt(3) * rng.uniform(-1, 1, n)


def _nuclei(places, drawn, shape, pitch_um, rng):
    n, radius = len(places), drawn["cell_diameter_um"] / 2
    axes = radius * np.exp(ELONGATION * rng.standard_normal((n, 3)))
    turns = Rotation.random(n, rng=rng).as_matrix() if n else np.empty((0, 3, 3))
    canvas = np.zeros(shape, np.float32)
    light = _brightness(n, drawn["brightness_sd"], rng)
    # Along the rows of a matrix the axes of an ellipsoid, so that it makes a unit ball of it.
    _ellipsoids(canvas, places, turns / axes[:, :, None], axes, light, np.asarray(pitch_um, float))
    return canvas


@njit(cache=True)
def _ellipsoids(canvas, places, shrink, axes, light, pitch):
    """Draw ellipsoids, the brightest where they meet; at its surface one fades over a voxel.

    canvas : float32 (z, y, x);  places : (n, 3) µm;  shrink : (n, 3, 3), 1/µm, to a unit ball;  axes : (n, 3) µm
    """
    for i in range(len(places)):
        reach = max(axes[i, 0], axes[i, 1], axes[i, 2]) + max(pitch[0], pitch[1], pitch[2])
        edge, m = (axes[i, 0] + axes[i, 1] + axes[i, 2]) / 3 / pitch[2], shrink[i]
        low, high = np.empty(3, np.int64), np.empty(3, np.int64)
        for axis in range(3):
            low[axis] = max(math.ceil((places[i, axis] - reach) / pitch[axis]), 0)
            high[axis] = min(math.floor((places[i, axis] + reach) / pitch[axis]) + 1, canvas.shape[axis])
        for z in range(low[0], high[0]):
            dz = z * pitch[0] - places[i, 0]
            for y in range(low[1], high[1]):
                dy = y * pitch[1] - places[i, 1]
                for x in range(low[2], high[2]):
                    dx = x * pitch[2] - places[i, 2]
                    u = m[0, 0] * dz + m[0, 1] * dy + m[0, 2] * dx
                    v = m[1, 0] * dz + m[1, 1] * dy + m[1, 2] * dx
                    w = m[2, 0] * dz + m[2, 1] * dy + m[2, 2] * dx
                    inside = (1 - math.sqrt(u * u + v * v + w * w)) * edge + 0.5
                    if inside > 0:
                        canvas[z, y, x] = max(canvas[z, y, x], light[i] * min(inside, 1.0))


def _membranes(places, drawn, shape, pitch_um, rng):
    n, pitch = len(places), np.asarray(pitch_um, float)
    canvas = np.zeros(shape, np.float32)
    light = _brightness(n, drawn["brightness_sd"], rng)
    # A voxel holds the mean of what is in it: the profile of a membrane is as wide as both together.
    width = math.hypot(MEMBRANE_UM, pitch[2] / math.sqrt(12))
    _faces(canvas, places, light, pitch, FARTHEST * drawn["cell_diameter_um"], width, MEMBRANE_UM / width)
    return canvas


@njit(cache=True)
def _faces(canvas, places, light, pitch, farthest, width, peak):
    """Draw the faces between Voronoi cells, each as bright as the two cells on the mean.

    canvas : float32 (z, y, x);  places : (n, 3) µm;  width, peak : SD (µm) and height of a face's profile
    """
    nz, ny, nx = canvas.shape
    first, second = np.empty(nx), np.empty(nx)  # squared distances to the two nearest centres
    one, other = np.empty(nx, np.int64), np.empty(nx, np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                first[x] = second[x] = farthest**2
                one[x] = other[x] = -1
            for i in range(len(places)):
                off = (z * pitch[0] - places[i, 0]) ** 2 + (y * pitch[1] - places[i, 1]) ** 2
                if off >= farthest**2:
                    continue
                half = math.sqrt(farthest**2 - off)
                low = max(math.ceil((places[i, 2] - half) / pitch[2]), 0)
                high = min(math.floor((places[i, 2] + half) / pitch[2]) + 1, nx)
                for x in range(low, high):
                    square = off + (x * pitch[2] - places[i, 2]) ** 2
                    if square < first[x]:
                        second[x], other[x] = first[x], one[x]
                        first[x], one[x] = square, i
                    elif square < second[x]:
                        second[x], other[x] = square, i
            for x in range(nx):
                a, b = one[x], other[x]
                if a >= 0 and b >= 0:
                    apart = math.sqrt(_square(places[a], places[b]))
                    away = (second[x] - first[x]) / (2 * apart * width)  # from the face, in SDs
                    if away < 4:
                        canvas[z, y, x] = peak * (light[a] + light[b]) / 2 * math.exp(-0.5 * away * away)


def _uneven(sides, node_um, contrast, shape, rng):
    """Lognormal field (z, y, x) of mean 1, its logarithm of SD `contrast`, linear between nodes so far apart."""
    nodes = np.maximum(np.ceil(np.asarray(sides) / node_um).astype(int) + 1, 2)
    field = np.exp(contrast * rng.standard_normal(nodes) - contrast**2 / 2).astype(np.float32)
    for axis, (n, knots) in enumerate(zip(shape, nodes)):
        between = np.stack([np.interp(np.linspace(0, knots - 1, n), np.arange(knots), one) for one in np.eye(knots)], 1)
        field = np.moveaxis(np.tensordot(between.astype(np.float32), field, (1, axis)), 0, axis)
    return np.ascontiguousarray(field)


def _absorbers(sides, drawn, shape, pitch_um, rng):
    """Absorption by balls at random places, 1/µm."""
    n = rng.poisson(drawn["absorbers"] * np.prod(sides) / 1e6)
    radius = drawn["absorber_diameter_um"] / 2
    canvas = np.zeros(shape, np.float32)
    axes, balls = np.full((n, 3), radius), np.tile(np.eye(3) / radius, (n, 1, 1))
    light = np.full(n, drawn["absorber_depth"] / (2 * radius))
    _ellipsoids(canvas, rng.uniform(0, sides, (n, 3)), balls, axes, light, np.asarray(pitch_um, float))
    return canvas
