"""Learning curves: losses and other metrics of the validation split against the items presented."""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import keep_first, plain_log, round_numbers
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM

COLUMNS = ("items", "seconds", "train_loss", "validation_loss")


def draw(path, given: Material, metrics=None):
    """Training and validation loss, a panel per method: each has a loss of its own; then a panel per metric for all.

    Parameters
    ----------
    path : file to write
    given : its `curves`, a line for each training seed
    metrics : {column of the learning curves: label}, drawn on a log axis
    """
    metrics = metrics or {}
    tables: dict[str, list] = {}
    for one, curve in given.trained(COLUMNS):
        tables.setdefault(one.method, []).append(curve)
    if not tables:
        return style.empty(path, "no method of this dataset was trained")
    styles = given.styles(dict.fromkeys(tables, "learned"))
    panels = len(tables) + len(metrics)
    rows, columns = -(-panels // style.MOST_WIDE), min(panels, style.MOST_WIDE)
    with style.figure(path, style.width(columns), (15 + 48 * rows) * MM) as drawing:
        axes = keep_first(drawing.subplots(rows, columns, sharex=True, squeeze=False), panels)
        axes[0].set_xscale("log")
        for ax, (method, curves) in zip(axes, tables.items()):
            _losses(ax, curves, styles[method])
            minutes = np.mean([curve["seconds"].iloc[-1] for curve in curves]) / 60
            ax.set_title(f"{method} ({minutes:.2g} min)", color=styles[method]["color"])
        for ax, (column, label) in zip(axes[len(tables) :], metrics.items()):
            _metric(ax, tables, column, styles)
            ax.set_title(label)
        drawing.supylabel("loss (thin: training, thick: validation)", fontsize=7)
        drawing.supxlabel("training items presented", fontsize=7)
        drawing.suptitle(given.dataset, fontsize=7)


def _losses(ax, curves, look):
    """Losses of one method."""
    for curve in curves:
        ax.plot(curve["items"], curve["train_loss"], color=look["color"], lw=0.6, alpha=0.7)
        _line(ax, curve, "validation_loss", look)


def _metric(ax, tables, column, styles):
    """One metric of all methods."""
    for method, curves in tables.items():
        for curve in curves:
            _line(ax, curve, column, styles[method])
    values = np.concatenate([curve[column] for curves in tables.values() for curve in curves])
    values = values[np.isfinite(values) & (values > 0)]
    plain_log(ax.yaxis, round_numbers(values.min(), values.max()) if len(values) else [])


def _line(ax, curve, column, look):
    """One column of a learning curve, its last value marked."""
    ax.plot(curve["items"], curve[column], color=look["color"])
    last = curve.dropna(subset=column).tail(1)
    ax.plot(last["items"], last[column], **{**look, "ls": ""}, ms=2.5)
