"""Error on the validation split against what the training cost, which says for whom more training would pay.

A point is a whole training. Methods that are not trained, and limits, are lines: their error on the same items.
"""

import json

import numpy as np
import pandas as pd

from blurbench.drawing import style
from blurbench.drawing.axes import plain_log
from blurbench.drawing.errors import error_axis, errors
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.scores import RANKED, read_one

AXES = {"core_s": "core-seconds of the training", "items": "training items presented"}
CLASSICAL = 3  # the best of them are drawn


def draw(path, given: Material, metric: Metric, number: Published):
    """One panel for each cost. Trainings of one method that differ in their epochs alone are joined by a line.

    Parameters
    ----------
    path : file to write
    given : its `validation` scores, `curves` and `methods`
    metric, number : what is drawn, the number that orders the tables; of one that is best at its highest, what is
        missing to that
    """
    scores = read_one(given.validation, ())  # items of a split that is drawn at random share no conditions
    families = _families(given)
    if scores is None or not families:
        return style.empty(path, "no method of this dataset was trained")
    error = errors(given, scores, metric, number)
    lines = _lines(error)
    looks = given.styles(dict.fromkeys(families, "learned") | dict(lines.kind))
    with style.figure(path, height=90 * MM) as drawing:
        axes = drawing.subplots(1, 2, sharey=True)
        for ax, (column, label) in zip(axes, AXES.items()):
            for family, members in families.items():
                costs = {
                    name: np.mean([curve[column].iloc[-1] for curve in curves]) for name, curves in members.items()
                }
                names = sorted(costs, key=lambda name: costs[name])
                rows, x = error.loc[names], np.array([costs[name] for name in names])
                ax.errorbar(x, rows.value, [rows.below, rows.above], **looks[family], elinewidth=0.7, label=family)
            for name, row in lines.iterrows():
                ax.axhline(row.value, **{**looks[name], "marker": ""}, lw=0.9, label=name)
            # At equal costs the points are next to each other; an axis of these alone would hold no number.
            ax.set_xlim(np.array([0.8, 1.25]) * [ax.dataLim.x0, ax.dataLim.x1])
            plain_log(ax.xaxis)
            ax.set_xlabel(label)
        trained = error.loc[[name for members in families.values() for name in members]]
        error_axis(axes[0], pd.concat([lines.assign(below=0, above=0), trained]), metric, number)
        title = f"{given.dataset}: {len(scores.items)} items of the validation split"
        handles, names = axes[0].get_legend_handles_labels()
        style.legend_above(drawing, handles, names, title)


def _families(given):
    """{first name: {name: learning curves}} of the trainings that are the same but for their epochs."""
    first: dict[str, str] = {}
    found: dict[str, dict[str, list]] = {}
    for one, curve in given.trained(AXES):
        if one.dataset != given.dataset:
            continue
        entry = given.methods[one.method]
        known = json.dumps({**entry, "budget": {**entry["budget"], "epochs": None}}, sort_keys=True)
        family = found.setdefault(first.setdefault(known, one.method), {})
        family.setdefault(one.method, []).append(curve)
    return found


def _lines(error):
    """Rows of `error` that are lines: the best classical methods, and all limits."""
    best = error[error.kind == RANKED[1]].sort_values("value")[:CLASSICAL]
    return pd.concat([best, error[error.kind == "limit"].sort_values("value")])
