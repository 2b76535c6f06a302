"""In what a molecule or its images may differ from the microscope that methods are told: one way each.

A PSF of another width stands in `simulate` and `psf`, as it changes nothing but a number. Lengths, times and rates are
in any units that agree.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.microscopy.random_streams import poisson, uniform


class Mistakes(NamedTuple):
    """What the compiled renderer reads; 0 is none.

    defocus : depth at which the PSF is √2 wider, µm
    dark_share, dark_s : share of the time that the molecule is dark, and mean of a dark time, s
    slope : photons per frame that the background has beyond that of the field's darkest edge
    apart : distance at which a second molecule starts, µm
    corral : side of the square that the molecule cannot leave, µm
    """

    defocus: float
    dark_share: float
    dark_s: float
    slope: float
    apart: float
    corral: float


def mistakes(imaging: dict, background: float) -> Mistakes:
    """Those of a dataset's `imaging`, at a background of so many detected photons per pixel and frame in the mean."""
    blinking = imaging.get("blinking", {"dark_share": 0.0, "dark_s": 0.0})
    return Mistakes(
        defocus=float(imaging.get("defocus_um", 0)),
        dark_share=float(blinking["dark_share"]),
        dark_s=float(blinking["dark_s"]),
        slope=float(background * imaging.get("background_gradient", 0) / 2 * imaging["size_px"] ** 2),
        apart=float(imaging.get("second_molecule_um", 0)),
        corral=float(imaging.get("corral_um", 0)),
    )


@njit(cache=True)
def telegraph(s, dark_share, dark, length):
    """Moments up to `length` at which a molecule goes dark, bright again and so on; one that starts dark does so at 0.

    Both times are exponential: a telegraph in its stationary state, dark for the time `dark` on average.
    """
    bright = dark * (1.0 - dark_share) / dark_share
    now, lit, moments = 0.0, uniform(s) >= dark_share, [np.inf]  # a list in compiled code must not begin empty
    if not lit:
        moments.append(0.0)
    while now < length:
        now -= math.log(uniform(s)) * (bright if lit else dark)
        lit = not lit
        moments.append(now)
    return np.array(moments[1:])


@njit(cache=True)
def is_dark(switches, moment):
    """Whether a molecule is dark at a moment, by the moments of `telegraph`."""
    return np.searchsorted(switches, moment) % 2 == 1


@njit(cache=True)
def widening(path, defocus):
    """Width of the PSF (any shape) over that in focus, as of a Gaussian beam of the Rayleigh length.

    path : (frame, substep, 2), of which the first coordinate is the depth

    Returns
    -------
    (frame, substep)
    """
    wider = np.empty(path.shape[:2])
    for t in range(path.shape[0]):
        for k in range(path.shape[1]):
            wider[t, k] = math.sqrt(1.0 + (path[t, k, 0] / defocus) ** 2)
    return wider


@njit(cache=True, forceinline=True)
def reflect(x, centre, half):
    """Coordinate of a free path, as walls at centre ± half reflect it: exact for a Brownian path (method of images)."""
    u = (x - centre + half) % (4.0 * half)
    return centre - half + (u if u < 2.0 * half else 4.0 * half - u)


@njit(cache=True)
def corralled(path, side):
    """A path (frame, substep, 2) inside the square of that side about its first position."""
    inside = np.empty_like(path)
    for t in range(path.shape[0]):
        for k in range(path.shape[1]):
            for axis in range(2):
                inside[t, k, axis] = reflect(path[t, k, axis], path[0, 0, axis], 0.5 * side)
    return inside


@njit(cache=True)
def beside(s, path, first, distance):
    """A path (frame, substep, 2) that begins at 0, moved so that it begins at a distance from `first`, anywhere."""
    angle = 2.0 * math.pi * uniform(s)
    y, x = first[0] + distance * math.sin(angle), first[1] + distance * math.cos(angle)
    moved = np.empty_like(path)
    for t in range(path.shape[0]):
        for k in range(path.shape[1]):
            moved[t, k, 0], moved[t, k, 1] = path[t, k, 0] + y, path[t, k, 1] + x
    return moved


@njit(cache=True)
def light_slope(s, photons, size, counts, lit, n_lit):
    """Add photons of a background that rises from nothing at the left edge of the field; returns the lit pixels."""
    for _ in range(poisson(s, photons)):
        i = int(uniform(s) * size) * size + int(math.sqrt(uniform(s)) * size)
        if counts[i] == 0:
            lit[n_lit] = i
            n_lit += 1
        counts[i] += 1
    return n_lit
