"""N_SSIM against the depth into the specimen, for each study.

0 is a copy of the view, 1 is the truth, below 0 an answer is worse than the view itself. A line that falls to the
right is that of a method which loses with depth. Bars are 95 % intervals over volumes.
"""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import keep_first, label_panels
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.fusion import PROBLEM
from blurbench.fusion.score import DEPTHS
from blurbench.scoring.scores import RANKED, read_one

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
    height = 12 + 50 * rows + 4 * -(-len(scores.methods) // 5)
    with style.figure(path, style.WIDTH, height * MM) as drawing:
        axes = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        shown = keep_first(axes, len(studies))
        for ax, study in zip(shown, studies):
            _panel(ax, scores.take((scores.items["study"] == study).to_numpy()), styles, given)
            ax.set(title=study, xlabel="depth")
        shown[0].set(xticks=range(len(DEPTHS)), xticklabels=DEPTHS, xlim=(-0.4, len(DEPTHS) - 0.6), ylim=(LOWEST, 1.03))
        for ax in axes[:, 0]:
            ax.set_ylabel("median N_SSIM")
        label_panels(shown)
        title = f"{scores.dataset} (bars: 95 % intervals)"
        drawing.legend(*shown[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, title=title)


def _panel(ax, scores, styles, given):
    """The medians of one study, bars of methods side by side."""
    medians = np.array([given.estimate(scores, f"n_ssim_{depth}", "median") for depth in DEPTHS])  # (depth, 3, method)
    for row, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        value, low, high = medians[..., row].T
        x = np.arange(len(DEPTHS)) + 0.4 * (row / max(len(scores.methods) - 1, 1) - 0.5)
        bars = [value - low, high - value] if kind in RANKED else None
        ax.errorbar(x, value, bars, **styles[method], lw=0.9, elinewidth=0.6, label=method)
