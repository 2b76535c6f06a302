"""Pair correlation functions of the true centres and of those found.

How often two centres are so far apart, over a fluid without order: answers should lie on the truth. What is found
below one diameter is a sphere found twice, or none at all; a lower first peak is lost or misplaced neighbours.
"""

import numpy as np

from blurbench.colloids import PROBLEM
from blurbench.colloids.figures import conditions
from blurbench.colloids.figures.points import points_of
from blurbench.colloids.physics import percus_yevick_g, radial_distribution
from blurbench.colloids.volume_border import inside
from blurbench.drawing import style
from blurbench.drawing.axes import label_panels
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.scores import RANKED, read_one

EDGES = np.linspace(0, 3, 61)  # of g(r), in d
MARGIN = 0.5  # d from the faces within which no sphere is asked for


def draw(path, given: Material):
    """g(r) in a dense fluid at the highest CNR, a column per σz/d, learned and classical methods apart."""
    dataset, scores = given.store, read_one(given.scores, PROBLEM.conditions)
    if dataset is None:
        return style.empty(path, "no test dataset")
    items = dataset.items
    phi, cnr = conditions.dense(items["phi"]), items["cnr"].max()
    chosen = items[(items["phi"] == phi) & (items["cnr"] == cnr)]
    sizes = conditions.spread(chosen["sigma_z_d"])
    styles = given.styles(dict(zip(scores.methods.method, scores.methods.kind))) if scores else {}
    kinds = [kind for kind in RANKED if scores and (scores.methods.kind == kind).any()] or [None]
    truth = [np.asarray(c, float) for c in dataset.truth["centres"][:]]
    found = {method: points_of(given, method) for method in styles}
    r = (EDGES[1:] + EDGES[:-1]) / 2
    fine = np.linspace(EDGES[0], EDGES[-1], 601)
    with style.figure(path, style.width(len(sizes)), (40 + 46 * len(kinds)) * MM) as drawing:
        axes = drawing.subplots(len(kinds), len(sizes), sharex=True, sharey=True, squeeze=False)
        for row, kind in zip(axes, kinds):
            methods = list(scores.methods.method[scores.methods.kind == kind]) if kind else []
            for ax, size in zip(row, sizes):
                volumes = chosen.index[chosen["sigma_z_d"] == size]
                ax.plot(r, _mean_g(truth, volumes, dataset), color="0.8", lw=4, label="truth")
                ax.plot(fine, percus_yevick_g(fine, phi), color="0.1", lw=0.8, ls=":", label="Percus-Yevick")
                for method in methods:
                    if found[method] is not None:
                        line = {key: styles[method][key] for key in ("color", "ls")}
                        ax.plot(r, _mean_g(found[method], volumes, dataset), lw=1, label=method, **line)
            row[0].set_ylabel(f"g(r)\n{kind} methods" if kind else "g(r)")
        for ax, size in zip(axes[0], sizes):
            ax.set_title(f"σz/d = {size:g}")
        for ax in axes[-1]:
            ax.set_xlabel("r / d")
        label_panels(axes.flat)
        entries = {}
        for ax in axes[:, 0]:
            entries |= dict(zip(*reversed(ax.get_legend_handles_labels())))
        title = f"{given.dataset}, φ = {phi:g}, CNR {cnr:g}"
        style.legend_above(drawing, entries.values(), list(entries), title)


def _mean_g(points, volumes, dataset):
    """Mean over volumes of g between EDGES; points in µm by item. NaN for what goes beyond the volume."""
    parts = []
    for index in volumes:
        item = dataset.items.loc[index]
        d, shape = item["particle_size_um"], np.array(dataset.images.shape[1:])
        box = np.array([np.full(3, -0.5), shape - 0.5]) * item["voxel_um"] / d
        centres = points[index] / d
        centres = centres[inside(centres, box, MARGIN)] - box[0] - MARGIN
        size = np.ptp(box, axis=0) - 2 * MARGIN
        fit = EDGES[EDGES <= size.min()]
        parts.append(np.full(len(EDGES) - 1, np.nan))
        parts[-1][: len(fit) - 1] = radial_distribution(centres, size, fit, periodic=False)
    known = np.isfinite(parts)
    return np.where(known, parts, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
