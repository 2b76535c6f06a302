"""Error on the test split against what an answer costs, and against what the training cost, each with its Pareto front.

On the front are the methods that no other is as good as at the same cost or less. Limits, which nobody can use, are
lines. Seconds are those of one thread of the machine of the run. Methods without a training of their own on the dataset
stand in the first panel alone: those without any, those whose settings are searched for, and those that borrow weights.
"""

import numpy as np
import pandas as pd

from blurbench.drawing import style
from blurbench.drawing.axes import plain_log
from blurbench.drawing.errors import error_axis, errors
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.scores import RANKED, read_one

AXES = {"item_s": "seconds an item", "core_s": "core-seconds of the training"}


def draw(path, given: Material, conditions: tuple[str, ...], metric: Metric, number: Published):
    """A point for each learned and classical method, in its own colour and marker.

    Parameters
    ----------
    path : file to write
    given : its `scores` and `curves`
    conditions : condition columns of the items
    metric, number : what is drawn, the number that orders the tables
    """
    scores = read_one(given.scores, conditions)
    if scores is None:
        return style.empty(path, "no scores")
    error = errors(given, scores, metric, number)
    seconds = given.estimate(scores, "seconds", "mean")[0]
    error = error.assign(item_s=pd.Series(seconds, index=error.index), core_s=_training_costs(given))
    ranked, limits = error[error.kind.isin(RANKED)], error[error.kind == "limit"]
    shown = {column: part for column in AXES if len(part := ranked.dropna(subset=["value", column]))}
    if not shown:
        return style.empty(path, "no method with an answer and a time")
    looks = given.styles(dict(error.kind))
    names = list(next(iter(shown.values())).index) + list(limits.index)
    with style.figure(path, height=85 * MM + style.legend_height(names)) as drawing:
        axes = drawing.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for ax, (column, part) in zip(axes, shown.items()):
            for name, row in part.iterrows():
                bar = [[row.below], [row.above]]
                ax.errorbar(row[column], row.value, bar, **looks[name], elinewidth=0.7, label=name)
            for name, row in limits.iterrows():
                ax.axhline(row.value, **looks[name], lw=0.9, label=name)
            best = part.loc[front(part[column], part.value)]
            ax.step(best[column], best.value, where="post", color="0.75", lw=2.5, zorder=0, label="Pareto front")
            ax.set(xlim=np.array([0.7, 1.4]) * [part[column].min(), part[column].max()], xlabel=AXES[column])
            plain_log(ax.xaxis)
        error_axis(axes[0], pd.concat([*shown.values(), limits.assign(below=0, above=0)]), metric, number)
        title = f"{given.dataset}: {len(scores.items)} items of the test split (bars: 95 % intervals)"
        handles, labels = axes[0].get_legend_handles_labels()
        style.legend_above(drawing, handles, labels, title)


def front(cost: pd.Series, error: pd.Series) -> list:
    """Index of the Pareto front, by ascending cost: whom nobody at the same cost or less is as good as."""
    order = pd.DataFrame({"cost": cost, "error": error}).sort_values(["cost", "error"])
    before = order.error.cummin().shift(fill_value=np.inf)
    return list(order.index[order.error < before])


def _training_costs(given):
    """Core-seconds of a training on the dataset, the mean over seeds, by method."""
    costs: dict[str, list] = {}
    for one, curve in given.trained(("items", "core_s")):
        if one.dataset == given.dataset:
            costs.setdefault(one.method, []).append(curve["core_s"].iloc[-1])
    return pd.Series({method: np.mean(found) for method, found in costs.items()}, dtype=float)
