"""Learning curves: losses and other metrics of the validation split against the items presented."""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import keep_first, plain_log
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM

TITLE = 20  # letters that fit above a panel
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
    with style.figure(path, style.width(columns), (18 + 50 * rows) * MM) as drawing:
        axes = keep_first(drawing.subplots(rows, columns, sharex=True, squeeze=False), panels)
        for ax in axes:
            plain_log(ax.xaxis)
        for ax, (method, curves) in zip(axes, tables.items()):
            _losses(ax, curves, styles[method])
            minutes = np.mean([curve["seconds"].iloc[-1] for curve in curves]) / 60
            ax.set_title(f"{style.broken(method, TITLE)}\n({minutes:.2g} min)", color=styles[method]["color"])
        for ax, (column, label) in zip(axes[len(tables) :], metrics.items()):
            _metric(ax, tables, column, styles)
            ax.set_title(style.broken(label, TITLE))
        drawing.supylabel("loss (thin: training, thick: validation)")
        drawing.supxlabel("training items presented")
        drawing.suptitle(given.dataset)


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
    plain_log(ax.yaxis)


def _line(ax, curve, column, look):
    """One column of a learning curve, its last value marked."""
    ax.plot(curve["items"], curve[column], color=look["color"])
    last = curve.dropna(subset=column).tail(1)
    ax.plot(last["items"], last[column], **{**look, "ls": ""}, ms=2.5)
