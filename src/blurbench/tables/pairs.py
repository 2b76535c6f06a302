"""Paired differences between all methods of a dataset, in the published number that orders the tables."""

import numpy as np
import pandas as pd

from blurbench.scoring.scores import Scores
from blurbench.scoring.statistics import paired_differences, replicate, resampling_weights
from blurbench.tables.settings import Settings


def table(scores: list[Scores], metric, number, given: Settings) -> pd.DataFrame:
    """Paired differences of one published number, over all conditions of each dataset.

    A failed item counts as the worst value, as in the ranking. Columns: dataset, metric and those of
    `statistics.paired_differences`.
    """
    parts = []
    for one in scores:
        worst = one.worst[metric.name]
        values = np.where(np.isnan(worst), one.values[metric.name], worst)
        weights = resampling_weights(len(one.items), given.resamples, given.seed)
        losses = metric.badness(number, values) if number.reduce == "mean" else np.abs(values)
        known = np.isfinite(losses)
        losses = np.where(known, losses, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)
        found = paired_differences(replicate(values, number.reduce, weights), losses, one.methods.method)
        parts.append(found.assign(dataset=one.dataset, metric=number.name))
    table = pd.concat(parts, ignore_index=True)
    return table[["dataset", "metric", *table.columns.drop(["dataset", "metric"])]]
