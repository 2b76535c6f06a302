"""N_SSIM against the depth into the specimen, for each study.

0 is a copy of the view, 1 is the truth, below 0 an answer is worse than the view itself. A line that falls to the
right is that of a method which loses with depth. Bars are 95 % intervals over volumes.
"""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import keep_first, label_panels, side_by_side
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.fusion import PROBLEM
from blurbench.fusion.score import DEPTHS
from blurbench.scoring.scores import RANKED, read_one

TITLE = 12  # letters that fit between the letters of two panels
LOWEST = -0.5  # of the axis: what is worse is worse than a copy by far


def draw(path, given: Material):
    """Medians with 95 % intervals in each third of the planes, a panel per study."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    studies = list(dict.fromkeys(scores.items["study"]))
    styles = given.styles(dict(zip(scores.methods.method, scores.methods.kind)))
    columns = min(len(studies), style.MOST_WIDE)
    rows = -(-len(studies) // columns)
    height = (14 + 56 * rows) * MM + style.legend_height(scores.methods.method)
    with style.figure(path, style.WIDTH, height) as drawing:
        axes = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        shown = keep_first(axes, len(studies))
        for ax, study in zip(shown, studies):
            _panel(ax, scores.take((scores.items["study"] == study).to_numpy()), styles, given)
            ax.set(title=style.broken(study, TITLE), xlabel="depth")
        shown[0].set(xticks=range(len(DEPTHS)), xticklabels=DEPTHS, xlim=(-0.4, len(DEPTHS) - 0.6), ylim=(LOWEST, 1.03))
        for ax in axes[:, 0]:
            ax.set_ylabel("median N_SSIM")
        label_panels(shown)
        title = f"{scores.dataset} (bars: 95 % intervals)"
        style.legend_above(drawing, *shown[0].get_legend_handles_labels(), title)


def _panel(ax, scores, styles, given):
    """The medians of one study, bars of methods side by side."""
    medians = np.array([given.estimate(scores, f"n_ssim_{depth}", "median") for depth in DEPTHS])  # (depth, 3, method)
    places = side_by_side(np.arange(len(DEPTHS)), len(scores.methods))
    for row, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        value, low, high = medians[..., row].T
        bars = [value - low, high - value] if kind in RANKED else None
        ax.errorbar(places[row], value, bars, **styles[method], lw=0.9, elinewidth=0.6, label=method)
