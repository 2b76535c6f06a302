"""The items made of a recording, written as a dataset without truth: the part of it that every problem has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from blurbench.files import datasets

SHARD = 256  # items


def write(
    store: str | Path,
    manifest: str | Path,
    recording: dict,
    spec: dict,
    transfer: Any,
    axes: dict[str, tuple[float | str, str]],
    images: Any,
    items: pd.DataFrame,
    shard: int = SHARD,
) -> None:
    """Write the items of a recording.

    Parameters
    ----------
    store, manifest : paths to write
    recording : entry of the configuration
    spec : entry of the dataset whose models apply, and whatever the preparation adds to it; the recording and its
        calibration are put beside
    transfer : photon_transfer.Transfer of the detector
    axes : {name: (size of a voxel, or the name of the column that holds it, its unit)} of an image
    images : (item, *axes), asked for by slices, a shard at a time
    items : DataFrame, one row per item, what a simulated dataset's table holds but for the truth
    shard : items that are in memory at a time
    """
    sizes, units = zip(*axes.values())
    header = {
        "problem": recording["problem"],
        "dataset": recording["dataset"],
        "split": "recording",
        "seed": 0,
        "axes": ["item", *axes],
        "voxel_size": [None, *sizes],
        "units": [None, *units],
        "spec": {**spec, "recording": recording, "calibration": transfer._asdict()},
    }
    shards: Iterator = ((images[a : a + shard], items.iloc[a : a + shard], {}) for a in range(0, len(images), shard))
    datasets.write(store, manifest, header, len(images), shard, shards)
