"""Photon stacks of one diffusing molecule, photon by photon.

The molecule takes a Brownian step of variance 2Dδ per axis between sub-positions δ = exposure/substeps apart (and the
dead time on top between two frames). Photons leave it as a Poisson process in time, each from the sub-position of its
moment, displaced by a draw from the PSF, and each falls into one pixel. Motion blur, finite PSF and shot noise are thus
exact, and no position is ever rounded. Positions are (y, x) in µm from the centre of the field.
"""

import math
from copy import deepcopy

import numpy as np
import pandas as pd
from numba import njit
from scipy.special import ndtri

from blurbench.diffusion import psf as psfs
from blurbench.diffusion.psf import AIRY, GAUSSIAN
from blurbench.files.datasets import Simulated
from blurbench.microscopy.camera import camera, read, read_dark
from blurbench.microscopy.random_streams import draw, key, normal, poisson, stream, uniform
from blurbench.planning.defaults import stated

DEFAULTS = stated("diffusion", "imaging")
AXES = ["item", "t", "y", "x"]
SHARD = 256  # items a shard: some 30 MB at the `report` setting
PARAMETERS, PATH, TIMES, PHOTONS, CAMERA = range(5)  # purposes of an item's random streams
# Which part of the molecule's motion an image shows.
ALL, NO_TRAJECTORY, NO_SHAPE, NO_INTENSITY = range(4)
CUES = {None: ALL, "no_trajectory": NO_TRAJECTORY, "no_shape": NO_SHAPE, "no_intensity": NO_INTENSITY}
MAX_REALISED_POINTS = 320


def photon_stacks(D, spec, seed):
    """Simulate one stack per diffusion coefficient.

    Parameters
    ----------
    D : array (item,), µm²/s
    spec : dict, the configuration's `imaging` entry; what it leaves out is taken from DEFAULTS
    seed : int or str

    Returns
    -------
    images : uint16 (item, t, y, x), ADU
    positions : float32 (item, t, substep, 2), (y, x) in µm from the centre of the field

    Raises
    ------
    ValueError if a D is negative or not finite.
    """
    images, positions, _ = render(np.atleast_1d(np.asarray(D, float)), imaging(spec), key(seed))
    return images, positions


def imaging(spec: dict) -> dict:
    """`spec` with what it leaves out filled from DEFAULTS. Raises ValueError for a key that they do not have."""
    if unknown := (set(spec) - set(DEFAULTS)) | (set(spec.get("camera", {})) - set(DEFAULTS["camera"])):
        raise ValueError(
            f"imaging: {sorted(unknown)} unknown, expected {sorted(DEFAULTS)}, camera {sorted(DEFAULTS['camera'])}"
        )
    full = deepcopy(DEFAULTS)
    for name, value in spec.items():
        full[name] = {**full[name], **value} if name == "camera" else value
    return full


def draw_parameters(imaging: dict, stream_key: int, first: int, n: int) -> pd.DataFrame:
    """Imaging parameters of n items, one row each; a two-element list in `imaging` is a range to draw from.

    Photons and FWHM are log-uniform, the others uniform, `frames` a whole number with both ends included. `fwhm_um` is
    what methods are told of the PSF, `psf_fwhm_um` its true width; `known_to` is the SD of ln of their ratio.
    """
    u = _uniforms(stream_key, first, n)

    def values(value, column, log=False):
        if not isinstance(value, (list, tuple)):
            return np.full(n, value, float)
        lo, hi = map(float, value)
        return lo * (hi / lo) ** u[:, column] if log else lo + (hi - lo) * u[:, column]

    table = pd.DataFrame({"photons": values(imaging["photons"], 0, log=True)})
    psf = imaging["psf"]
    width = psf["fwhm_um"] if psf["kind"] == "gaussian" else psfs.fwhm(psf)
    table["psf_fwhm_um"] = values(width, 1, log=True)
    table["fwhm_um"] = table["psf_fwhm_um"] * np.exp(psf.get("known_to", 0.0) * ndtri(u[:, 5]))
    table["background"] = values(imaging["background"], 2)
    table["frame_time_s"] = values(imaging["frame_time_s"], 3)
    # The exposure follows a drawn frame time, so that the dead time keeps its share.
    nominal = imaging["frame_time_s"]
    longest = max(nominal) if isinstance(nominal, (list, tuple)) else nominal
    table["exposure_s"] = table["frame_time_s"] * (imaging["exposure_s"] / longest)
    frames = imaging["frames"]
    if isinstance(frames, (list, tuple)):
        table["frames"] = frames[0] + np.floor(u[:, 4] * (frames[1] - frames[0] + 1)).astype(int)
    else:
        table["frames"] = int(frames)
    return table


@njit(cache=True)
def _uniforms(stream_key, first, n):
    """Six uniform numbers for each of n items."""
    out = np.empty((n, 6))
    for i in range(n):
        s = stream(stream_key, first + i, PARAMETERS)
        for j in range(6):
            out[i, j] = uniform(s)
    return out


def render(D, imaging, stream_key, first=0, cue=None):
    """Images, positions and table of the items first, first + 1, ... of a stream; the work behind `photon_stacks`.

    The table holds, per item, the imaging parameters, D, whether the path left the field, and as *measured*: `signal`
    (photons detected in the field per frame), `noise` (SD of the dark pixels, photons) and `contrast` (brightest
    pixel's signal, mean over frames, over `noise`).
    """
    D = np.asarray(D, float)
    if (wrong := ~(np.isfinite(D) & (D >= 0))).any():
        raise ValueError(f"D: every value must be finite and not negative (µm²/s), found {D[wrong][:3].tolist()}")
    n = len(D)
    items = draw_parameters(imaging, stream_key, first, n)
    items.insert(0, "D", D)
    frames = int(np.max(imaging["frames"]))
    size, pixel, substeps = imaging["size_px"], imaging["pixel_size_um"], imaging["substeps"]
    # Not np.zeros: only np.empty asks for huge pages, without which the page faults cost half as much as the frames.
    images = np.empty((n, frames, size, size), np.uint16)
    positions = np.full((n, frames, substeps, 2), np.nan, np.float32)
    measured = np.empty((n, 4))
    efficiency, spread = imaging["camera"]["quantum_efficiency"], imaging["start_spread_px"] * pixel
    own = [items[c].to_numpy() for c in ("D", "frames", "frame_time_s", "exposure_s")]
    own.append(efficiency * items["photons"].to_numpy())
    settings = items[["psf_fwhm_um", "background"]].to_numpy()
    edges = np.flatnonzero(np.r_[True, (settings[1:] != settings[:-1]).any(axis=1), True][: n + 1])
    for a, b in zip(edges, edges[1:]):  # items that share camera and PSF: all at once where nothing is drawn
        _render(
            images[a:b], positions[a:b], measured[a:b], stream_key, first + a, *(column[a:b] for column in own), spread,
            CUES[cue], psfs.sampler(imaging["psf"], settings[a, 0]), pixel, camera(imaging["camera"], settings[a, 1]),
        )  # fmt: skip
    items["left_field"] = measured[:, 0].astype(bool)
    items["signal"], items["noise"] = measured[:, 1], measured[:, 2]
    items["contrast"] = measured[:, 3] / np.where(measured[:, 2] > 0, measured[:, 2], np.nan)
    return images, positions, items


@njit(cache=True)
def _render(
    images, positions, measured, stream_key, first, D, frames, frame_time, exposure, photons, spread, cue, psf, pixel,
    camera,
):  # fmt: skip
    """Fill images, positions and measured of items first, first + 1, ...; in arrays what each item has of its own."""
    for i in range(len(D)):
        item, length, substeps = first + i, frames[i], positions.shape[2]
        path = _path(stream(stream_key, item, PATH), D[i], length, substeps, frame_time[i], exposure[i], spread)
        _show(path, cue)
        positions[i, :length] = path
        images[i, length:] = 0
        measured[i, 0], measured[i, 1], measured[i, 2], measured[i, 3] = _expose(
            images[i, :length], path / pixel + images.shape[3] / 2, photons[i], cue == NO_INTENSITY, psf, pixel, camera,
            stream(stream_key, item, TIMES), stream(stream_key, item, PHOTONS), stream(stream_key, item, CAMERA),
        )  # fmt: skip


@njit(cache=True)
def _show(path, cue):
    """Turn a path into the one that the images show under a cue condition.

    NO_TRAJECTORY: every frame re-centred on its true mean position; NO_SHAPE: every frame at rest there.
    """
    if cue != NO_TRAJECTORY and cue != NO_SHAPE:
        return
    for t in range(len(path)):
        for axis in range(2):
            centre = path[t, :, axis].mean()
            for k in range(path.shape[1]):
                path[t, k, axis] = centre if cue == NO_SHAPE else path[t, k, axis] - centre


@njit(cache=True)
def _path(s, D, frames, substeps, frame_time, exposure, start_spread):
    """Sub-positions (frame, substep, 2), µm."""
    path = np.empty((frames, substeps, 2))
    y = (uniform(s) - 0.5) * start_spread
    x = (uniform(s) - 0.5) * start_spread
    within = math.sqrt(2.0 * D * exposure / substeps)
    between = math.sqrt(2.0 * D * (exposure / substeps + frame_time - exposure))
    for t in range(frames):
        for k in range(substeps):
            if t + k > 0:
                step = within if k > 0 else between
                y += step * normal(s)
                x += step * normal(s)
            path[t, k, 0] = y
            path[t, k, 1] = x
    return path


@njit(cache=True, inline="always")
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
def _expose(images, path, photons, fixed_number, psf, pixel, camera, times, displacements, noise):
    """Fill the frames of one item; path in pixels from the corner.

    Returns whether the path left the field, the signal per frame and of its brightest pixel (photons), and the SD of
    the dark pixels of the first frame (photons).
    """
    frames, size, _ = images.shape
    substeps = path.shape[1]
    counts = np.zeros(size * size, np.int32)
    lit = np.empty(size * size, np.int64)  # pixels with signal: few, so that nothing but them is visited again
    left, signal, peak, dark_sd, per_pixel = False, 0, 0, 0.0, 1.0 / pixel
    for t in range(frames):
        for k in range(substeps):
            left |= not (0.0 <= path[t, k, 0] < size and 0.0 <= path[t, k, 1] < size)
        frame = images[t].reshape(size * size)
        read_dark(noise, camera, frame)
        brightest, n_lit = 0, 0
        # A Poisson process: a Poisson number of photons, each at a moment of its own.
        for _ in range(round(photons) if fixed_number else poisson(times, photons)):
            k = int(uniform(times) * substeps)
            dy, dx = _displace(displacements, psf)
            y = math.floor(path[t, k, 0] + dy * per_pixel)
            x = math.floor(path[t, k, 1] + dx * per_pixel)
            if 0 <= y < size and 0 <= x < size:
                i = int(y) * size + int(x)
                if counts[i] == 0:
                    lit[n_lit] = i
                    n_lit += 1
                counts[i] += 1
                signal += 1
                brightest = max(brightest, counts[i])
        if t == 0:
            dark_sd = _dark_sd(frame, counts) / (camera.gain * camera.em_gain)
        for i in lit[:n_lit]:
            frame[i] = read(noise, camera, counts[i])
            counts[i] = 0
        peak += brightest
    return left, signal / frames, dark_sd, peak / frames


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


@njit(cache=True)
def _all_lag_slope(path, times):
    """Slope of the time-averaged MSD at all lags, regressed through the origin, over 4 (µm²/s)."""
    n = len(path)
    above = below = 0.0
    for lag in range(1, n):
        msd = tau = 0.0
        for i in range(n - lag):
            dy = path[i + lag, 0] - path[i, 0]
            dx = path[i + lag, 1] - path[i, 1]
            msd += dy * dy + dx * dx
            tau += times[i + lag] - times[i]
        msd /= n - lag
        tau /= n - lag
        above += msd * tau
        below += tau * tau
    return above / below / 4.0


def realised(path, frame_time, exposure):
    """D of one realised path (t, substep, 2), µm²/s: the all-lag MSD of its sub-positions through the origin.

    The label of the source report (CS-433/ml-project-2-big-burger, 2024). A noisy statistic of D: its relative SD over
    paths of one D is 0.8. Long paths are thinned evenly to at most MAX_REALISED_POINTS points.
    """
    frames, substeps, _ = path.shape
    times = (np.arange(frames)[:, None] * frame_time + np.arange(substeps) * exposure / substeps).ravel()
    thin = slice(None, None, -(-len(times) // MAX_REALISED_POINTS))
    return _all_lag_slope(path.reshape(-1, 2)[thin].astype(float), times[thin])


def dataset(spec: dict, split: str, seed: int) -> Simulated:
    """A split of a dataset.

    spec : one dataset entry of the configuration, expanded; `stream` names the dataset whose random streams it uses
    """
    full = imaging(spec["imaging"])
    stream_key = key(seed, "diffusion", spec["stream"], split)
    if split == "test":
        # The grid over and over: a smaller test set is the beginning of a larger one.
        D = np.tile(np.asarray(spec["test_D_um2_s"], float), spec["items"]["test"])
    else:
        lo, hi = map(float, spec["D_um2_s"])
        D = lo * (hi / lo) ** np.random.Generator(np.random.Philox(key=key(stream_key, "D"))).random(
            spec["items"][split]
        )
    header = {
        "axes": AXES,
        "voxel_size": [
            None,
            "frame_time_s" if isinstance(full["frame_time_s"], list) else full["frame_time_s"],
            full["pixel_size_um"],
            full["pixel_size_um"],
        ],
        "units": [None, "second", "micrometer", "micrometer"],
    }
    return Simulated(len(D), SHARD, header, _shards(D, full, stream_key, spec.get("cue")))


def _shards(D, full, stream_key, cue):
    spread = full["start_spread_px"] * full["pixel_size_um"]
    for first in range(0, len(D), SHARD):
        images, positions, items = render(D[first : first + SHARD], full, stream_key, first, cue)
        truth = {"positions": positions, "D": items["D"].to_numpy()}
        # Of the molecule, whatever part of its path a cue condition shows.
        truth["D_realised"] = np.empty(len(items))
        for i, row in enumerate(items.itertuples()):
            imaging = row.frames, full["substeps"], row.frame_time_s, row.exposure_s, spread
            path = _path(stream(stream_key, first + i, PATH), row.D, *imaging)
            truth["D_realised"][i] = realised(path, row.frame_time_s, row.exposure_s)
        yield images, items, truth
