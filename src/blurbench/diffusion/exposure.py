"""Exposures of a diffusing molecule, photon by photon, and what a cue condition shows of them.

Photons leave the molecule as a Poisson process in time, are displaced by a draw from the PSF, and each falls into one
pixel. Motion blur, finite PSF and shot noise are thus exact, and no position is ever rounded.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.diffusion.brownian import bridge
from blurbench.diffusion.mistakes import is_dark, light_slope, reflect
from blurbench.diffusion.psf import AIRY, GAUSSIAN
from blurbench.microscopy.camera import read, read_dark
from blurbench.microscopy.random_streams import draw, normal, poisson, uniform

# Which part of the molecule's motion an image shows.
ALL, NO_TRAJECTORY, NO_SHAPE, NO_INTENSITY = range(4)
CUES = {None: ALL, "no_trajectory": NO_TRAJECTORY, "no_shape": NO_SHAPE, "no_intensity": NO_INTENSITY}


class Molecule(NamedTuple):
    """A molecule as the camera sees it; lengths in pixels from the field's corner, times in parts of an exposure.

    path : (frame, substep, 2), positions in the middles of equal parts of every exposure
    ends : (frame, 2, 2), positions when each exposure begins and ends
    per_time : variance of its steps per part of an exposure, 2D
    photons : expected per frame;  fixed_number : so many in every frame, and not a Poisson number of them
    continuous : each photon has a moment of its own; else it leaves one of the sub-positions
    times, between, displacements : random streams of the photons' moments, of the path there, and of the PSF
    period : time from one frame to the next
    switches : (n,), moments at which it goes dark, bright again and so on
    widening : (frame, substep), width of the PSF over that in focus; without frames where it stays in focus
    corral : side of the square about its first position that it cannot leave; 0 where it is free
    """

    path: np.ndarray
    ends: np.ndarray
    per_time: float
    photons: float
    fixed_number: bool
    continuous: bool
    times: np.ndarray
    between: np.ndarray
    displacements: np.ndarray
    period: float
    switches: np.ndarray
    widening: np.ndarray
    corral: float


@njit(cache=True)
def show(path, ends, cue):
    """Turn a path into the one that the images show under a cue condition.

    NO_TRAJECTORY: every frame re-centred on its true mean position; NO_SHAPE: every frame at rest there.
    """
    if cue != NO_TRAJECTORY and cue != NO_SHAPE:
        return
    for t in range(len(path)):
        for axis in range(2):
            centre = 0.0
            for k in range(path.shape[1]):
                centre += path[t, k, axis]
            centre /= path.shape[1]
            for positions in (path, ends):
                for k in range(positions.shape[1]):
                    positions[t, k, axis] = centre if cue == NO_SHAPE else positions[t, k, axis] - centre


@njit(cache=True)
def expose(images, molecule, second, is_alone, slope, psf, pixel, camera, noise, slope_noise):
    """Fill the frames (t, y, x) of one item: of one molecule, or of a second one too.

    slope : photons per frame that `light_slope` adds;  noise, slope_noise : random streams of the camera and of those
    Returns the signal per frame and of its brightest pixel (photons), and the SD of the dark pixels of the first frame
    (photons).
    """
    frames, size, _ = images.shape
    counts = np.zeros(size * size, np.int32)
    lit = np.empty(size * size, np.int64)  # pixels with signal: few, so that nothing but them is visited again
    signal, peak, dark_sd, per_pixel = 0, 0, 0.0, 1.0 / pixel
    for t in range(frames):
        frame = images[t].reshape(size * size)
        read_dark(noise, camera, frame)
        none = np.int64(0)  # a literal 0 is a type of its own, for which numba would compile it once more
        n_lit, seen, brightest = _light(molecule, t, psf, per_pixel, size, counts, lit, none)
        signal += seen
        peak += brightest
        if not is_alone:
            n_lit, _, _ = _light(second, t, psf, per_pixel, size, counts, lit, n_lit)
        if t == 0:
            dark_sd = _dark_sd(frame, counts) / (camera.gain * camera.em_gain)
        if slope > 0.0:
            n_lit = light_slope(slope_noise, slope, size, counts, lit, n_lit)
        for i in lit[:n_lit]:
            frame[i] = read(noise, camera, counts[i])
            counts[i] = 0
    return signal / frames, dark_sd, peak / frames


@njit(cache=True)
def _light(molecule, t, psf, per_pixel, size, counts, lit, n_lit):
    """Add the photons of frame t to `counts` (pixels,), and the pixels where they fell to `lit`, which has n_lit.

    Returns the number of lit pixels, of photons in the field, and of those in the brightest pixel.
    """
    path, ends, times, between = molecule.path[t], molecule.ends[t], molecule.times, molecule.between
    substeps = len(path)
    seen, brightest = 0, 0
    # The last known point of a continuous path: its time, place, and the sub-position that comes next.
    now, y, x, following = 0.0, ends[0, 0], ends[0, 1], 0
    # A Poisson process: a Poisson number of photons, each at a moment of its own.
    photons = round(molecule.photons) if molecule.fixed_number else poisson(times, molecule.photons)
    for remaining in range(photons, 0, -1):
        if molecule.continuous:
            # The least of `remaining` moments, uniform over what is left of the exposure: they come in order.
            moment = now + (substeps - now) * (1.0 - uniform(times) ** (1.0 / remaining))
            k = int(moment + 0.5)
            if k != following:
                now, y, x, following = k - 0.5, path[k - 1, 0], path[k - 1, 1], k
            place, at = (path[k], k + 0.5) if k < substeps else (ends[1], float(substeps))
            y = bridge(between, y, place[0], moment - now, at - moment, molecule.per_time)
            x = bridge(between, x, place[1], moment - now, at - moment, molecule.per_time)
            now = moment
        else:
            moment = uniform(times) * substeps
            y, x = path[int(moment), 0], path[int(moment), 1]
        if len(molecule.switches) > 0 and is_dark(molecule.switches, t * molecule.period + moment):
            continue
        dy, dx = _displace(molecule.displacements, psf)
        if len(molecule.widening) > 0:
            wider = molecule.widening[t, min(int(moment), substeps - 1)]
            dy, dx = wider * dy, wider * dx
        if molecule.corral > 0.0:
            first, half = molecule.path[0, 0], 0.5 * molecule.corral
            row = math.floor(reflect(y, first[0], half) + dy * per_pixel)
            column = math.floor(reflect(x, first[1], half) + dx * per_pixel)
        else:
            row, column = math.floor(y + dy * per_pixel), math.floor(x + dx * per_pixel)
        if 0 <= row < size and 0 <= column < size:
            i = int(row) * size + int(column)
            if counts[i] == 0:
                lit[n_lit] = i
                n_lit += 1
            counts[i] += 1
            seen += 1
            brightest = max(brightest, counts[i])
    return n_lit, seen, brightest


@njit(cache=True, inline="always")  # and not `forceinline`: photons would take a sixth longer
def _displace(s, psf):
    """Displacement (y, x) of one photon, µm."""
    if psf.kind == GAUSSIAN:
        return psf.scale * normal(s), psf.scale * normal(s)
    if psf.kind == AIRY:
        at = uniform(s) * len(psf.radii)
        row = int(at)
        if row + 1 < len(psf.radii):
            r = psf.radii[row] + (at - row) * (psf.radii[row + 1] - psf.radii[row])
        else:
            r = 2.0 / (math.pi * (1.0 - at / len(psf.radii)))  # the tail, 1 - 2/(πv)
        angle = 2.0 * math.pi * uniform(s)
        return psf.scale * r * math.sin(angle), psf.scale * r * math.cos(angle)
    pixel = draw(s, psf.alias)
    return (
        (pixel // psf.columns + uniform(s) - psf.origin_y) * psf.scale,
        (pixel % psf.columns + uniform(s) - psf.origin_x) * psf.scale,
    )


@njit(cache=True)
def _dark_sd(frame, counts):
    """SD of the grey values of the pixels without signal."""
    n = total = squares = 0
    for i in range(len(frame)):
        if counts[i] == 0:
            value = np.int64(frame[i])
            n += 1
            total += value
            squares += value * value
    return math.sqrt(max(squares / n - (total / n) ** 2, 0.0)) if n > 0 else np.nan
