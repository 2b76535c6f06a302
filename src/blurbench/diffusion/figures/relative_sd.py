"""SD of ln D (the relative SD of D, where small) against D, and below it the bias that it leaves out, with limits.

A method whose answers are drawn to a prior, or to the ends of its range, has a small SD, which may lie below an
unbiased bound, and pays for it in bias. Lower is better: at 0.1 answers for one D scatter by 10 %. Lines are bounds.
Bars are 95 % intervals over stacks.
"""

import numpy as np
from matplotlib.lines import Line2D

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.figures.conditions import UNIT, grid
from blurbench.drawing import style
from blurbench.drawing.axes import label_panels, plain_log, side_by_side
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.scores import RANKED, read_one

BOUNDS = {  # drawn as lines beside the methods
    "cramer_rao": "Cramér-Rao bound of the path",
    "cramer_rao_known": "localisation error known",
    "cramer_rao_exact": "path known exactly",
    "posterior": "exact posterior",
}
ROWS = {"sd": "SD of ln D", "bias": "bias of ln D"}
LARGEST = 1.5  # bias shown: a factor of 4.5 in D


def draw(path, given: Material):
    """SD and mean of the errors of ln D with 95 % intervals, learned and classical methods apart; bounds are lines."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    cells, styles = grid(scores), given.styles(dict(zip(scores.methods.method, scores.methods.kind)))
    D, parts = np.array([value for value, _ in cells]), [scores.take(items) for _, items in cells]
    estimates = {reduce: [given.estimate(part, "error_ln_d", reduce) for part in parts] for reduce in ROWS}
    below = max((scores.methods.kind == kind).sum() for kind in RANKED)  # entries of the larger legend
    with style.figure(path, height=(125 + 5 * -(-below // 2)) * MM) as drawing:
        axes = drawing.subplots(3, 2, sharex="row", sharey="row", height_ratios=(52, 38, 5 * -(-below // 2)))
        for (*column, key), kind in zip(axes.T, RANKED):
            for ax, (reduce, label) in zip(column, ROWS.items()):
                handles = _panel(ax, D, np.array(estimates[reduce]), scores.methods, kind, styles)
                if kind == RANKED[0]:
                    ax.set_ylabel(label)
            column[0].set_title(f"{kind} methods")
            column[1].set_xlabel(f"D ({UNIT})")
            key.set_axis_off()
            key.legend(handles=handles, loc="upper center", ncols=2, borderaxespad=0)
        for ax in axes[0]:
            ax.xaxis.set_tick_params(labelbottom=False)
        plain_log(axes[0, 0].yaxis)
        axes[0, 0].set_ylim(_limits(np.array(estimates["sd"])[:, 0]))
        reach = np.nanmax(np.abs(np.array(estimates["bias"])[:, 0, scores.methods.kind.isin(RANKED)]), initial=0.1)
        axes[1, 0].set_ylim(*np.array([-1.1, 1.1]) * min(reach, LARGEST))
        label_panels(axes[:2].flat)
        bounds = {label: Line2D([], [], **styles[name], lw=0.9) for name, label in BOUNDS.items() if name in styles}
        title = f"{scores.dataset} (bars: 95 % intervals)"
        style.legend_above(drawing, bounds.values(), list(bounds), title)


def _panel(ax, D, estimates, methods, kind, styles):
    """One statistic of the methods of one kind, and of the limits; returns what stands in the legend.

    estimates : (D, 3, method), the statistic with its interval
    """
    for row in methods.index[methods.method.isin(BOUNDS)]:
        ax.plot(D, estimates[:, 0, row], **styles[methods.method[row]], lw=0.9)
    rows = [row for row in methods.index[methods.kind == kind] if np.isfinite(estimates[:, 0, row]).any()]
    handles = []
    for x, row in zip(side_by_side(D, len(rows), log=True), rows):
        value, low, high = estimates[..., row].T
        look = {**styles[methods.method[row]], "elinewidth": 0.7, "label": methods.method[row]}
        handles.append(ax.errorbar(x, value, [value - low, high - value], **look))
    plain_log(ax.xaxis)
    return handles


def _limits(value):
    """Range of the axis, as far as a spread is known."""
    known = value[np.isfinite(value) & (value > 1e-3)]  # a control that never moves has no spread to show
    return (0.85 * known.min(), 1.2 * known.max()) if len(known) else (0.05, 5)
