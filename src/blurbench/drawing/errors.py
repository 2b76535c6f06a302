"""The number that orders the tables as an error, smaller being better: what figures of cost show against it."""

import numpy as np
import pandas as pd

from blurbench.drawing.axes import plain_log
from blurbench.drawing.material import Material
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.scores import Scores


def errors(given: Material, scores: Scores, metric: Metric, number: Published) -> pd.DataFrame:
    """Error of each method, by its name, with how far its 95 % interval reaches below and above; and its kind.

    Of a number that is best at its highest, what is missing to that. A bar has no length where the items are too few
    for an interval.
    """
    value, low, high = given.estimate(scores, metric.name, number.reduce)
    if _missing(metric, number):
        value, low, high = metric.range[1] - np.array([value, high, low])
    bars = {"below": np.nan_to_num(value - low), "above": np.nan_to_num(high - value)}
    return pd.DataFrame({"value": value, **bars, "kind": scores.methods.kind}).set_index(scores.methods.method)


def error_axis(ax, shown: pd.DataFrame, metric: Metric, number: Published) -> None:
    """A log axis for the rows of `errors` that are shown, with its label."""
    ends = np.concatenate([shown.value, shown.value - shown.below, shown.value + shown.above])
    ends = ends[ends > 0]  # of few items, an interval may pass 0, and no log axis shows it
    ax.set_ylim(0.8 * ends.min(), 1.2 * ends.max())
    plain_log(ax.yaxis)
    name = number.label or number.name
    ax.set_ylabel(f"{metric.range[1]:g} − {name}" if _missing(metric, number) else name)


def _missing(metric, number):
    return metric.direction_of(number) == "max"
