"""Centres that are known beside a recording: read, and what a method found scored against them as in the benchmark.

They stand in a CSV as those of details.csv do: z, y, x in µm from the centre of the recording's first voxel, and of
several volumes `file`, `time` or both, whichever tells them apart. A volume of which it says nothing is not scored.
"""

import numpy as np
import pandas as pd

from blurbench.colloids import PROBLEM
from blurbench.colloids.score import score
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recording_error import RecordingError

AXES = ["z", "y", "x"]
SCORES = ("f1", "precision", "recall", "ap", "rms_z_d", "rms_xy_d", "bias_z_d")  # of METRICS
WITHIN = 0.5  # share of the centres that must lie in the volume: in pixels, or another frame, fewer would


def read(recording: dict, volumes: list[dict], extent) -> list[np.ndarray | None]:
    """Known centres (n, 3) of each volume, µm from the centre of its first voxel, None of one without.

    Parameters
    ----------
    recording : entry of the configuration; without `centres` nothing is known of any volume
    volumes : {"file", "time"} of each, as `preparation.prepare` keeps them
    extent : (3,) of a volume, µm

    Raises
    ------
    RecordingError for a file that is no such table, for a volume that the recording does not have, and if most
    centres lie outside of the volumes.
    """
    if "centres" not in recording:
        return [None] * len(volumes)
    path = recording["centres"]
    telling = [key for key in ("file", "time") if len({volume[key] for volume in volumes}) > 1]
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(telling, str), skipinitialspace=True)
    except (OSError, ValueError) as error:  # pandas' own are of the latter
        raise RecordingError(path, "centres", f"no table ({error})", f"a CSV of {_named(telling)}") from None
    if missing := [column for column in (*telling, *AXES) if column not in table]:
        found = f"the columns {', '.join(map(str, table))}, without {', '.join(missing)}"
        raise RecordingError(path, "centres", found, _named(telling))
    if table.empty:
        raise RecordingError(path, "centres", "no centre", f"at least one: {_named(telling)}")
    points = table[AXES].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if len(wrong := np.flatnonzero(~np.isfinite(points).all(axis=1))):
        found = f"{', '.join(map(str, table.loc[wrong[0], AXES]))} in line {wrong[0] + 2}"
        raise RecordingError(path, "centres", found, "three numbers, µm")
    within = ((points >= 0) & (points <= extent)).all(axis=1)
    if within.mean() < WITHIN:
        reach = " x ".join(f"{side:.3g}" for side in extent)
        found = f"{within.sum()} of {len(points)} centres inside of a volume of {reach} µm"
        raise RecordingError(path, "centres", found, "µm from the centre of the first voxel, and most inside")
    labels = [tuple(row) for row in table[telling].fillna("").to_numpy(object)]
    places = [tuple(_text(volume[key]) for key in telling) for volume in volumes]
    if strange := [label for label in labels if label not in places]:
        expected = f"one of the recording's: {'; '.join(', '.join(place) for place in places[:5])}"
        raise RecordingError(path, "centres", f"the volume {', '.join(strange[0])}", expected)
    rows = [np.array([label == place for label in labels], bool) for place in places]
    return [points[own] if own.any() else None for own in rows]


def _named(telling):
    """Columns of the table, in words."""
    return f"{', '.join([*telling, *AXES])}, in µm from the centre of the first voxel"


def _text(value):
    return "" if value is None else str(value)


def scores(items: Dataset, answer: pd.DataFrame, known: list[np.ndarray | None]) -> pd.DataFrame:
    """Scores of a method on every volume, the columns SCORES of `blurbench.colloids.score`, NaN where nothing is known.

    A volume without an answer counts as one in which nothing was found, as in the benchmark.

    Parameters
    ----------
    items : Dataset that `preparation.prepare` wrote
    answer : of the method: item, z, y, x (µm from the centre of the item's first voxel), confidence, seconds, status
    known : of each item, (n, 3) in the same frame, or None
    """
    there = [i for i, points in enumerate(known) if points is not None]
    table = pd.DataFrame(np.nan, index=range(len(items)), columns=list(SCORES))
    for i in there:
        one, own = items[i : i + 1], answer[answer["item"] == i].assign(item=0)
        conditions = one.items.assign(**dict.fromkeys(PROBLEM.conditions, np.nan))  # of a simulated volume, for tables
        found = score(Dataset(one.attrs, one.images, conditions, {"centres": known[i][None]}), own)
        found = found.set_index("metric").loc[list(SCORES)]
        table.loc[i] = found["value"].where(found["status"] == OK, found["worst"]).to_numpy()
    return table
