"""How far an answered image is from the one without noise."""

import numpy as np
from blurbench.blobs import PROBLEM
from blurbench.blobs.items import images
from blurbench.blobs.simulate import PHOTONS

from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.score_table import score_table

METRICS = (  # the first published number orders the tables and is compared pair by pair
    Metric("rms_error", "min", (0, np.inf), PHOTONS, (Published("rmse", "rms", "RMSE (photons)"),), unit="photons"),
    Metric("success", "max", (0, 1), 0.0, (Published("success_rate", "mean", "success"),)),
    Metric("seconds", "min", (0, np.inf), np.nan, (Published("seconds", "mean", "s per image"),), unit="s"),
)
CAPTION = "Images of blobs without their noise. Mean [95 % interval, bootstrap within each level of noise]."


def score(dataset, found, metrics=METRICS):
    """Score table of one method on one dataset, one image in memory at a time; `found` are ImageAnswers."""
    errors = [np.sqrt(np.mean((found.images[i] - one.clean) ** 2)) for i, one in enumerate(images(dataset))]
    values = {"rms_error": np.array(errors, float), "seconds": found.table["seconds"].to_numpy(float)}
    status = found.table["status"].to_numpy(object)
    return score_table(dataset.items[list(PROBLEM.conditions)], metrics, values, status, dataset.spec)
