"""How N_SSIM is distributed over the volumes of each study.

0 is a copy of the view, 1 is the truth. A row for each method: the further right the better, and a bar that reaches
below 0 is that of a method which makes some volumes worse than they were.
"""

import numpy as np
from matplotlib.lines import Line2D

from blurbench.drawing import style
from blurbench.drawing.axes import keep_first
from blurbench.drawing.material import Material
from blurbench.drawing.style import KIND_COLOURS, MM
from blurbench.fusion import PROBLEM
from blurbench.scoring.scores import read_one

LOWEST = -1.0  # of the axis: whatever is worse stands at its end
LEVELS = (2.5, 25, 50, 75, 97.5)  # percentiles


def draw(path, given: Material):
    """Median, quartiles and 95 % of the volumes by every method, a panel per study; a failed volume counts as such."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    studies, methods = list(dict.fromkeys(scores.items["study"])), scores.methods
    columns = min(len(studies), style.MOST_WIDE - 1)
    rows = -(-len(studies) // columns)
    n_ssim = scores.counted("n_ssim")
    with style.figure(path, style.WIDTH, (14 + rows * (18 + 4.6 * len(methods))) * MM) as drawing:
        shown = keep_first(drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False), len(studies))
        for ax, study in zip(shown, studies):
            items = (scores.items["study"] == study).to_numpy()
            for row, kind in enumerate(methods.kind):
                _distribution(ax, row, n_ssim[row][:, items], KIND_COLOURS[kind])
            ax.axvline(0, color="0.4", lw=0.6)
            ax.set(title=f"{study}\n{items.sum()} volumes", xlabel="N_SSIM")
        shown[0].set(
            xlim=(LOWEST - 0.03, 1.03),
            xticks=np.linspace(LOWEST, 1, 5),
            yticks=range(len(methods)),
            ylim=(len(methods) - 0.5, -0.5),
        )
        shown[0].set_yticklabels(methods.method)
        handles = [
            Line2D([], [], marker="o", ls="", mfc="white", mec="0.2", label="median"),
            Line2D([], [], color="0.2", lw=2.2, label="half of the volumes"),
            Line2D([], [], color="0.2", lw=0.7, label="95 %"),
        ]
        drawing.legend(handles=handles, loc="outside upper center", ncols=3, title=scores.dataset)


def _distribution(ax, row, values, colour):
    values = values[np.isfinite(values)]
    if not len(values):
        return
    outer_low, low, middle, high, outer_high = np.clip(np.percentile(values, LEVELS), LOWEST, None)
    ax.hlines(row, outer_low, outer_high, color=colour, lw=0.7)
    ax.hlines(row, low, high, color=colour, lw=2.2)
    ax.plot(middle, row, "o", ms=2.8, mfc="white", mec=colour, mew=0.8)
