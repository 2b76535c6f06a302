"""Recall and rms error along z against the volume fraction.

A column for each blur. Above, the share of the spheres that is found: higher is better. Below, the error of those
that are found: lower is better, and to be read beside the share, as who finds the easy ones only has small errors.
Bars are 95 % intervals over volumes.
"""

import numpy as np

from blurbench.colloids import PROBLEM
from blurbench.colloids.figures import conditions
from blurbench.colloids.score import RADIUS
from blurbench.drawing import style
from blurbench.drawing.axes import apart, label_panels, plain_log, side_by_side
from blurbench.drawing.material import Material
from blurbench.drawing.style import GREYS, MM
from blurbench.scoring.scores import RANKED, read_one


def draw(path, given: Material):
    """A column per σz/d, at one CNR, with 95 % intervals."""
    scores = read_one(given.scores, PROBLEM.conditions)
    if scores is None:
        return style.empty(path, "no scores")
    sizes, cnr = conditions.spread(scores.items["sigma_z_d"]), conditions.middle(scores.items["cnr"])
    chosen = scores.take((scores.items["cnr"] == cnr).to_numpy())
    phi = np.unique(chosen.items["phi"])
    styles = given.styles(dict(zip(scores.methods.method, scores.methods.kind)))
    names, width = list(scores.methods.method), style.width(len(sizes))
    with style.figure(path, width, 105 * MM + style.legend_height(names, available=width)) as drawing:
        axes = drawing.subplots(2, len(sizes), sharex=True, sharey="row", squeeze=False)
        for column, size in zip(axes.T, sizes):
            panel = chosen.take((chosen.items["sigma_z_d"] == size).to_numpy())
            _lines(column[0], panel, "recall", "mean", phi, styles, given)
            _lines(column[1], panel, "rms_z_d", "rms", phi, styles, given)
            column[0].set_title(f"σz/d = {size:g}")
            column[1].set_xlabel("volume fraction φ")
        reach = max(np.ptp(phi), 0.1)
        axes[0, 0].set(xlim=(phi[0] - 0.1 * reach, phi[-1] + 0.1 * reach), xticks=apart(phi, 0.15 * reach))
        axes[0, 0].set(ylim=(-0.03, 1.05), ylabel="recall")
        axes[1, 0].set_ylabel("rms error along z / d")
        plain_log(axes[1, 0].yaxis)
        axes[1, 0].set_ylim(top=0.2)
        label_panels(axes.flat)
        chance = RADIUS / np.sqrt(5)  # rms along an axis of a point anywhere in the ball of a match
        for ax in axes[1]:
            ax.axhline(chance, color=GREYS["control"], lw=1)
        found = dict(zip(*reversed(axes[0, 0].get_legend_handles_labels())))
        title = f"{scores.dataset}, CNR {cnr:g} (bars: 95 % intervals)"
        style.legend_above(drawing, [found[name] for name in names], names, title)


def _lines(ax, scores, metric, reduce, phi, styles, given):
    """One metric of every method against the volume fraction, with intervals for the learned and classical ones."""
    estimates = np.full((3, len(phi), len(scores.methods)), np.nan)
    for j, value in enumerate(phi):
        part = scores.take((scores.items["phi"] == value).to_numpy())
        if len(part.items):
            estimates[:, j] = given.estimate(part, metric, reduce)
    ranked = scores.methods.kind.isin(RANKED).sum()  # these come first
    places = side_by_side(phi, ranked)
    for row, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        value, low, high = estimates[..., row]
        if kind in RANKED:
            bars = {"yerr": [value - low, high - value], "elinewidth": 0.6, "ms": 3, "mew": 0.8}
            ax.errorbar(places[row], value, **bars, **styles[method], lw=0.9, label=method)
        elif kind == "limit" or metric == "recall":  # errors of chance matches are known, and are drawn as a level
            line = {**styles[method], "marker": "" if len(phi) > 1 else "_", "lw": 1}
            ax.plot(phi, value, **line, label=method)
