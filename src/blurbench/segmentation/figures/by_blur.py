"""Pixel F1, instance F1 and error of the count against blur, for each stain.

A column for each stain, blur grows to the right. Of F1 higher is better, of the error of the count lower. Bars are 95
% intervals over scenes. What falls early is a method for sharp images only.
"""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import apart, label_panels, side_by_side
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.scores import RANKED, read_one
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.items import STAINS

ROWS = {  # metric, its reduction, label, range of the axis
    "pixel F1": ("pixel_f1", "mean"),
    "instance F1 at IoU 0.5": ("instance_f1_50", "mean"),
    "error of the count (cells)": ("count_error", "mean_abs"),
}
LOWEST = 0.6  # of the axis of pixel F1: what is worse is of no use
FEW = 1  # error of the count up to which the axis is linear, and logarithmic beyond


def draw(path, given: Material):
    """Means over the images of each blur level with 95 % intervals, a column per stain."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    stains, methods = np.unique(scores.items["stain"]).astype(int), scores.methods
    styles = given.styles(dict(zip(methods.method, methods.kind)))
    width = style.width(len(stains))
    height = (16 + 50 * len(ROWS)) * MM + style.legend_height(methods.method, available=width)
    with style.figure(path, width, height) as drawing:
        axes = drawing.subplots(len(ROWS), len(stains), sharex=True, sharey="row", squeeze=False)
        for stain, column in zip(stains, axes.T):
            part = scores.take((scores.items["stain"] == stain).to_numpy())
            for ax, numbers in zip(column, ROWS.values()):
                _lines(ax, part, *numbers, styles, given)
            column[0].set_title(STAINS[stain])
            column[-1].set_xlabel("blur F (px)")
        for ax, label in zip(axes[:, 0], ROWS):
            ax.set_ylabel(label)
        axes[0, 0].set_ylim(LOWEST, 1.01)
        axes[1, 0].set_ylim(-0.03, 1.03)
        axes[2, 0].set_yscale("symlog", linthresh=FEW)
        axes[2, 0].set_ylim(bottom=0)
        axes[2, 0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        blurs = np.unique(scores.items["blur_px"])
        axes[0, 0].set_xticks(apart(blurs, 0.08 * max(np.ptp(blurs), 1)))
        label_panels(axes.flat)
        title = f"{scores.dataset} (bars: 95 % intervals)"
        style.legend_above(drawing, *axes[0, 0].get_legend_handles_labels(), title)


def _lines(ax, scores, metric, reduce, styles, given):
    """One number of every method against blur, with intervals for the learned and classical ones."""
    blurs = np.unique(scores.items["blur_px"])
    parts = [scores.take((scores.items["blur_px"] == blur).to_numpy()) for blur in blurs]
    estimates = np.array([given.estimate(part, metric, reduce) for part in parts])  # (blur, 3, method)
    places = side_by_side(blurs, len(scores.methods))
    for row, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        value, low, high = estimates[..., row].T
        bars = [value - low, high - value] if kind in RANKED else None
        ax.errorbar(places[row], value, bars, **styles[method], lw=0.9, elinewidth=0.6, label=method)
