"""Figures of the colloids problem, drawn from score tables, predictions, learning curves and a test dataset."""

from pathlib import Path

import numpy as np
import pandas as pd

from blurbench.colloids import PROBLEM
from blurbench.colloids.figures import how_low, layout, pictures
from blurbench.colloids.score import RADIUS
from blurbench.drawing import style
from blurbench.drawing.style import CYCLE, MM, readable
from blurbench.files.datasets import Dataset
from blurbench.scoring.scores import RANKED, read, read_one
from blurbench.scoring.statistics import replicate, resampling_weights

RESAMPLES = 1000


def draw(figure, path, given: style.Material):
    """Draw one figure.

    Parameters
    ----------
    figure : "slices" and "pair_correlation" (from the scores, predictions and store of one dataset), "recall_error"
        (from its scores), "learning" (from learning curves), "how_low" (from the scores of several datasets and the
        sizes in their entries)
    path : file to write, .svg (or any suffix that Matplotlib knows)

    A figure without data says so and raises nothing.
    """
    if figure == "how_low":
        how_low.how_low(path, read(given.scores, PROBLEM.conditions), given.datasets)
    elif figure == "learning":
        _learning(path, given.curves, given.dataset)
    elif figure == "recall_error":
        _recall_error(path, read_one(given.scores, PROBLEM.conditions), given.dataset)
    elif figure in ("slices", "pair_correlation"):
        if given.store is None:
            return style.empty(path, "no test dataset")
        dataset = given.store if hasattr(given.store, "images") else Dataset.open(Path(given.store))
        getattr(pictures, figure)(
            path, read_one(given.scores, PROBLEM.conditions), dataset, given.predictions, given.dataset
        )
    else:
        raise ValueError(f"no figure {figure!r}")


def _recall_error(path, scores, dataset):
    """Recall and rms error along z against the volume fraction at one CNR, a column per σz/d, with 95 % intervals."""
    if scores is None:
        return style.empty(path, "no scores")
    sizes, cnr = layout.spread(scores.items["sigma_z_d"]), layout.middle(scores.items["cnr"])
    chosen = scores.take((scores.items["cnr"] == cnr).to_numpy())
    phi, styles = np.unique(chosen.items["phi"]), layout.styles(scores)
    per_line = min(5, len(sizes) + 2)
    height = 95 + 4 * -(-len(scores.methods) // per_line)
    with style.figure(path, layout.width(len(sizes)), height * MM) as drawing:
        axes = drawing.subplots(2, len(sizes), sharex=True, sharey="row", squeeze=False)
        for column, size in zip(axes.T, sizes):
            panel = chosen.take((chosen.items["sigma_z_d"] == size).to_numpy())
            _lines(column[0], panel, "recall", "mean", phi, styles)
            _lines(column[1], panel, "rms_z_d", "rms", phi, styles)
            column[0].set_title(f"σz/d = {size:g}")
            column[1].set_xlabel("volume fraction φ")
        reach = max(np.ptp(phi), 0.1)
        axes[0, 0].set(xlim=(phi[0] - 0.1 * reach, phi[-1] + 0.1 * reach), xticks=layout.apart(phi, 0.15 * reach))
        axes[0, 0].set(ylim=(-0.03, 1.05), ylabel="recall")
        axes[1, 0].set_ylabel("rms error along z / d")
        layout.plain_log(axes[1, 0].yaxis, [0.002, 0.005, 0.01, 0.02, 0.05, 0.1])
        axes[1, 0].set_ylim(top=0.2)
        style.label_panels(axes.flat)
        chance = RADIUS / np.sqrt(5)  # rms along an axis of a point anywhere in the ball of a match
        for ax in axes[1]:
            ax.axhline(chance, color=layout.FRAMES["control"][0], lw=1)
        found = dict(zip(*reversed(axes[0, 0].get_legend_handles_labels())))
        names = [readable(method) for method in scores.methods.method]
        drawing.legend(
            *([found[name] for name in names], names),
            loc="outside upper center",
            ncols=per_line,
            title=f"{readable(dataset or scores.dataset)}, CNR {cnr:g} (bars: 95 % intervals)",
        )


def _lines(ax, scores, metric, reduce, phi, styles):
    """One metric of every method against the volume fraction, with intervals for the learned and classical ones."""
    estimates = np.full((3, len(phi), len(scores.methods)), np.nan)
    for j, value in enumerate(phi):
        values = scores.values[metric][..., (scores.items["phi"] == value).to_numpy()]
        if values.shape[-1]:
            result = replicate(values, reduce, resampling_weights(values.shape[-1], RESAMPLES, seed=1))
            estimates[:, j] = result.value, *result.interval()
    ranked = scores.methods.kind.isin(RANKED).sum()  # these come first
    step = 0.008 * max(np.ptp(phi), 0.1)
    for row, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        value, low, high = estimates[..., row]
        if kind in RANKED:
            shift = step * (row - (ranked - 1) / 2)  # bars of different methods side by side
            bars = {"yerr": [value - low, high - value], "elinewidth": 0.6, "ms": 3, "mew": 0.8}
            ax.errorbar(phi + shift, value, **bars, **styles[method], lw=0.9, label=readable(method))
        elif kind == "limit" or metric == "recall":  # errors of chance matches are known, and are drawn as a level
            line = {**styles[method], "marker": "" if len(phi) > 1 else "_", "lw": 1}
            ax.plot(phi, value, **line, label=readable(method))


def _learning(path, curves, dataset):
    """Training and validation loss against the items presented, a panel per method: each has a loss of its own."""
    curves = [Path(curve) for curve in curves]
    if not curves:
        return style.empty(path, "no method of this dataset learns")
    methods = sorted({curve.parent.name for curve in curves})
    rows, columns = -(-len(methods) // layout.MOST_WIDE), min(len(methods), layout.MOST_WIDE)
    with style.figure(path, layout.width(columns), (15 + 48 * rows) * MM) as drawing:
        axes = drawing.subplots(rows, columns, sharex=True, squeeze=False)
        for k, (ax, method) in enumerate(zip(axes.flat, methods)):
            tables = [pd.read_csv(curve) for curve in sorted(curves) if curve.parent.name == method]
            colour = CYCLE[k % len(CYCLE)]
            for table in tables:
                ax.plot(table["items"], table["train_loss"], color=colour, lw=0.6, alpha=0.7)
                ax.plot(table["items"], table["validation_loss"], color=colour)
                last = table.tail(1)
                ax.plot(last["items"], last["validation_loss"], "o", ms=2.5, color=colour)
            minutes = np.mean([table["seconds"].iloc[-1] for table in tables]) / 60
            ax.set(xscale="log", title=f"{readable(method)} ({minutes:.2g} min)")
        for ax in list(axes.flat)[len(methods) :]:
            ax.remove()
        for ax in list(axes.flat)[max(len(methods) - columns, 0) : len(methods)]:
            ax.xaxis.set_tick_params(labelbottom=True)
        drawing.supylabel("loss (thin: training, thick: validation)", fontsize=7)
        drawing.supxlabel("training items presented", fontsize=7)
        drawing.suptitle(readable(dataset or curves[0].parent.parent.name), fontsize=7)
