"""Photon stacks of one diffusing molecule, and the datasets made of them.

The molecule takes a Brownian step of variance 2Dδ per axis between sub-positions δ = exposure/substeps apart (and the
dead time on top between two frames). A photon leaves it at a random moment of the exposure, from the sub-position of
that part of the exposure; or, where `substeps` is "continuous", from where the path is at that very moment. Positions
are (y, x) in µm from the centre of the field.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit
from scipy.special import ndtri

from blurbench.diffusion import psf as psfs
from blurbench.diffusion.brownian import exposure_ends, realised, walk
from blurbench.diffusion.configuration import CONTINUOUS, MISTAKES, SHARD, moments
from blurbench.diffusion.exposure import CUES, NO_INTENSITY, NO_SHAPE, Molecule, expose, show
from blurbench.diffusion.mistakes import Mistakes, beside, corralled, mistakes, telegraph, widening
from blurbench.files.datasets import Simulated
from blurbench.microscopy.camera import camera
from blurbench.microscopy.random_streams import key, stream, uniform
from blurbench.planning.defaults import stated

DEFAULTS = stated("diffusion", "imaging")
AXES = ["item", "t", "y", "x"]
# Purposes of an item's random streams. Numpy's numbers: of Python's numba takes each for a type, and compiles for it.
PARAMETERS, PATH, TIMES, PHOTONS, CAMERA, BETWEEN, DARK, DEPTH, SLOPE = np.arange(9)
SECOND = 1 << 40  # beyond every item: the number under which an item's second molecule has its streams


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
    positions : float32 (item, t, substep, 2), (y, x) in µm from the centre of the field, in the middles of equal parts
        of every exposure; MOMENTS of them where the path is continuous

    Raises
    ------
    ValueError if a D is negative or not finite.
    """
    images, positions, _ = render(np.atleast_1d(np.asarray(D, float)), imaging(spec), key(seed))
    return images, positions


def imaging(spec: dict) -> dict:
    """`spec` with what it leaves out filled from DEFAULTS. Raises ValueError for a key that they do not have."""
    if unknown := (set(spec) - {*DEFAULTS, *MISTAKES}) | (set(spec.get("camera", {})) - set(DEFAULTS["camera"])):
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
    what methods are told of the PSF, `psf_fwhm_um` its true width; `known_to` is the SD of ln of their ratio, and
    `psf_wider` another factor between them.
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
    table["psf_fwhm_um"] *= imaging.get("psf_wider", 1.0)
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
    size, pixel = imaging["size_px"], imaging["pixel_size_um"]
    # Not np.zeros: only np.empty asks for huge pages, without which the page faults cost half as much as the frames.
    images = np.empty((n, frames, size, size), np.uint16)
    positions = np.full((n, frames, moments(imaging), 2), np.nan, np.float32)
    measured = np.empty((n, 4))
    efficiency, slope = imaging["camera"]["quantum_efficiency"], imaging.get("background_gradient", 0.0)
    own = [items[c].to_numpy() for c in ("D", "frames", "frame_time_s", "exposure_s")]
    own.append(efficiency * items["photons"].to_numpy())
    settings = items[["psf_fwhm_um", "background"]].to_numpy()
    edges = np.flatnonzero(np.r_[True, (settings[1:] != settings[:-1]).any(axis=1), True][: n + 1])
    for a, b in zip(edges, edges[1:]):  # items that share camera and PSF: all at once where nothing is drawn
        width, background = settings[a]
        scene = _Scene(
            size, pixel, moments(imaging), imaging["start_spread_px"] * pixel, imaging["substeps"] == CONTINUOUS,
            CUES[cue], mistakes(imaging, efficiency * background),
        )  # fmt: skip
        _render(
            images[a:b], positions[a:b], measured[a:b], stream_key, first + a, *(column[a:b] for column in own), scene,
            psfs.sampler(imaging["psf"], width), camera(imaging["camera"], background * (1 - slope / 2)),
        )  # fmt: skip
    items["left_field"] = measured[:, 0].astype(bool)
    items["signal"], items["noise"] = measured[:, 1], measured[:, 2]
    items["contrast"] = measured[:, 3] / np.where(measured[:, 2] > 0, measured[:, 2], np.nan)
    return images, positions, items


class _Scene(NamedTuple):
    """What the items of a dataset have in common; lengths in µm but for size, in pixels."""

    size: int
    pixel: float
    substeps: int
    spread: float
    continuous: bool
    cue: int
    wrong: Mistakes


@njit(cache=True)
def _render(
    images, positions, measured, stream_key, first, D, frames, frame_time, exposure, photons, scene, psf, camera
):
    """Fill images, positions and measured of items first, first + 1, ...; in arrays what each item has of its own."""
    wrong = scene.wrong
    for i in range(len(D)):
        item, length = first + i, frames[i]
        times = length, scene.substeps, frame_time[i], exposure[i]
        path = walk(stream(stream_key, item, PATH), D[i], *times, scene.spread)
        molecule = _molecule(stream_key, item, path, D[i], frame_time[i], exposure[i], photons[i], scene)
        second = molecule
        if wrong.apart > 0.0:
            s = stream(stream_key, item + SECOND, PATH)
            other = beside(s, walk(s, D[i], *times, 0.0), path[0, 0], wrong.apart)
            second = _molecule(stream_key, item + SECOND, other, D[i], frame_time[i], exposure[i], photons[i], scene)
        farthest = _keep(positions[i], corralled(path, wrong.corral) if wrong.corral > 0.0 else path)
        images[i, length:] = 0
        measured[i, 0] = farthest > 0.5 * scene.size * scene.pixel
        measured[i, 1], measured[i, 2], measured[i, 3] = expose(
            images[i, :length], molecule, second, wrong.apart == 0.0, wrong.slope, psf, scene.pixel, camera,
            stream(stream_key, item, CAMERA), stream(stream_key, item, SLOPE),
        )  # fmt: skip


@njit(cache=True)
def _keep(positions, path):
    """Write a path to the first frames of `positions`; returns its largest coordinate.

    A loop, as numba compiles an assignment of arrays for seconds, with the message that tells of their shapes.
    """
    farthest = 0.0
    for t in range(path.shape[0]):
        for k in range(path.shape[1]):
            for axis in range(2):
                positions[t, k, axis] = path[t, k, axis]
                farthest = max(farthest, abs(positions[t, k, axis]))
    return farthest


@njit(cache=True)
def _molecule(stream_key, item, path, D, frame_time, exposure, photons, scene):
    """Molecule of a path (frame, substep, 2), which becomes the one that the cue condition shows."""
    frames, substeps, wrong = len(path), scene.substeps, scene.wrong
    part = exposure / substeps
    between, ends = stream(stream_key, item, BETWEEN), np.zeros((frames, 2, 2))
    if scene.continuous:
        ends = exposure_ends(between, path, D, frame_time, exposure)
    show(path, ends, scene.cue)
    switches, wider = np.empty(0), np.empty((0, 0))
    if wrong.dark_share > 0.0:
        s = stream(stream_key, item, DARK)
        switches = telegraph(s, wrong.dark_share, wrong.dark_s / part, frames * frame_time / part)
    if wrong.defocus > 0.0:
        depth = walk(stream(stream_key, item, DEPTH), D, frames, substeps, frame_time, exposure, 0.0)
        wider = widening(depth, wrong.defocus)
    middle, pixel, at_rest = scene.size / 2, scene.pixel, scene.cue == NO_SHAPE
    return Molecule(
        _in_pixels(path, pixel, middle), _in_pixels(ends, pixel, middle),
        0.0 if at_rest else 2.0 * D * part / pixel**2, photons,
        scene.cue == NO_INTENSITY, scene.continuous, stream(stream_key, item, TIMES), between,
        stream(stream_key, item, PHOTONS), frame_time / part, switches, wider, wrong.corral / pixel,
    )  # fmt: skip


@njit(cache=True)
def _in_pixels(positions, pixel, middle):
    """Positions (frame, any number, 2) in pixels from the field's corner, which is `middle` from its centre."""
    out = np.empty_like(positions)
    for t in range(positions.shape[0]):
        for k in range(positions.shape[1]):
            for axis in range(2):
                out[t, k, axis] = positions[t, k, axis] / pixel + middle
    return out


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
    spread, corral = full["start_spread_px"] * full["pixel_size_um"], float(full.get("corral_um", 0))
    for first in range(0, len(D), SHARD):
        images, positions, items = render(D[first : first + SHARD], full, stream_key, first, cue)
        truth = {"positions": positions, "D": items["D"].to_numpy()}
        # Of the molecule, whatever part of its path a cue condition shows.
        truth["D_realised"] = np.empty(len(items))
        for i, row in enumerate(items.itertuples()):
            imaging = row.frames, moments(full), row.frame_time_s, row.exposure_s, spread
            path = walk(stream(stream_key, first + i, PATH), row.D, *imaging)
            path = corralled(path, corral) if corral else path
            truth["D_realised"][i] = realised(path, row.frame_time_s, row.exposure_s)
        yield images, items, truth
