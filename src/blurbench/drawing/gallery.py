"""A gallery: the same few items through all methods, and beside them the best, median and worst item of each method.

A row for each method shown. Which items all of them have in common is chosen by the design of the test split alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from blurbench.drawing import style
from blurbench.drawing.errors import errors
from blurbench.drawing.material import Material
from blurbench.drawing.style import KIND_COLOURS, MM
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.scores import Scores, read_one

MOST = {"learned": 4, "classical": 3, "limit": 2, "control": 1}  # methods of each kind, the best of them
COMMON = 3  # items that all methods are shown on
OWN = ("best", "median", "worst")  # items of a method, by its own error
NAME = 25 * MM  # width of the names
LETTERS = 12  # of a name in a line
LINE = 3.8 * MM  # height of a line over a panel


def draw(
    path,
    given: Material,
    conditions: tuple[str, ...],
    metric: Metric,
    number: Published,
    answers: Callable[[str], Sequence],
    show: Callable[[Any, int, Any], None],
    words: Callable[[int, Any, str], str],
    key: str,
    lines: int = 2,
    tall: float = 1.0,
):
    """A row of panels for the best methods of each kind.

    Parameters
    ----------
    path : file to write
    given : its `scores`, `predictions` and `store`
    conditions : condition columns of the items
    metric, number : what an item's error is, and the number by which methods are ranked
    answers : those of a method by item, of its first training seed
    show : draws an item and an answer to it, None if the method failed, on axes
    words : what stands over them, from the item, the answer and the error as text
    key : how a panel is read
    lines : of the words, at most
    tall : height of a panel over its width
    """
    if given.store is None:
        return style.empty(path, "no test dataset")
    scores = read_one(given.scores, conditions)
    shown = [] if scores is None else best_of_kinds(errors(given, scores, metric, number), given.answers())
    if scores is None or not shown:
        return style.empty(path, "no method with an answer and a score")
    together = in_common(scores)
    heads = [f"item {item}" for item in together] + list(OWN)
    columns = len(heads)
    side = (style.WIDTH - NAME) / columns
    with style.figure(path, height=len(shown) * (side * tall + lines * LINE) + 7 * LINE) as drawing:
        axes = drawing.subplots(len(shown), columns, squeeze=False)
        drawing.suptitle(f"{given.dataset}: {key}")
        for panels, name in zip(axes, shown):
            row = list(scores.methods.method).index(name)
            kind, found = scores.methods.kind[row], answers(name)
            look = {"rotation": 0, "ha": "right", "va": "center", "color": KIND_COLOURS[kind]}
            panels[0].set_ylabel(style.broken(name, LETTERS), **look)
            values, failed = scores.values[metric.name][row, 0], scores.failed[row, 0]
            signed = "+" if metric.direction == "target" else ""
            items = [*together, *own(metric, scores.counted(metric.name)[row, 0])]
            for ax, item, head in zip(panels, items, heads):
                answer = None if failed[item] else found[item]
                show(ax, item, answer)
                said = words(
                    item, answer, "failed" if failed[item] else f"{values[item]:{signed}z.2f}".replace("-", "−")
                )
                title = f"{head}\n{said}" if name == shown[0] else said
                ax.set_title(title, fontsize=style.SMALL, pad=2, linespacing=1.15)
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
                ax.spines[:].set_visible(False)


def best_of_kinds(error: pd.DataFrame, answered) -> list[str]:
    """Names of the best methods of each kind with an answer, in the order of the kinds, the best first.

    Parameters
    ----------
    error : of `errors`;  answered : names of methods with a predictions file
    """
    known = error[error.index.isin(list(answered))].dropna(subset=["value"]).sort_values("value", kind="stable")
    return [name for kind, most in MOST.items() for name in known.index[known.kind == kind][:most]]


def in_common(scores: Scores) -> list[int]:
    """The first, the middle and the last item in the order of their conditions, which no error decides."""
    order = np.argsort(scores.cells, kind="stable")
    return list(order[np.unique(np.linspace(0, len(order) - 1, COMMON).round().astype(int))])


def own(metric: Metric, values) -> list[int]:
    """A method's best, median and worst item, by values that count its failures; items without a value are none."""
    badness = metric.badness(Published(metric.name, "mean"), values)  # an item is good where a mean of some is
    order = np.argsort(badness, kind="stable")[: np.isfinite(badness).sum()]
    return list(order[[0, (len(order) - 1) // 2, -1]])
