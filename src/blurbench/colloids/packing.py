"""Equilibrium packings of hard spheres in a periodic box.

Random points are pushed apart until no two spheres overlap, which is quick but leaves far too many pairs in touch (a
contact value of 13 instead of 6 at a volume fraction of 0.5). Metropolis Monte Carlo then forgets this start. Above the
freezing line of 0.494 the fluid is metastable; nothing here lets it crystallise on purpose or keeps it from it, so the
fraction of crystal is measured (`physics.bond_order`).

Start and moves know no origin and no axis but those of the box: a random shift, or a turn by one of the symmetries of
the box, would give another packing of the same law and is left out.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtri

from blurbench.colloids.configuration import LARGEST_PHI
from blurbench.microscopy.random_streams import key, stream, uniform

START, MOVES = range(2)  # purposes of a packing's random streams
# Volume fractions; half the side of the cube of trial moves, diameters; sweeps. About every second trial succeeds. The
# sweeps bring the contact value within 1 % of its limit up to 0.5, and within 3 % at 0.55.
PHI = (0.0, 0.1, 0.3, 0.45, 0.5, 0.55)
STEP = (0.5, 0.5, 0.25, 0.12, 0.09, 0.06)
SWEEPS = (400, 400, 400, 1000, 4000, 20000)
SKIN = 0.6  # diameters by which the lists of neighbours reach beyond contact
SHELLS, SHELL = 15, 0.01  # shells beyond contact in which pairs are counted, and their thickness in diameters
SNAPSHOTS = 32  # configurations of the second half of a run over which they are counted
QUENCH_STEPS = 20000


class Packing(NamedTuple):
    """One run: centres (n, 3) in [0, box), diameters (n,), box (3,), all in the caller's unit of length.

    nearest : smallest distance of two centres over the mean diameter of the two
    contact : g(σ+), over SNAPSHOTS configurations of the run
    """

    centres: np.ndarray
    diameters: np.ndarray
    box: np.ndarray
    nearest: float
    contact: float


def hard_spheres(phi, box, diameter, seed, polydispersity=0.0):
    """Centres (n, 3) of an equilibrated packing; parameters of `pack`."""
    return pack(phi, box, diameter, seed, polydispersity).centres


def pack(phi, box, diameter, seed, polydispersity=0.0) -> Packing:
    """Equilibrated packing of hard spheres in a periodic box.

    Parameters
    ----------
    phi : volume fraction, as near as a whole number of spheres comes to it (see `fitted_box`)
    box : side or three sides, in the unit of `diameter`
    diameter : mean diameter
    seed : int or str; the same one gives the same packing on any number of threads
    polydispersity : relative standard deviation of the diameters, the quantiles of a normal law

    Raises
    ------
    ValueError for a volume fraction outside (0, LARGEST_PHI] or a side below three diameters.
    """
    sides = np.broadcast_to(np.asarray(box, float) / diameter, 3).copy()
    if not 0 < phi <= LARGEST_PHI:
        raise ValueError(f"phi: {phi!r} was found, above 0 and at most {LARGEST_PHI} was expected")
    if not sides.min() >= 3:
        raise ValueError(f"box: a side of {sides.min():.3g} diameters was found, at least 3 were expected")
    n = max(round(_number(phi, sides, polydispersity)), 1)
    sizes = 1 + polydispersity * ndtri((np.arange(n) + 0.5) / n)
    step = float(np.interp(phi, PHI, STEP))
    sweeps = round(float(np.exp(np.interp(phi, PHI, np.log(SWEEPS)))))
    stream_key = key("packing", seed)
    centres = _apart(stream(stream_key, 0, START), n, sides, sizes, sizes.max())
    counts = _equilibrate(stream(stream_key, 0, MOVES), centres, sides, sizes, sizes.max(), step, sweeps)
    contact = contact_from_pairs(counts / SNAPSHOTS, n, sides.prod(), sizes)
    return Packing(centres * diameter, sizes * diameter, sides * diameter, _nearest(centres, sides, sizes), contact)


def nothing(box) -> Packing:
    """A box (3,) without spheres."""
    return Packing(np.empty((0, 3)), np.empty(0), np.asarray(box, float), math.inf, math.nan)


def fitted_box(phi, shortest, diameter, polydispersity=0.0):
    """Box (3,) a little larger than the sides `shortest`, of which a whole number of spheres fills just `phi`."""
    sides = np.broadcast_to(np.asarray(shortest, float), 3)
    n = _number(phi, sides / diameter, polydispersity)
    return sides * (math.ceil(n) / n) ** (1 / 3)


def number(phi, sides, polydispersity=0.0) -> int:
    """Spheres in a `fitted_box` of at least these sides, which are in diameters."""
    return math.ceil(_number(phi, sides, polydispersity))


def _number(phi, sides, polydispersity):
    """Number of spheres, not yet whole; sides in diameters."""
    return phi * np.prod(sides) / (math.pi / 6 * (1 + 3 * polydispersity**2))


def contact_from_pairs(counts, n, volume, sizes):
    """g(σ+) from the pairs counted in shells beyond contact: ln g, a parabola there, fitted as Poisson counts.

    So shells of few pairs, or of none, count as what they are; the bias is below 1 % (test). Weak priors on slope and
    curvature, standard deviations of 30 and 300, bear on a handful of pairs only.

    Parameters
    ----------
    counts : (SHELLS,) pairs whose distance over their mean diameter is in 1 + SHELL · [k, k + 1), per configuration
    n : number of spheres in `volume`, in diameters³;  sizes : (n,) diameters

    Returns
    -------
    float; NaN if no pair was counted.
    """
    if not np.sum(counts):
        return math.nan
    edges = 1 + SHELL * np.arange(SHELLS + 1)
    mean_cube = np.mean(sizes) ** 3 * (1 + 1.5 * (np.std(sizes) / np.mean(sizes)) ** 2)  # of the mean of two diameters
    expected = n * (n - 1) / 2 * 4 / 3 * math.pi * np.diff(edges**3) * mean_cube / volume
    x = (edges[:-1] + edges[1:]) / 2 - 1
    design, prior = np.stack([x**0, x, x**2], axis=1), np.array([0, 1 / 30**2, 1 / 300**2])
    fit = np.array([math.log(np.sum(counts) / np.sum(expected)), 0.0, 0.0])
    for _ in range(50):  # Newton's method
        mean = expected * np.exp(design @ fit)
        step = np.linalg.solve(design.T * mean @ design + np.diag(prior), design.T @ (counts - mean) - prior * fit)
        fit += step
        if np.abs(step[0]) < 1e-9:
            break
    return float(np.exp(fit[0]))


@njit(cache=True, inline="always")
def _cell(x, side, cells):
    return min(int(x / side * cells), cells - 1)


@njit(cache=True, inline="always")
def _round_the_box(cell, cells):
    return cell + cells if cell < 0 else (cell - cells if cell >= cells else cell)


@njit(cache=True)
def _lists(centres, sides, reach):
    """Neighbours of each sphere nearer than `reach`: those of sphere i are `others[first[i] : first[i + 1]]`."""
    n = len(centres)
    z_side, y_side, x_side = sides
    nz, ny, nx = max(1, int(z_side / reach)), max(1, int(y_side / reach)), max(1, int(x_side / reach))
    start = np.zeros(nz * ny * nx + 1, np.int64)
    cell = np.empty(n, np.int64)
    for i in range(n):
        z, y, x = centres[i, 0], centres[i, 1], centres[i, 2]
        cell[i] = (_cell(z, z_side, nz) * ny + _cell(y, y_side, ny)) * nx + _cell(x, x_side, nx)
        start[cell[i] + 1] += 1
    for c in range(nz * ny * nx):
        start[c + 1] += start[c]
    # The spheres of a cell lie side by side.
    filled, order, ordered = start[:-1].copy(), np.empty(n, np.int32), np.empty((n, 3))
    for i in range(n):
        k = filled[cell[i]]
        filled[cell[i]] += 1
        order[k] = i
        ordered[k, 0], ordered[k, 1], ordered[k, 2] = centres[i, 0], centres[i, 1], centres[i, 2]
    # Along an axis of fewer than three cells the neighbouring ones coincide: each is visited once.
    z_first, z_stop = -1 if nz > 2 else 0, min(nz, 2)
    y_first, y_stop = -1 if ny > 2 else 0, min(ny, 2)
    x_first, x_stop = -1 if nx > 2 else 0, min(nx, 2)
    fullest = 0
    for c in range(nz * ny * nx):
        fullest = max(fullest, start[c + 1] - start[c])
    first, others = np.zeros(n + 1, np.int64), np.empty(27 * n * fullest, np.int32)
    m, square = 0, reach * reach
    for i in range(n):
        z, y, x = centres[i, 0], centres[i, 1], centres[i, 2]
        own_z, own_y, own_x = cell[i] // (ny * nx), cell[i] // nx % ny, cell[i] % nx
        for oz in range(z_first, z_stop):
            cz = _round_the_box(own_z + oz, nz)
            for oy in range(y_first, y_stop):
                cy = _round_the_box(own_y + oy, ny)
                for ox in range(x_first, x_stop):
                    c = (cz * ny + cy) * nx + _round_the_box(own_x + ox, nx)
                    for k in range(start[c], start[c + 1]):
                        dz, dy, dx = abs(z - ordered[k, 0]), abs(y - ordered[k, 1]), abs(x - ordered[k, 2])
                        dz, dy, dx = min(dz, z_side - dz), min(dy, y_side - dy), min(dx, x_side - dx)
                        others[m] = order[k]  # overwritten unless it counts: no branch to mispredict
                        m += np.int64((dz * dz + dy * dy + dx * dx < square) & (order[k] != i))
        first[i + 1] = m
    return first, others


@njit(cache=True)
def _wrap(x, side):
    x -= side * math.floor(x / side)
    return x if x < side else 0.0


@njit(cache=True)
def _apart(s, n, sides, sizes, largest):
    """Random points pushed apart until no two spheres overlap: gradient descent with momentum on harmonic overlaps."""
    centres = np.empty((n, 3))
    for i in range(n):
        for axis in range(3):
            centres[i, axis] = uniform(s) * sides[axis]
    velocity = np.zeros((n, 3))
    moved = np.zeros((n, 3))
    swollen, skin = 1.001, 0.2
    reach = swollen * largest + skin
    first, others = _lists(centres, sides, reach)
    for _ in range(QUENCH_STEPS):
        for i in range(n):
            for axis in range(3):
                velocity[i, axis] *= 0.9
        overlap = False
        for i in range(n):
            for k in range(first[i], first[i + 1]):
                j = others[k]
                if j > i:
                    dz, dy, dx = (
                        centres[i, 0] - centres[j, 0],
                        centres[i, 1] - centres[j, 1],
                        centres[i, 2] - centres[j, 2],
                    )
                    dz -= sides[0] * round(dz / sides[0])
                    dy -= sides[1] * round(dy / sides[1])
                    dx -= sides[2] * round(dx / sides[2])
                    square = dz * dz + dy * dy + dx * dx
                    touch = 0.5 * (sizes[i] + sizes[j])
                    overlap |= square < touch * touch
                    if square < (swollen * touch) ** 2 and square > 0.0:
                        r = math.sqrt(square)
                        push = 0.15 * (swollen * touch / r - 1.0)
                        velocity[i, 0] += push * dz
                        velocity[i, 1] += push * dy
                        velocity[i, 2] += push * dx
                        velocity[j, 0] -= push * dz
                        velocity[j, 1] -= push * dy
                        velocity[j, 2] -= push * dx
        if not overlap:
            return centres
        furthest = 0.0
        for i in range(n):
            way = 0.0
            for axis in range(3):
                centres[i, axis] = _wrap(centres[i, axis] + velocity[i, axis], sides[axis])
                moved[i, axis] += velocity[i, axis]
                way += moved[i, axis] ** 2
            furthest = max(furthest, way)
        if furthest > (0.5 * skin) ** 2:
            first, others = _lists(centres, sides, reach)
            moved[:] = 0.0
    raise RuntimeError("packing: random points could not be pushed apart")


@njit(cache=True)
def _equilibrate(s, centres, sides, sizes, largest, step, sweeps):
    """Metropolis sweeps in place; returns the pairs in shells beyond contact, summed over SNAPSHOTS configurations."""
    n = len(centres)
    counts = np.zeros(SHELLS)
    skin = max(SKIN, 4.0 * step)  # no single move leaves the reach of fresh lists
    reach, furthest = largest + skin, (0.5 * skin) ** 2
    z_side, y_side, x_side = sides
    at = np.empty((n, 4))  # centre and radius side by side in memory; `centres` keeps where the lists were made
    for i in range(n):
        at[i, 0], at[i, 1], at[i, 2], at[i, 3] = centres[i, 0], centres[i, 1], centres[i, 2], 0.5 * sizes[i]
    first, others = _lists(centres, sides, reach)
    every = max(1, sweeps // (2 * SNAPSHOTS))
    for sweep in range(sweeps):
        for i in range(n):
            mz, my, mx = uniform(s) - 0.5, uniform(s) - 0.5, uniform(s) - 0.5
            z, y, x = at[i, 0] + 2.0 * step * mz, at[i, 1] + 2.0 * step * my, at[i, 2] + 2.0 * step * mx
            if (z - centres[i, 0]) ** 2 + (y - centres[i, 1]) ** 2 + (x - centres[i, 2]) ** 2 > furthest:
                _settle(centres, at, sides)
                first, others = _lists(centres, sides, reach)
                z, y, x = at[i, 0] + 2.0 * step * mz, at[i, 1] + 2.0 * step * my, at[i, 2] + 2.0 * step * mx
            if _free(at, others[first[i] : first[i + 1]], z, y, x, at[i, 3], z_side, y_side, x_side):
                at[i, 0], at[i, 1], at[i, 2] = z, y, x
        if (sweeps - 1 - sweep) % every == 0 and (sweeps - 1 - sweep) // every < SNAPSHOTS:
            _settle(centres, at, sides)
            first, others = _lists(centres, sides, reach)
            _count(counts, centres, sizes, sides, first, others)
    return counts


@njit(cache=True, inline="always")
def _free(at, others, z, y, x, radius, z_side, y_side, x_side):
    """Whether a sphere at z, y, x overlaps none of the others. Minimum image; an axis may be left by half a side."""
    for j in others:
        dz, dy, dx = abs(z - at[j, 0]), abs(y - at[j, 1]), abs(x - at[j, 2])
        dz, dy, dx = min(dz, z_side - dz), min(dy, y_side - dy), min(dx, x_side - dx)
        touch = radius + at[j, 3]
        if dz * dz + dy * dy + dx * dx < touch * touch:
            return False
    return True


@njit(cache=True)
def _settle(centres, at, sides):
    """Bring spheres that have left the box back into it, and note where they are."""
    for i in range(len(at)):
        for axis in range(3):
            at[i, axis] = centres[i, axis] = _wrap(at[i, axis], sides[axis])


@njit(cache=True)
def _distance(centres, sides, i, j):
    """Distance of two spheres, minimum image."""
    square = 0.0
    for axis in range(3):
        d = abs(centres[i, axis] - centres[j, axis])
        d = min(d, sides[axis] - d)
        square += d * d
    return math.sqrt(square)


@njit(cache=True)
def _count(counts, centres, sizes, sides, first, others):
    """Add the pairs in shells beyond contact."""
    for i in range(len(centres)):
        for j in others[first[i] : first[i + 1]]:
            if j > i:
                gap = _distance(centres, sides, i, j) / (0.5 * (sizes[i] + sizes[j])) - 1.0
                shell = int(gap / SHELL)
                if 0 <= shell < SHELLS:
                    counts[shell] += 1.0


@njit(cache=True)
def _nearest(centres, sides, sizes):
    """Smallest distance over the mean diameter of the two; infinite for a single sphere."""
    nearest = np.inf
    for i in range(len(centres)):
        for j in range(i):
            nearest = min(nearest, _distance(centres, sides, i, j) / (0.5 * (sizes[i] + sizes[j])))
    return nearest
