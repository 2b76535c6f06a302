"""From a movie to the stacks that methods take: one around every track of a spot, as a dataset without truth."""

import logging

import numpy as np
import pandas as pd

from blurbench.diffusion import tracking
from blurbench.files import datasets

AXES = ["item", "t", "y", "x"]
SHARD = 256

log = logging.getLogger(__name__)


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Find and link the spots of a movie and write a stack around every track, as a dataset without truth.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, what `tracking.find` returned.

    Raises
    ------
    RecordingError for whatever is wrong with the movie, its calibration or its settings.
    """
    movie = tracking.open_recording(recording)
    log.info("gain %.4g ADU per electron, offset %.4g ADU (%s)", *movie.transfer)
    spots = tracking.find(movie, recording["tracking"], int(np.min(spec["imaging"]["frames"])))
    images, items, counts = tracking.cut(movie, spots, spec["imaging"])
    header = {
        "problem": recording["problem"],
        "dataset": recording["dataset"],
        "split": "recording",
        "seed": 0,
        "axes": AXES,
        "voxel_size": [None, recording["frame_time_s"], recording["pixel_size_um"], recording["pixel_size_um"]],
        "units": [None, "second", "micrometer", "micrometer"],
        "spec": {**spec, "recording": recording, "calibration": movie.transfer._asdict(), "pieces": counts},
    }
    shards = ((images[a : a + SHARD], items.iloc[a : a + SHARD], {}) for a in range(0, len(images), SHARD))
    datasets.write(store, manifest, header, len(images), SHARD, shards)
    return spots
