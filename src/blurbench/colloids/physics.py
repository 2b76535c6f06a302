"""Hard-sphere fluids: what theory says of their structure, and how it is measured from centres.

σ is the sphere diameter, φ the volume fraction, ρ = 6φ/(πσ³) the number density.
"""

import math

import numpy as np
from numba import njit
from scipy.fft import dst
from scipy.spatial import cKDTree

CRYSTAL = 0.3  # averaged bond order q̄6 above which a sphere counts as crystal; 0.19 in the fluid at φ = 0.55
NEIGHBOURS = 12
_POINTS, _Q_STEP = 1 << 15, 0.02  # of the transform of S(q): up to q = 655/σ, g(r) on a grid of 0.005 σ


def structure_factor(q, phi):
    """Percus-Yevick structure factor S(q) of a hard-sphere fluid.

    Parameters
    ----------
    q : array, wave number times σ, 0 or above;  phi : volume fraction

    Returns
    -------
    array of q's shape. Below x = 0.2 the transform of the direct correlation function is a power series, where the
    closed form would cancel. Source: Wertheim 1963, PRL 10:321; Thiele 1963, J. Chem. Phys. 39:474.
    """
    x = np.abs(np.asarray(q, float))
    l1 = (1 + 2 * phi) ** 2 / (1 - phi) ** 4
    l2 = -((1 + phi / 2) ** 2) / (1 - phi) ** 4
    with np.errstate(divide="ignore", invalid="ignore"):
        s, c = np.sin(x), np.cos(x)
        first = (s - x * c) / x**3
        second = (2 * x * s - (x**2 - 2) * c - 2) / x**4
        third = (-(x**4) * c + 4 * ((3 * x**2 - 6) * c + (x**3 - 6 * x) * s + 6)) / x**6
    # The three are ∫ r^(2+k) sin(xr)/(xr) dr from 0 to 1 with k = 0, 1, 3.
    series = [
        sum((-1) ** m * x ** (2 * m) / math.factorial(2 * m + 1) / (3 + k + 2 * m) for m in range(5)) for k in (0, 1, 3)
    ]
    first, second, third = (np.where(x < 0.2, a, b) for a, b in zip(series, (first, second, third)))
    return 1 / (1 + 24 * phi * (l1 * first + 6 * phi * l2 * second + phi * l1 / 2 * third))


def contact_value(phi, polydispersity=0.0):
    """g(σ+) of a hard-sphere fluid: Carnahan & Starling 1969, J. Chem. Phys. 51:635.

    With a spread of diameters, the mean over pairs by Boublík 1970, J. Chem. Phys. 53:471, in which the harmonic mean
    of two diameters is set to the mean one; `polydispersity` is the relative standard deviation.
    """
    phi, y = np.asarray(phi, float), (1 + polydispersity**2) / (1 + 3 * polydispersity**2)
    return 1 / (1 - phi) + 1.5 * phi * y / (1 - phi) ** 2 + 0.5 * (phi * y) ** 2 / (1 - phi) ** 3


def percus_yevick_g(r, phi):
    """Percus-Yevick g(r), r in σ; 0 below contact.

    Outside contact c(r) = 0, so g - 1 is the transform of h - c = c²ρ/(1 - ρc), which falls with q fast enough for a
    sine transform where that of h would ring.
    """
    r = np.asarray(r, float)
    q = _Q_STEP * np.arange(1, _POINTS)
    s = structure_factor(q, phi)
    rho = 6 * phi / math.pi
    grid = math.pi / (_Q_STEP * _POINTS) * np.arange(1, _POINTS)
    transform = dst(q * (s + 1 / s - 2), type=1) / 2 * _Q_STEP / (2 * math.pi**2 * rho * grid)
    return np.where(r < 1, 0.0, 1 + np.interp(r, grid, transform))


def radial_distribution(centres, box, edges, periodic):
    """g(r) of points in a box.

    In a box that does not go on periodically, a pair of displacement Δ is weighted by 1/∏(L_i - |Δ_i|), the share of
    the box from which its partner is seen, so that faces leave no trace. The box is the volume that was looked at and
    never the bounding box of what was found in it.

    Parameters
    ----------
    centres : (n, 3);  box : side or (3,) sides, same unit
    edges : (k + 1,) ascending;  periodic : bool

    Returns
    -------
    (k,) g between the edges; NaN for fewer than two points.

    Raises
    ------
    ValueError if the edges go beyond the shortest side, or beyond half of it in a periodic box.
    """
    centres = np.ascontiguousarray(centres, float).reshape(-1, 3)
    sides, edges = np.broadcast_to(np.asarray(box, float), 3).copy(), np.asarray(edges, float)
    if edges[-1] > (longest := sides.min() / (2 if periodic else 1)):
        raise ValueError(f"edges: {edges[-1]:g} was found, at most {longest:g} was expected in a box of {sides}")
    n = len(centres)
    if n < 2:
        return np.full(len(edges) - 1, np.nan)
    weights = _pair_weights(centres, sides, edges, periodic)
    return 2 * weights * sides.prod() ** 2 / (n * (n - 1)) / (4 / 3 * math.pi * np.diff(edges**3))


@njit(cache=True)
def _pair_weights(centres, sides, edges, periodic):
    """Sum over pairs of 1/volume of their common range, by distance."""
    sums, n_bins = np.zeros(len(edges) - 1), len(edges) - 1
    low, high = edges[0] ** 2, edges[-1] ** 2
    z_side, y_side, x_side = sides
    share = 1.0 / (z_side * y_side * x_side)
    for i in range(len(centres)):
        z, y, x = centres[i, 0], centres[i, 1], centres[i, 2]
        for j in range(i):
            dz, dy, dx = abs(z - centres[j, 0]), abs(y - centres[j, 1]), abs(x - centres[j, 2])
            if periodic:
                dz, dy, dx = min(dz, z_side - dz), min(dy, y_side - dy), min(dx, x_side - dx)
            square = dz * dz + dy * dy + dx * dx
            if low <= square < high:
                k = min(np.searchsorted(edges, math.sqrt(square), side="right") - 1, n_bins - 1)
                sums[k] += share if periodic else 1.0 / ((z_side - dz) * (y_side - dy) * (x_side - dx))
    return sums


def volume_fraction(centres, box, diameter, inset=0.0):
    """Volume fraction from the number of centres in a box (3,), `inset` from its faces.

    Centres are counted from the box's corner. A finder that misses spheres near a face wants an inset of its margin.

    Raises ValueError if the inset leaves nothing.
    """
    centres, sides = np.asarray(centres, float).reshape(-1, 3), np.broadcast_to(np.asarray(box, float), 3)
    if not (inner := sides - 2 * inset).min() > 0:
        raise ValueError(f"inset: {inset:g} was found, below half of the sides {sides} was expected")
    inside = ((centres >= inset) & (centres < sides - inset)).all(axis=1).sum()
    return float(inside * math.pi / 6 * diameter**3 / inner.prod())


def core_precision(centres, box, diameter, core=0.7):
    """Precision of a list of centres of hard spheres, judged without truth.

    No two spheres are closer than a diameter. If a share P of what was found are spheres and the rest stands anywhere,
    then g = 1 - P² inside the core: found pairs nearer than `core` diameters, which localisation errors hardly reach,
    against the number of as many random points. The box does not go on periodically.

    Returns
    -------
    float in [0, 1]; NaN for fewer than two centres.
    """
    g = radial_distribution(centres, box, [0.0, core * diameter], periodic=False)[0]
    return float(np.sqrt(np.clip(1 - g, 0, 1))) if np.isfinite(g) else math.nan


def bond_order(centres, box=None, degree=6, neighbours=NEIGHBOURS):
    """Local bond order q_l of Steinhardt, and its average over a sphere and its neighbours.

    Source: Lechner & Dellago 2008, J. Chem. Phys. 129:114707, eqs 1 to 6, with the nearest `neighbours`.

    Parameters
    ----------
    centres : (n, 3);  box : periods, a number or (3,); None for a box that does not go on periodically

    Returns
    -------
    q, q_averaged : (n,) each; NaN where there are too few points.
    """
    centres = np.ascontiguousarray(centres, float).reshape(-1, 3)
    n = len(centres)
    if n <= neighbours:
        return np.full(n, np.nan), np.full(n, np.nan)
    sides = None if box is None else np.broadcast_to(np.asarray(box, float), 3)
    if sides is not None:
        centres = centres % sides
        centres[centres >= sides] = 0  # the remainder of a tiny negative number is rounded up to the side itself
    near = cKDTree(centres, boxsize=sides).query(centres, neighbours + 1)[1]
    return _bond_order(centres, np.full(3, np.inf) if sides is None else sides.copy(), near, degree, _norms(degree))


def _norms(degree):
    """Normalisation of the spherical harmonics of this degree and orders 0 to `degree`."""
    return np.sqrt(
        [
            (2 * degree + 1) / (4 * math.pi) * math.factorial(degree - m) / math.factorial(degree + m)
            for m in range(degree + 1)
        ]
    )


@njit(cache=True)
def _bond_order(centres, sides, near, degree, norms):
    n, columns = near.shape
    q_lm = np.zeros((n, degree + 1), np.complex128)
    for i in range(n):
        for k in range(columns):
            j = near[i, k]
            if j == i:
                continue
            dz, dy, dx = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1], centres[j, 2] - centres[i, 2]
            if sides[0] < np.inf:
                dz -= sides[0] * np.rint(dz / sides[0])
                dy -= sides[1] * np.rint(dy / sides[1])
                dx -= sides[2] * np.rint(dx / sides[2])
            r = math.sqrt(dz * dz + dy * dy + dx * dx)
            if r == 0.0:
                continue
            cosine, phase, power = dz / r, complex(dx, dy) / r, complex(1.0, 0.0)
            # Legendre's P_lm without its (sin θ)^m, which comes with the phase: (x + iy)/r = sin θ exp(iφ).
            start = 1.0
            for m in range(degree + 1):
                below, here = 0.0, start
                for order in range(m + 1, degree + 1):
                    below, here = here, ((2 * order - 1) * cosine * here - (order + m - 1) * below) / (order - m)
                q_lm[i, m] += norms[m] * here * power
                start *= -(2 * m + 1)
                power *= phase
    q_lm /= columns - 1
    q, averaged = np.empty(n), np.empty(n)
    scale = 4 * math.pi / (2 * degree + 1)
    for i in range(n):
        own = mean = 0.0
        for m in range(degree + 1):
            total = 0j
            for k in range(columns):
                total += q_lm[near[i, k], m]
            twice = 1.0 if m == 0 else 2.0  # orders m and -m are equal in size
            own += twice * abs(q_lm[i, m]) ** 2
            mean += twice * abs(total / columns) ** 2
        q[i], averaged[i] = math.sqrt(scale * own), math.sqrt(scale * mean)
    return q, averaged
