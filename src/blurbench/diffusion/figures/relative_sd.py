"""SD of ln D (the relative SD of D, where small) against D: classical and learned methods side by side, with limits.

Lower is better: at 0.1 answers for one D scatter by 10 %. Lines are bounds, which unbiased methods cannot pass; one
that is drawn to a prior, or to the ends of its range, may lie below. Bars are 95 % intervals over stacks.
"""

import numpy as np
from matplotlib.lines import Line2D

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.figures.conditions import UNIT, grid
from blurbench.drawing import style
from blurbench.drawing.axes import label_panels, plain_log
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.scores import read_one

BOUNDS = {  # drawn as lines beside the methods
    "cramer_rao": "Cramér-Rao bound of the path",
    "cramer_rao_known": "localisation error known",
    "cramer_rao_exact": "path known exactly",
    "posterior": "exact posterior",
}


def draw(path, given: Material):
    """SD of the errors of ln D, with 95 % intervals; the bounds are lines.

    A method whose answers are drawn to a prior, or to the ends of its range, may lie below an unbiased bound.
    """
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    cells, styles = grid(scores), given.styles(dict(zip(scores.methods.method, scores.methods.kind)))
    D = np.array([value for value, _ in cells])
    estimates = [given.estimate(scores.take(items), "error_ln_d", "sd") for _, items in cells]
    value, low, high = np.moveaxis(np.array(estimates), 1, 0)  # (D, method) each
    with style.figure(path, height=115 * MM) as drawing:
        axes, legends = drawing.subplots(2, 2, sharey="row", height_ratios=(5, 1))
        for ax, below, kind in zip(axes, legends, ("classical", "learned")):
            for row in scores.methods.index[scores.methods.method.isin(BOUNDS)]:
                ax.plot(D, value[:, row], **styles[scores.methods.method[row]], lw=0.9)
            rows = [
                row for row in scores.methods.index[scores.methods.kind == kind] if np.isfinite(value[:, row]).any()
            ]
            handles = []
            for k, row in enumerate(rows):
                shift = 1 + 0.02 * (k - (len(rows) - 1) / 2)  # bars of different methods side by side
                handles.append(
                    ax.errorbar(
                        *(D * shift, value[:, row], [value[:, row] - low[:, row], high[:, row] - value[:, row]]),
                        **styles[scores.methods.method[row]],
                        elinewidth=0.7,
                        label=scores.methods.method[row],
                    )
                )
            plain_log(ax.xaxis)
            plain_log(ax.yaxis, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10])
            ax.set(xlabel=f"D ({UNIT})", title=f"{kind} methods", ylim=_limits(value))
            below.set_axis_off()
            below.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0)
        axes[0].set_ylabel("SD of ln D  (95 % interval)")
        label_panels(axes)
        bounds = [
            Line2D([], [], **styles[name], lw=0.9, label=label) for name, label in BOUNDS.items() if name in styles
        ]
        drawing.legend(handles=bounds, loc="outside upper center", ncols=4, title=scores.dataset)


def _limits(value):
    """Range of the axis, as far as a spread is known."""
    known = value[np.isfinite(value) & (value > 1e-3)]  # a control that never moves has no spread to show
    return (0.85 * known.min(), 1.2 * known.max()) if len(known) else (0.05, 5)
