"""Draws from the posterior of all spheres of a volume: how many there are, where, and how bright each is.

Prior: hard spheres that are exchanged with a reservoir of the activity of the volume fraction (Carnahan & Starling
1969), normal amplitudes. Likelihood: the model that the images are made by, with normal noise. A Markov chain moves,
adds and removes spheres (Metropolis et al. 1953; Green 1995, Biometrika 82:711); amplitudes are drawn from their normal
conditional law, and integrated over where a place is judged.

The true spheres are themselves a draw from the posterior. A chain that begins with them needs no time to find it, and
as long as it runs its states are draws from the posterior, the nearer to the truth the shorter it is.

The image is compared in bins of a fifth of a diameter, wider where the blur is, and a sphere's picture comes from a
table of places within a bin. Spheres with their centre outside of the volume stay where they are.
Indices and lengths are in voxels, axes z, y, x.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.colloids.imaging import blur, draw_spheres
from blurbench.colloids.least_squares import Model
from blurbench.microscopy.random_streams import normal, uniform

BIN, BLURRED = 0.2, 0.5  # side of a bin: diameters, or SDs of the point-spread function where that is more
PLACES = 4  # of a sphere along each side of a bin
SEEN = 3  # SDs of the point-spread function beyond a sphere's surface at which its picture ends
NEAREST, FARTHEST = 0.02, 1.0  # diameters: about the lengths of the moves that are tried
TOUCH = 1e-4  # share of the contact distance by which rounded positions may overlap


class Pictures(NamedTuple):
    """Blurred spheres of light one, on bins.

    bins : (3,) int, voxels a bin
    table : float32 (PLACES, PLACES, PLACES, z, y, x), by where the centre lies in the bin in the middle
    radius : of the spheres
    """

    bins: np.ndarray
    table: np.ndarray
    radius: float


def pictures(diameter, psf) -> Pictures:
    """Pictures of a sphere at every place within a bin.

    diameter : voxels;  psf : `psf.Psf`
    """
    bins = np.maximum(np.rint(np.maximum(BIN * diameter, BLURRED * psf.sigma)), 1).astype(int)
    half = np.ceil((diameter / 2 + 1 + SEEN * psf.sigma) / bins).astype(int)
    sides, radius = 2 * half + 1, diameter / 2
    table = np.empty((PLACES,) * 3 + tuple(sides), np.float32)
    for place in np.ndindex(table.shape[:3]):
        centre = (half + (np.array(place) + 0.5) / PLACES) * bins - 0.5
        canvas = np.zeros(sides * bins + 2 * psf.reach, np.float32)
        nowhere = np.full(3, 1e9)  # the period of the packing that draw_spheres allows for
        draw_spheres(canvas, -psf.reach, centre[None], np.array([radius]), np.ones(1), nowhere, sides * bins)
        table[place] = _binned(blur(canvas, psf), bins).mean(axis=(1, 3, 5))
    return Pictures(bins, table, radius)


def _binned(image, bins):
    """Voxels (z, y, x), of which there are whole bins, as (z bins, in a bin, y bins, in a bin, x bins, in a bin)."""
    return image.reshape([m for n, b in zip(image.shape, bins) for m in (n // b, b)])


def log_activity(phi, diameter) -> float:
    """Logarithm of the activity of hard spheres, per voxel: Carnahan & Starling 1969, J. Chem. Phys. 51:635."""
    excess = (8 * phi - 9 * phi**2 + 3 * phi**3) / (1 - phi) ** 3
    return math.log(6 * phi / (math.pi * diameter**3)) + excess


def draws(photons, centres, radii, scene, known: Pictures, sweeps, every, random):
    """States of a chain that begins at the truth.

    Parameters
    ----------
    photons : (z, y, x);  centres : (n, 3), radii : (n,), the true spheres, all that touch the volume
    scene : `least_squares.Scene`
    known : what `pictures` gave
    sweeps : of the chain, each about as many moves as there are spheres;  every : sweeps from one state to the next
    random : state of a stream (`random_streams.stream`), which goes on

    Returns
    -------
    list of (m, 3), the centres within the volume in each state
    """
    shape = np.array(photons.shape)
    model = Model(shape, 2 * known.radius, scene)
    light = np.full(len(centres), float(scene.contrast))
    drawn = model.expected(model.spheres(centres, radii, light))
    weight = (1 / (np.maximum(drawn, 1e-3 * scene.contrast) + scene.read_noise**2)).astype(np.float32)
    beyond = model.outside(photons - drawn, weight)
    inside = ((centres >= -0.5) & (centres <= shape - 0.5)).all(axis=1)
    fixed = model.spheres(centres[~inside], radii[~inside], light[~inside])
    rest = photons - model.expected(fixed + beyond)
    # A bin: the mean of its voxels weighted by their noise. Bins that reach out of the volume have fewer voxels.
    fill = [(0, -n % b) for n, b in zip(shape, known.bins)]
    weight, rest = np.pad(weight, fill), np.pad(rest, fill)
    binned_weight = _binned(weight, known.bins).sum(axis=(1, 3, 5))
    binned_rest = _binned(weight * rest, known.bins).sum(axis=(1, 3, 5)) / binned_weight
    kept = np.pad(scene.kept, fill[0], mode="edge").reshape(-1, known.bins[0]).mean(axis=1).astype(np.float32)

    spheres = np.empty((2 * len(centres) + 64, 5))  # z, y, x, radius, amplitude: those that stay first
    n_fixed, n = int((~inside).sum()), len(centres)
    for first, which in ((0, ~inside), (n_fixed, inside)):
        part = spheres[first : first + which.sum()]
        part[:, :3], part[:, 3], part[:, 4] = centres[which], radii[which], scene.contrast
    prior = np.array([scene.contrast, scene.contrast_sd, log_activity(scene.phi, 2 * known.radius)])
    for sphere in spheres[n_fixed:n]:
        _add(binned_rest, known.table, known.bins, known.radius, kept, sphere, -1.0)
    states, moves = [], n - n_fixed + 1  # of a sweep: one number, lest states that make short ones are preferred
    for _ in range(sweeps // every):
        n = _sweeps(
            every, moves, random, spheres, n_fixed, n, binned_rest, binned_weight, kept, known.table, known.bins,
            known.radius, prior, shape,
        )  # fmt: skip
        states.append(spheres[n_fixed:n, :3].copy())
    return states


@njit(cache=True, inline="always")
def _window(bins, table, sphere):
    """Where a sphere's picture begins, bins, and which place in the table is its own."""
    first, place = np.empty(3, np.int64), np.empty(3, np.int64)
    for axis in range(3):
        at = (sphere[axis] + 0.5) / bins[axis]
        own = math.floor(at)
        place[axis] = min(int((at - own) * PLACES), PLACES - 1)
        first[axis] = own - table.shape[3 + axis] // 2
    return first, place


@njit(cache=True, nogil=True, fastmath=True)
def _add(rest, table, bins, radius, kept, sphere, sign):
    """Add `sign` times a sphere's light to `rest`."""
    first, place = _window(bins, table, sphere)
    picture = table[place[0], place[1], place[2]]
    light = sign * sphere[4] * (sphere[3] / radius) ** 3
    z0, y0, x0 = first
    low, high = max(-x0, 0), min(rest.shape[2] - x0, picture.shape[2])
    for i in range(max(-z0, 0), min(rest.shape[0] - z0, picture.shape[0])):
        share = np.float32(light * kept[z0 + i])
        for j in range(max(-y0, 0), min(rest.shape[1] - y0, picture.shape[1])):
            row, line = rest[z0 + i, y0 + j], picture[i, j]
            for k in range(low, high):
                row[x0 + k] += share * line[k]


@njit(cache=True, nogil=True, fastmath=True)
def _amplitude(rest, weight, table, bins, radius, kept, sphere, prior):
    """Log evidence of a sphere there against none, mean and SD of its amplitude."""
    first, place = _window(bins, table, sphere)
    picture = table[place[0], place[1], place[2]]
    size = (sphere[3] / radius) ** 3
    z0, y0, x0 = first
    low, high = max(-x0, 0), min(rest.shape[2] - x0, picture.shape[2])
    linear, square = 0.0, 0.0
    for i in range(max(-z0, 0), min(rest.shape[0] - z0, picture.shape[0])):
        a, b = np.float32(0), np.float32(0)
        for j in range(max(-y0, 0), min(rest.shape[1] - y0, picture.shape[1])):
            row, heavy, line = rest[z0 + i, y0 + j], weight[z0 + i, y0 + j], picture[i, j]
            for k in range(low, high):
                one = heavy[x0 + k] * line[k]
                a += one * row[x0 + k]
                b += one * line[k]
        share = kept[z0 + i] * size
        linear += share * a
        square += share * share * b
    mean, sd = prior[0], prior[1]
    precision = square + 1 / sd**2
    found = (linear + mean / sd**2) / precision
    evidence = 0.5 * precision * found**2 - 0.5 * (mean / sd) ** 2 - 0.5 * math.log(precision * sd**2)
    return evidence, found, precision**-0.5


@njit(cache=True, nogil=True)
def _free(spheres, n, but, sphere):
    """Whether a sphere overlaps none of the first n, that of number `but` left out."""
    for j in range(n):
        if j != but:
            touch = (sphere[3] + spheres[j, 3]) * (1 - TOUCH)
            square = (sphere[0] - spheres[j, 0]) ** 2 + (sphere[1] - spheres[j, 1]) ** 2
            if square < touch * touch and square + (sphere[2] - spheres[j, 2]) ** 2 < touch * touch:
                return False
    return True


@njit(cache=True, nogil=True)
def _sweeps(sweeps, moves, s, spheres, n_fixed, n, rest, weight, kept, table, bins, radius, prior, shape):
    """Sweeps in place; returns the number of spheres at their end."""
    volume = float(shape[0] * shape[1] * shape[2])
    diameter, new = 2 * radius, np.empty(5)
    for _ in range(sweeps):
        for _ in range(moves if n > n_fixed else 0):  # one in two along z alone, where the image says least
            i = n_fixed + int(uniform(s) * (n - n_fixed))
            length = diameter * NEAREST * (FARTHEST / NEAREST) ** uniform(s)
            flat = 0.0 if uniform(s) < 0.5 else length
            _put(new, spheres[i], 5)
            new[0] += length * normal(s)
            new[1] += flat * normal(s)
            new[2] += flat * normal(s)
            if not _within(new, shape) or not _free(spheres, n, i, new):
                continue
            _add(rest, table, bins, radius, kept, spheres[i], 1.0)
            here = _amplitude(rest, weight, table, bins, radius, kept, spheres[i], prior)
            there = _amplitude(rest, weight, table, bins, radius, kept, new, prior)
            if math.log(uniform(s)) < there[0] - here[0]:
                _put(spheres[i], new, 3)
                here = there
            spheres[i, 4] = here[1] + here[2] * normal(s)
            _add(rest, table, bins, radius, kept, spheres[i], -1.0)
        for _ in range(moves // 2 + 1):
            odds = prior[2] + math.log(volume)  # of one sphere more, without an image
            if uniform(s) < 0.5:
                if n == len(spheres):
                    continue
                for axis in range(3):
                    new[axis] = uniform(s) * shape[axis] - 0.5
                new[3] = radius
                if not _free(spheres, n, -1, new):
                    continue
                evidence, mean, sd = _amplitude(rest, weight, table, bins, radius, kept, new, prior)
                if math.log(uniform(s)) < odds - math.log(n - n_fixed + 1) + evidence:
                    new[4] = mean + sd * normal(s)
                    _put(spheres[n], new, 5)
                    _add(rest, table, bins, radius, kept, new, -1.0)
                    n += 1
            elif n > n_fixed:
                i = n_fixed + int(uniform(s) * (n - n_fixed))
                _add(rest, table, bins, radius, kept, spheres[i], 1.0)
                evidence, mean, sd = _amplitude(rest, weight, table, bins, radius, kept, spheres[i], prior)
                if math.log(uniform(s)) < math.log(n - n_fixed) - odds - evidence:
                    _put(spheres[i], spheres[n - 1], 5)
                    n -= 1
                else:
                    spheres[i, 4] = mean + sd * normal(s)
                    _add(rest, table, bins, radius, kept, spheres[i], -1.0)
    return n


@njit(cache=True, inline="always")
def _put(to, of, n):
    """Write the first n numbers; numba compiles an assignment of arrays for a second each time."""
    for a in range(n):
        to[a] = of[a]


@njit(cache=True, inline="always")
def _within(sphere, shape):
    for axis in range(3):
        if not -0.5 <= sphere[axis] <= shape[axis] - 0.5:
            return False
    return True
