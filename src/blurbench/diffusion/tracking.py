"""Spots of a movie found, linked and cut into stacks.

A stack looks like a simulated one: as many frames and pixels, in the grey values of the dataset's camera, the spot at
the centre of the field in the first frame but for the rounding to whole pixels. Its table has the imaging parameters
that methods are given, measured where the microscope does not say them (photons, background). The width of a spot is
measured too, but it is not that of the PSF, as the spot has moved: see recorded_psf.
Positions are in pixels here, the centre of the first pixel at 0, as trackpy has them.
"""

import logging

import numpy as np
import pandas as pd
import trackpy
from scipy.optimize import least_squares

from blurbench.diffusion.drift import common_drift, without
from blurbench.diffusion.movie import Movie
from blurbench.files.logs import progress
from blurbench.microscopy.recording_error import RecordingError
from blurbench.running.processes import side_by_side

PRESENT = 0.75  # share of a stack's frames in which its spot must have been found
NOISE_PIXELS = 2**21  # among which noise may make one spot: at 64 x 64 pixels and 16 frames, one in 30 stacks
CUT_STEPS = 0.01  # share of the steps that a search range may cut off: D is then 5 % too low
SATURATED = 0.1  # share of a stack's frames that may reach the ceiling: a few clipped frames hardly move D
RINGS = 2  # of the radial profile per pixel
FWHM = np.sqrt(8 * np.log(2))

log = logging.getLogger(__name__)


class NothingFound(RecordingError):
    """A movie in which there is nothing to measure: alone it is of no use, among others it may be."""


def find(movie: Movie, tracking: dict, min_frames: int) -> pd.DataFrame:
    """Find the spots of every frame and link them to tracks.

    Parameters
    ----------
    movie : Movie
    tracking : diameter_px, minmass (photons or 'auto'), search_range_px, memory, max_size_px, max_eccentricity
    min_frames : shorter tracks are not kept

    Returns
    -------
    DataFrame of all spots in trackpy's columns (y, x in pixels, mass in photons, size, ecc, signal, frame, particle),
    with `kept`: whether the spot's track is long enough, small enough and round enough on average.

    Raises
    ------
    NothingFound if no spot is found, or no track is kept; RecordingError for a search range that does not fit them.
    """
    trackpy.quiet()
    diameter, minmass = tracking["diameter_px"], tracking["minmass"]
    if minmass == "auto":
        minmass = _minmass(movie, diameter)
        log.info("minmass: %.4g photons, from the noise", minmass)
    numbers = progress(range(len(movie)), "locate")
    frames = side_by_side(_located, ((movie.signal(i), i, diameter, minmass) for i in numbers))
    spots = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    if not len(spots):
        raise NothingFound(
            movie.frames.file,
            "tracking.minmass",
            f"no spot above {minmass:.4g} photons",
            "a lower value, or another diameter_px",
        )
    try:
        spots = trackpy.link(spots, tracking["search_range_px"], memory=tracking["memory"])
    except trackpy.SubnetOversizeException:
        found = f"{tracking['search_range_px']:g} px, within which too many spots could follow one another"
        raise RecordingError(movie.frames.file, "tracking.search_range_px", found, "less, or fewer spots") from None
    tracks = spots.groupby("particle")
    kept = tracks.size() >= (PRESENT * min_frames if movie.of_stacks else min_frames)
    for column, key in (("size", "max_size_px"), ("ecc", "max_eccentricity")):
        if key in tracking:
            kept &= tracks[column].mean() < tracking[key]
    if not kept.any():
        found = f"no track of at least {min_frames} frames (of {len(kept)}) that is small and round enough"
        raise NothingFound(movie.frames.file, "tracking", found, "a larger search_range_px or memory, or laxer limits")
    log.info("%d spots, %d tracks, %d kept", len(spots), len(kept), kept.sum())
    spots = spots.assign(kept=spots["particle"].map(kept))
    _check_range(movie.frames.file, spots[spots["kept"]], tracking["search_range_px"])
    return spots


def _located(signal, frame, diameter, minmass):
    """Spots of one frame."""
    return trackpy.locate(np.maximum(signal, 0), diameter, minmass=minmass).assign(frame=frame)


def _minmass(movie, diameter):
    """Mass that noise alone reaches once in NOISE_PIXELS pixels: the heaviest spot found in that much of it."""
    variance = float(np.median(movie.pixels.noise)) / movie.transfer.gain**2
    shot = min(float(np.median(movie.level)), variance)
    rng = np.random.default_rng(0)
    side = 512
    heaviest = 0.0
    for _ in range(NOISE_PIXELS // side**2):
        noise = rng.poisson(shot, (side, side)) - shot + rng.normal(0, np.sqrt(variance - shot), (side, side))
        spots = trackpy.locate(np.maximum(noise, 0).astype(np.float32), diameter, minmass=0)
        heaviest = max(heaviest, spots["mass"].max())
    return heaviest


def _check_range(file, spots, reach):
    """Refuse a search range (pixels) that cuts off long steps, so that what is left of them looks slow.

    Of steps normal in both axes, which reach r on average of squares, a share exp(-u), u = reach²/r², lies beyond the
    reach, and the mean square of the others is r² (1 - u/(exp(u) - 1)).
    """
    steps = spots.sort_values(["particle", "frame"])[["particle", "frame", "y", "x"]].diff()
    steps = steps[(steps["particle"] == 0) & (steps["frame"] == 1)]
    seen = float((steps["y"] ** 2 + steps["x"] ** 2).mean())
    u = np.geomspace(1e-3, 1e4, 1000)
    u = float(np.interp(reach**2 / max(seen, 1e-12), u / (1 - u / np.expm1(np.minimum(u, 500))), u))
    if np.exp(-u) > CUT_STEPS:
        found = f"{reach:g} px, beyond which lie {100 * np.exp(-u):.0f} % of the steps of the spots"
        needed = reach * np.sqrt(-np.log(CUT_STEPS) / u)
        raise RecordingError(
            file, "tracking.search_range_px", found, f"at least {needed:.2g} px, for {100 * CUT_STEPS:g} %"
        )


def segments(
    spots: pd.DataFrame, frames: tuple, size: int, shape: tuple, carried: np.ndarray, whole: bool = False
) -> tuple[pd.DataFrame, dict]:
    """Where stacks can be cut: pieces of the kept tracks that do not overlap in time, alone in a window that stays put.

    Parameters
    ----------
    spots : what `find` returned, without the drift
    frames : fewest and most frames of a stack
    size : pixels, side of the window
    shape : (y, x) of the movie
    carried : int (frame, 2), whole pixels that the drift has carried the windows along
    whole : whether a piece begins and ends with the movie, as in stacks that were cut already, and not with its spot

    Returns
    -------
    DataFrame: particle, frame (the first), frames, y, x (pixels, in the first frame), top, left (of the window), all
    without the drift;
    dict: how many pieces were cut, and how many were dropped for which reason.
    """
    everything = {frame: group[["y", "x", "particle"]].to_numpy() for frame, group in spots.groupby("frame")}
    counts = dict.fromkeys(("cut", "interrupted", "edge", "neighbour"), 0)
    rows = []
    for particle, track in spots[spots["kept"]].groupby("particle"):
        track = track.sort_values("frame").set_index("frame")
        start, last = (0, len(carried) - 1) if whole else (track.index[0], track.index[-1])
        while last - start + 1 >= frames[0]:
            if start not in track.index and not whole:  # a stack starts where its spot is seen
                start += 1
                continue
            n = int(min(frames[1], last - start + 1))
            piece = track.loc[start : start + n - 1]
            if len(piece) < PRESENT * n:
                counts["interrupted"] += 1
                start += n
                continue
            y, x = piece[["y", "x"]].iloc[0]
            # The centre of the first pixel is 0, so the centre of a window from `top` on is top + (size - 1)/2.
            top, left = round(y - (size - 1) / 2), round(x - (size - 1) / 2)
            corners = carried[start : start + n] + (top, left)
            if corners.min() < 0 or (corners + size > shape).any():
                fate = "edge"
            elif _crowded(everything, particle, start, n, top, left, size):
                fate = "neighbour"
            else:
                fate = "cut"
                rows.append((int(particle), int(start), n, y, x, top, left))
            counts[fate] += 1
            start += n
    return pd.DataFrame(rows, columns=["particle", "frame", "frames", "y", "x", "top", "left"]), counts


def _crowded(everything, particle, start, n, top, left, size):
    """Whether another spot is seen inside the window in any of its frames."""
    for frame in range(start, start + n):
        y, x, who = everything.get(frame, np.empty((0, 3))).T
        inside = (abs(y - top - (size - 1) / 2) < size / 2) & (abs(x - left - (size - 1) / 2) < size / 2)
        if (inside & (who != particle)).any():
            return True
    return False


def check(movie: Movie, imaging: dict) -> None:
    """Refuse a movie from which no stack can be cut that models take.

    Parameters
    ----------
    movie : Movie
    imaging : the `imaging` entry of the dataset whose models apply, expanded

    Raises
    ------
    RecordingError if the frame time, exposure or pixel size is not the dataset's, or if the movie is shorter than a
    stack or smaller than its window.
    """
    spec, file = movie.spec, movie.frames.file
    fewest, size = int(np.min(imaging["frames"])), imaging["size_px"]
    longest = np.max(imaging["frame_time_s"])  # to which the dataset's exposure belongs: it shrinks with the frame time
    trained = imaging | {"exposure_s": imaging["exposure_s"] * min(spec["frame_time_s"] / longest, 1)}
    for key in ("pixel_size_um", "frame_time_s", "exposure_s"):
        low, high = np.min(trained[key]), np.max(trained[key])
        if not low * 0.99 <= spec[key] <= high * 1.01:
            known = f"{low:g} to {high:g}" if low < high else f"{low:g}"
            expected = f"{known} as in the dataset {spec['dataset']}, whose models were trained on it; or a dataset"
            raise RecordingError(file, key, spec[key], f"{expected} of this microscope, as README.md has it")
    if len(movie) < fewest or min(movie.frames.shape[1:]) < size:
        raise RecordingError(
            file,
            "file",
            f"a movie of shape {movie.frames.shape}",
            f"at least {fewest} frames of {size} x {size} pixels",
        )


def cut(movie: Movie, spots: pd.DataFrame, imaging: dict):
    """Cut a stack around every track, as a dataset without truth.

    Where drift is to be subtracted, the window of a stack is carried along: by whole pixels, and the rest by a shift in
    Fourier space, which leaves white noise white, where an interpolation would smooth it and whole pixels alone would
    make a path that jitters.

    Parameters
    ----------
    movie : Movie
    spots : what `find` returned
    imaging : the `imaging` entry of the dataset whose models apply, expanded

    Returns
    -------
    images : uint16 (item, t, y, x), ADU of the dataset's camera
    items : DataFrame, one row per item: what a simulated dataset's table holds but for D and the PSF, and particle,
        frame, y, x, and spot_fwhm_um, the width of the moving spot
    counts : dict, pieces of tracks cut and dropped; where more than a tenth of its frames reach the value at which the
        movie saturates, a stack is dropped: its spot looks wider and fainter than it is

    Raises
    ------
    NothingFound if no stack is left; RecordingError for what `check` refuses, if most stacks are saturated, or if drift
    is to be subtracted and too few tracks tell it.
    """
    check(movie, imaging)
    spec, file = movie.spec, movie.frames.file
    fewest, most = int(np.min(imaging["frames"])), int(np.max(imaging["frames"]))
    size, camera = imaging["size_px"], imaging["camera"]
    drift = np.zeros((len(movie), 2))
    if spec["tracking"]["subtract_drift"]:
        drift = common_drift(spots, len(movie), file)
        spots = without(spots, drift)
    carried = np.rint(drift).astype(int)
    pieces, counts = segments(spots, (fewest, most), size, movie.frames.shape[1:], carried, movie.of_stacks)
    log.info("stacks: %s", counts)
    if not len(pieces):
        raise NothingFound(
            file, "tracking", f"no stack ({counts})", f"a track alone in {size} x {size} pixels for {fewest} frames"
        )
    stacks = np.zeros((len(pieces), most, size, size), np.float32)
    touched = np.zeros(len(pieces))
    for i in progress(range(len(movie)), "cut"):
        photons, saturated = movie.photons(i, carried[i] - drift[i]), movie.saturated(i)
        for k, piece in zip(*_rows_at(pieces, i)):
            top, left = carried[i] + (piece.top, piece.left)
            stacks[k, i - piece.frame] = photons[top : top + size, left : left + size]
            touched[k] += saturated[top : top + size, left : left + size].any() / piece.frames
    good = touched <= SATURATED
    counts |= {"cut": int(good.sum()), "saturated": int((~good).sum())}
    if 2 * good.sum() <= len(good):
        found = f"{movie.ceiling}: {counts['saturated']} of {len(good)} stacks reach it"
        raise RecordingError(file, "file", found, "spots below it in most stacks: less light, exposure or gain")
    stacks, pieces = stacks[good], pieces[good].reset_index(drop=True)
    used = spots[spots["particle"].isin(pieces["particle"])]
    tracks = {particle: track.set_index("frame")[["y", "x"]] for particle, track in used.groupby("particle")}
    measured = []
    for stack, piece in zip(stacks, pieces.itertuples()):
        positions = tracks[piece.particle].reindex(range(piece.frame, piece.frame + piece.frames)).to_numpy()
        measured.append(spot(stack[: piece.frames], positions - (piece.top, piece.left)))
    items = pieces.drop(columns=["top", "left"])
    items[["y", "x"]] += drift[items["frame"]]  # as seen in the movie
    measured = pd.DataFrame(measured, columns=["photons", "background", "spot_fwhm_um", "contrast", "noise"])
    items = pd.concat([items, measured], axis=1)
    items["spot_fwhm_um"] *= spec["pixel_size_um"]
    items["photons"] /= camera["quantum_efficiency"]
    items["background"] /= camera["quantum_efficiency"]
    items["frame_time_s"], items["exposure_s"] = spec["frame_time_s"], spec["exposure_s"]
    adu = np.rint(camera["gain"] * camera["em_gain"] * stacks + camera["offset"])
    images = np.clip(adu, 0, camera["saturation"]).astype(np.uint16)
    for image, n in zip(images, items["frames"]):
        image[n:] = 0  # a shorter stack ends in empty frames, as a simulated one does
    return images, items, counts


def _rows_at(pieces, frame):
    """Positions and rows of the pieces that hold a frame of the movie."""
    held = np.flatnonzero((pieces["frame"] <= frame) & (frame < pieces["frame"] + pieces["frames"]))
    return held, pieces.iloc[held].itertuples()


def spot(stack, positions):
    """What the spot of a stack looks like on average: a Gaussian on a flat ground, fitted to its radial profile.

    Parameters
    ----------
    stack : (t, y, x), photons
    positions : (t, 2), (y, x) of the spot in pixels of the stack, NaN where lost

    Returns
    -------
    tuple: photons of the spot, background (photons per pixel), FWHM (pixels), contrast (peak over noise), noise
    (photons, SD of the residuals); NaN where the fit fails.
    """
    found = np.flatnonzero(np.isfinite(positions).all(axis=1))
    y, x = np.mgrid[: stack.shape[1], : stack.shape[2]]
    r2 = (y - positions[found, 0, None, None]) ** 2 + (x - positions[found, 1, None, None]) ** 2
    near = r2 < (min(stack.shape[1:]) / 2) ** 2
    r2, value = r2[near], stack[found][near]
    ring = (RINGS * np.sqrt(r2)).astype(int)
    number = np.bincount(ring)
    some = number > 0
    mean_r2, mean = np.bincount(ring, r2)[some] / number[some], np.bincount(ring, value)[some] / number[some]

    def model(p, r2):
        return p[0] * np.exp(-r2 / (2 * p[1] ** 2)) + p[2]

    def residuals(p):
        return (model(p, mean_r2) - mean) * np.sqrt(number[some])

    fit = least_squares(residuals, (np.ptp(mean), 2.0, mean[-1]), method="lm", max_nfev=200)
    peak, width, ground = fit.x
    if not fit.success or peak <= 0:
        return (np.nan,) * 5
    noise = float(np.std(value - model(fit.x, r2)))
    psf = np.sqrt(max(width**2 - 1 / 12, 0))  # a pixel's own width is no part of the PSF
    return 2 * np.pi * peak * width**2, max(ground, 0.0), FWHM * psf, peak / noise if noise > 0 else np.nan, noise
