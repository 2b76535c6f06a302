"""Average ranks of methods over datasets, and which of them are not shown to differ: a critical-difference diagram.

Drawn by scikit-posthocs, in the colours and markers of the methods.
"""

import pandas as pd
from matplotlib.ticker import MaxNLocator
from scikit_posthocs import critical_difference_diagram

from blurbench import problems
from blurbench.drawing import style
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.planning.compared_datasets import DATASETS, METHODS, independent
from blurbench.scoring import friedman
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import RANKED, read

ROW = 5 * MM  # of a name
GAP = 0.005  # of the axis, between a name and its line


def draw(path, problem: str, given: Material):
    """One diagram of the learned and classical methods that have an answer on every dataset that counts.

    Parameters
    ----------
    path : file to write
    problem : its name; methods are ranked by the number that orders its tables
    given : its `scores`, of all datasets, and `datasets`
    """
    metric, number = numbers(problems.find(problem, "score.METRICS"))[0]
    badness, kinds = _badness(given, problems.load(problem).conditions, metric, number)
    if len(badness) < DATASETS or len(badness.columns) < METHODS:
        return style.empty(path, f"no {DATASETS} datasets with {METHODS} methods in common")
    found = friedman.test(badness)
    looks, most = given.styles({name: kinds[name] for name in badness}), len(badness.columns)
    with style.figure(path, height=(most // 2 + 6) * ROW) as drawing:
        ax = drawing.subplots()
        drawn = critical_difference_diagram(
            found.ranks,
            found.p_pairs,
            alpha=friedman.LEVEL,
            ax=ax,
            label_fmt_left="{label}  {rank:.1f}",
            label_fmt_right="{rank:.1f}  {label}",
            label_props={"fontsize": style.SMALL},
            marker_props={"marker": ""},  # which would be one for all
            elbow_props={"clip_on": False, "lw": 0.9},
            crossbar_props={"color": "0.3"},
            color_palette={name: look["color"] for name, look in looks.items()},
            text_h_margin=0.02 * most,
        )
        for text in drawn["labels"]:
            away = GAP * most * (1 if text.get_ha() == "left" else -1)
            text.set(x=text.get_position()[0] + away, color="0.1")  # some colours of lines are too light for words
        for name, look in looks.items():
            ax.plot(found.ranks[name], 0, **{**look, "ls": ""}, ms=5, clip_on=False, zorder=4)
        ax.set_xlim(1, most)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines["top"].set_visible(True)
        ax.grid(False)
        drawing.suptitle(_title(badness, found, number))


def _badness(given, conditions, metric, number):
    """The number of each method on each dataset such that smaller is better, (datasets, methods); kinds of methods."""
    counted, rows = independent(given.datasets), {}
    kinds: dict[str, str] = {}
    for one in read(given.scores, conditions):
        if one.dataset in counted:
            value = one.replicates(metric.name, number.reduce, one.resampling(1, given.seed)).value
            ranked = one.methods[one.methods.kind.isin(RANKED)]
            rows[one.dataset] = pd.Series(metric.badness(number, value)[ranked.index], ranked.method)
            kinds |= dict(zip(ranked.method, ranked.kind))
    return pd.DataFrame(rows).T.dropna(axis=1), kinds


def _title(badness, found, number):
    first = f"{number.label}: average rank over {len(badness)} datasets (1 is the best; Friedman's p = {found.p:.2g})"
    return f"{first}\njoined: not shown to differ (Nemenyi's critical difference: {found.critical:.2g} ranks)"
