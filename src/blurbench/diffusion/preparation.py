"""From a movie to the stacks that methods take: one around every track of a spot, as a dataset without truth."""

import logging

import numpy as np
import pandas as pd

from blurbench.diffusion import tracking
from blurbench.diffusion.movie import open_movie
from blurbench.running.preparation import write

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
    movie = open_movie(recording)
    log.info("%s", movie.transfer)
    spots = tracking.find(movie, recording["tracking"], int(np.min(spec["imaging"]["frames"])))
    images, items, counts = tracking.cut(movie, spots, spec["imaging"])
    pixel = (recording["pixel_size_um"], "micrometer")
    axes = {"t": (recording["frame_time_s"], "second"), "y": pixel, "x": pixel}
    write(store, manifest, recording, {**spec, "pieces": counts}, movie.transfer, axes, images, items)
    return spots
