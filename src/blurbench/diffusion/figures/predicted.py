"""Predicted against true D, one panel per method.

On the diagonal an answer is right. A line beside it is a bias, a band wider than that of an ideal estimator is
scatter that could be avoided. A band that bends to a level at an end is that of a method which falls back on what it
knows of the range.
"""

import numpy as np
from matplotlib.lines import Line2D

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.figures.conditions import UNIT, grid
from blurbench.drawing import style
from blurbench.drawing.axes import keep_first, plain_log
from blurbench.drawing.material import Material
from blurbench.drawing.style import KIND_COLOURS, MM
from blurbench.scoring.scores import read_one

TITLE = 20  # letters that fit above a panel


def draw(path, given: Material):
    """Median, 68 % and 95 % of the items at each D of the test grid, and an ideal estimator's 68 %."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    shown = scores.methods[scores.methods.kind != "limit"]
    cells = grid(scores)
    D = np.array([value for value, _ in cells])
    estimates = scores.values["relative_d"]

    def quantiles(row):
        with np.errstate(all="ignore"):
            levels = [2.5, 16, 50, 84, 97.5]
            return D * np.array([_percentiles(estimates[row][:, items], levels) for _, items in cells]).T

    bound = scores.methods.index[scores.methods.method == "cramer_rao"]
    lowest, highest = D.min() / 4, D.max() * 4
    rows = -(-len(shown) // style.MOST_WIDE)
    with style.figure(path, height=(28 + 40 * rows) * MM) as drawing:
        axes = keep_first(drawing.subplots(rows, style.MOST_WIDE, sharex=True, sharey=True, squeeze=False), len(shown))
        for ax, (row, method) in zip(axes, shown.iterrows()):
            if len(bound):
                low, _, high = quantiles(bound[0])[1:4]
                ax.fill_between(D, np.maximum(low, lowest / 10), high, color="0.85", lw=0)
            ax.plot([lowest, highest], [lowest, highest], color="0.4", lw=0.6)
            outer_low, low, middle, high, outer_high = np.clip(quantiles(row), lowest / 10, None)
            colour = KIND_COLOURS[method.kind]
            ax.vlines(D, outer_low, outer_high, color=colour, lw=0.7)
            ax.vlines(D, low, high, color=colour, lw=2.2)
            ax.plot(D, middle, "o", ms=2.8, mfc="white", mec=colour, mew=0.8)
            failed = scores.failed[row].sum() / (method.seeds * len(scores.items))
            ax.set_title(style.broken(method.method, TITLE), color=colour, pad=3)
            if failed:
                words = f"{100 * failed:.3g} % failed"
                ax.text(0.04, 0.95, words, transform=ax.transAxes, va="top", fontsize=style.SMALL)
            plain_log(ax.xaxis)
            plain_log(ax.yaxis)
            ax.set(xlim=(D.min() / 1.8, D.max() * 1.8), ylim=(lowest, highest))
        drawing.supxlabel(f"true D ({UNIT})")
        drawing.supylabel(f"predicted D ({UNIT})")
        handles = [
            Line2D([], [], marker="o", ls="", mfc="white", mec="0.2", label="median"),
            Line2D([], [], color="0.2", lw=2.2, label="68 % of the items"),
            Line2D([], [], color="0.2", lw=0.7, label="95 %"),
            Line2D([], [], color="0.85", lw=5, label="68 % of an ideal estimator at the Cramér-Rao bound of the path"),
        ]
        drawing.legend(handles=handles, loc="outside upper center", ncols=2, title=scores.dataset)


def _percentiles(values, levels):
    values = values[np.isfinite(values)]
    return np.percentile(values, levels) if len(values) else np.full(len(levels), np.nan)
