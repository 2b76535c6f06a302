"""The motion that all tracks of a movie share, as where the stage drifts or the sample flows, and tracks without it.

The mean step of n tracks is a step of their own with 1/n of the variance: whoever takes it off takes 1/n of D with it,
and puts as much onto molecules at rest. A mean over w frames takes min(lag, w)/(n w) of the mean squared displacement
at a lag (derived; of a Brownian path, whose steps are independent). So it is taken over as many frames as leave that
below TAKEN, and refused where the whole movie holds too few steps. Positions are in pixels.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion.estimators import cve
from blurbench.microscopy.recording_error import RecordingError

TAKEN = 0.02  # largest share of the mean squared displacement that may go with the drift
LONGEST = 10  # lag (frames) up to which that holds: D is read from no longer ones
FEWEST_STEPS = round(LONGEST / TAKEN)
FEWEST_TRACKS = 5  # what fewer have in common may as well be their own
SHOWN = 0.1  # share of D from which on a drift is worth a remark


def common_drift(spots: pd.DataFrame, frames: int, file) -> np.ndarray:
    """Where what all kept tracks share has carried them since the first frame.

    Parameters
    ----------
    spots : what `tracking.find` returned
    frames : of the movie
    file : named in errors

    Returns
    -------
    (frames, 2), y and x in pixels

    Raises
    ------
    RecordingError if fewer than FEWEST_TRACKS tracks or FEWEST_STEPS steps tell it.
    """
    at, steps, tracks = _steps(spots)
    if not enough(len(steps), tracks):
        found = f"true, and {tracks} tracks with {len(steps)} steps from frame to frame"
        expected = f"{FEWEST_TRACKS} tracks with {FEWEST_STEPS}, whose own motion is not taken for drift, or false"
        raise RecordingError(file, "tracking.subtract_drift", found, expected)
    number = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=frames))])
    moved = np.zeros((frames + 1, 2))
    moved[1:] = np.cumsum(np.stack([np.bincount(at, s, minlength=frames) for s in steps.T], axis=1), axis=0)
    mean = np.full((frames, 2), np.nan)
    half = 0
    while np.isnan(mean).any():  # windows about twice as wide each time, the last as wide as the movie
        first, last = np.maximum(np.arange(frames) - half, 0), np.minimum(np.arange(frames) + half + 1, frames)
        inside = number[last] - number[first]
        good = np.isnan(mean[:, 0]) & (inside >= np.minimum(last - first, LONGEST) / TAKEN)
        mean[good] = ((moved[last] - moved[first])[good].T / inside[good]).T
        half = 2 * half + 1
    mean[0] = 0
    return np.cumsum(mean, axis=0)


def enough(steps: int, tracks: int) -> bool:
    """Whether so many steps of so many tracks tell a drift from their own motion."""
    return tracks >= FEWEST_TRACKS and steps >= FEWEST_STEPS


def without(spots: pd.DataFrame, drift: np.ndarray) -> pd.DataFrame:
    """Spots as seen by who is carried along: y and x less the drift of their frame."""
    carried = drift[spots["frame"].to_numpy()]
    return spots.assign(y=spots["y"] - carried[:, 0], x=spots["x"] - carried[:, 1])


def still(spots: pd.DataFrame, recording: dict) -> pd.DataFrame:
    """Spots (y, x) without the drift where the entry asks for that, else as they are. Raises as `common_drift`."""
    if not recording["tracking"]["subtract_drift"]:
        return spots
    return without(spots, common_drift(spots, int(spots["frame"].max()) + 1, recording["file"]))


def remarks(spots: pd.DataFrame, recording: dict) -> list[str]:
    """What a drift does to the answers, in sentences: all of it where it stays in, its blur where it is taken off.

    Within an exposure t_E a drift v widens spots as D = v² t_E/8 would: by (v t_E)²/12 along one of two axes, where D
    makes D t_E/3 along each (derived; Berglund 2010, PRE 82:011917, for the latter).

    Parameters
    ----------
    spots : what `tracking.find` returned
    recording : entry of the configuration
    """
    _, steps, tracks = _steps(spots)
    if not enough(len(steps), tracks):
        return []
    pixel, dt = recording["pixel_size_um"], recording["frame_time_s"]
    drift = common_drift(spots, int(spots["frame"].max()) + 1, recording["file"])
    D = _pooled(without(spots, drift), pixel, dt)
    speed = float(np.sqrt((np.diff(drift, axis=0) ** 2).sum(axis=1).mean())) * pixel / dt
    if recording["tracking"]["subtract_drift"]:
        more = speed**2 * recording["exposure_s"] / 8
        return [f"{_drift(speed)}, whose blur widens spots as {more:.2g} um2/s would"] if more > SHOWN * abs(D) else []
    more = _pooled(spots, pixel, dt) - D
    said = f"{_drift(speed)}, which adds {more:.2g} um2/s to the D of paths: tracking.subtract_drift takes it off"
    return [said] if more > SHOWN * abs(D) else []


def _drift(speed):
    return f"the tracks drift together, by {speed:.2g} um/s"


def _steps(spots):
    """Frame (step,) that every step of a kept track from one frame to the next ends in, steps (step, 2), the tracks."""
    kept = spots[spots["kept"]].sort_values(["particle", "frame"])
    particle, frame = kept["particle"].to_numpy(), kept["frame"].to_numpy().astype(int)
    next_one = (np.diff(particle) == 0) & (np.diff(frame) == 1)
    steps = np.diff(kept[["y", "x"]].to_numpy(), axis=0)[next_one]
    return frame[1:][next_one], steps, len(np.unique(particle))


def _pooled(spots, pixel, dt):
    """D (µm²/s) of all kept tracks together, by the covariance of their steps."""
    kept = spots[spots["kept"]].sort_values(["particle", "frame"])
    new = (np.diff(kept["particle"]) != 0) | (np.diff(kept["frame"]) != 1)
    path = np.insert(kept[["y", "x"]].to_numpy() * pixel, np.flatnonzero(new) + 1, np.nan, axis=0)
    return cve(path, dt)
