"""Figures that look at volumes and at the points found in them: slices, and pair correlation functions."""

from pathlib import Path

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from blurbench.colloids import PROBLEM
from blurbench.colloids.border import inside
from blurbench.colloids.figures import layout
from blurbench.colloids.physics import percus_yevick_g, radial_distribution
from blurbench.drawing import style
from blurbench.drawing.style import CYCLE, MM, readable
from blurbench.files import predictions
from blurbench.scoring.scores import RANKED

FIELD = 8  # diameters, the most of a slice that is shown
PAIR = {"classical": (CYCLE[4], "+", 6.5), "learned": (CYCLE[5], "x", 3.5)}  # bright, for dark images
VIEWS = {"xz": (0, 1), "xy": (1, 0)}  # the axis that runs down, and the one that is cut through; x runs across
EDGES = np.linspace(0, 3, 61)  # of g(r), in d
STEPS = np.outer(10.0 ** np.arange(-3, 4), [1, 2, 5]).ravel()  # µm, lengths of a scale bar
MARGIN = 0.5  # d from the faces within which no sphere is asked for


def slices(path, scores, dataset, files, name):
    """Slices through the middle of one volume per σz/d, with the spheres cut there and the best methods' detections.

    The volumes are the first ones of a dense fluid at a middle CNR.
    """
    items = dataset.items
    phi, cnr = layout.dense(items["phi"]), layout.middle(items["cnr"])
    shown = items[(items["phi"] == phi) & (items["cnr"] == cnr)].drop_duplicates("sigma_z_d").sort_values("sigma_z_d")
    shown = shown[shown["sigma_z_d"].isin(layout.spread(shown["sigma_z_d"]))]
    found = {}
    for kind in PAIR if scores else ():
        method = layout.best(scores, [kind])
        if method and (points := _points(files, method, dataset)) is not None:
            found[kind] = (method, points)
    n = len(shown)
    field = np.minimum(dataset.images.shape[1:], FIELD * items["diameter_px"].iloc[0])  # voxels
    # The two views of a volume stand one above the other, or side by side where there are few volumes.
    width = style.WIDTH if n > 1 else style.WIDTH * 0.7
    rows, columns = (2, n) if n > 2 else (1, 2 * n)
    ratios = (field[:2] / field[2]).tolist()
    tall = (width - 5 * MM) / columns * (sum(ratios) if rows == 2 else max(ratios))
    with style.figure(path, width, tall + 13 * MM) as drawing:
        axes = drawing.subplots(rows, columns, squeeze=False, height_ratios=ratios if rows == 2 else None)
        for (index, item), pair in zip(shown.iterrows(), axes.T if rows == 2 else axes.reshape(-1, 2)):
            truth = [np.asarray(dataset.truth[part][index], float) for part in ("centres", "diameters")]
            here = {kind: points[index] for kind, (_, points) in found.items()}
            for ax, view in zip(pair, VIEWS):
                if n < 3 or index == shown.index[0]:
                    ax.set_ylabel(view, labelpad=1)
                _slice(ax, view, np.asarray(dataset.images[index]), item, truth, here, field * item["voxel_um"] / 2)
            pair[0].set_title(f"σz/d = {item['sigma_z_d']:g} ({item['particle_size_um']:.2g} µm)", pad=3)
        handles = [Line2D([], [], marker="o", mfc="none", mec="0.3", ls="", ms=6, label="cut of a true sphere")]
        for kind, (method, _) in found.items():
            colour, marker, size = PAIR[kind]
            label = f"{readable(method)}, best {kind} method"
            handles.append(Line2D([], [], marker=marker, color=colour, ls="", ms=size, mew=1, label=label))
        title = f"{readable(name or dataset.attrs['dataset'])}, φ = {phi:g}, CNR {cnr:g}"
        drawing.legend(handles=handles, loc="outside upper center", ncols=3, title=title)


def _slice(ax, view, image, item, truth, found, half):
    """One view of one volume, the middle of it: image, true spheres and detections that the plane cuts."""
    down, cut = VIEWS[view]
    voxel, radius, plane = item["voxel_um"], item["particle_size_um"] / 2, image.shape[cut] // 2
    low, high = np.percentile(image, [1, 99.8])
    high += 0.4 * (high - low)  # no sphere so bright that a mark on it is not seen
    right, bottom = ((np.array(image.shape)[[2, down]]) - 0.5) * voxel
    extent = (-voxel / 2, right, bottom, -voxel / 2)
    ax.imshow(image.take(plane, axis=cut), cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="none")
    centres, diameters = truth
    cuts = 2 * np.sqrt(np.clip((diameters / 2) ** 2 - (centres[:, cut] - plane * voxel) ** 2, 0, None))
    there = cuts > 0  # never of the padding
    circles = EllipseCollection(
        *(cuts[there], cuts[there], np.zeros(there.sum())),
        units="xy",
        offsets=centres[there][:, [2, down]],
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors="white",
        linewidths=0.5,
    )
    ax.add_collection(circles)
    for kind, points in found.items():
        colour, marker, size = PAIR[kind]
        near = points[np.abs(points[:, cut] - plane * voxel) < radius]
        outline = [withStroke(linewidth=1.8, foreground="black")]
        ax.plot(near[:, 2], near[:, down], marker, color=colour, ms=size, mew=1, path_effects=outline)
    middle = (np.array(image.shape) - 1) / 2 * voxel
    x, y = ((middle[axis] - half[axis], middle[axis] + half[axis]) for axis in (2, down))
    ax.set(xlim=x, ylim=y[::-1], xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    _scale_bar(ax, item["particle_size_um"], x, y)


def _scale_bar(ax, size, x, y):
    """A bar of a round length near two diameters, in the lower left corner, on a ground that hides the image."""
    length = STEPS[np.abs(np.log(STEPS / (2 * size))).argmin()]
    left, low = x[0] + 0.05 * np.ptp(x), y[1] - 0.05 * np.ptp(x)
    ax.plot([left, left + length], [low, low], color="white", lw=2, solid_capstyle="butt")
    ground = {"facecolor": "black", "alpha": 0.6, "pad": 1, "lw": 0}
    text = f"{length:g} µm"
    place = {"ha": "center", "va": "bottom", "fontsize": 6}
    ax.text(left + length / 2, low - 0.035 * np.ptp(x), text, color="white", bbox=ground, **place)


def pair_correlation(path, scores, dataset, files, name):
    """g(r) of the true centres and of those found, a column per σz/d, learned and classical methods apart."""
    items = dataset.items
    phi, cnr = layout.dense(items["phi"]), items["cnr"].max()
    chosen = items[(items["phi"] == phi) & (items["cnr"] == cnr)]
    sizes = layout.spread(chosen["sigma_z_d"])
    styles = layout.styles(scores) if scores else {}
    kinds = [kind for kind in RANKED if scores and (scores.methods.kind == kind).any()] or [None]
    truth = [np.asarray(c, float) for c in dataset.truth["centres"][:]]
    found = {method: _points(files, method, dataset) for method in styles}
    r = (EDGES[1:] + EDGES[:-1]) / 2
    fine = np.linspace(EDGES[0], EDGES[-1], 601)
    with style.figure(path, layout.width(len(sizes)), (30 + 45 * len(kinds)) * MM) as drawing:
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
                        ax.plot(r, _mean_g(found[method], volumes, dataset), lw=1, label=readable(method), **line)
            row[0].set_ylabel(f"g(r)\n{kind} methods" if kind else "g(r)")
        for ax, size in zip(axes[0], sizes):
            ax.set_title(f"σz/d = {size:g}")
        for ax in axes[-1]:
            ax.set_xlabel("r / d")
        style.label_panels(axes.flat)
        entries = {}
        for ax in axes[:, 0]:
            entries |= dict(zip(*reversed(ax.get_legend_handles_labels())))
        title = f"{readable(name or dataset.attrs['dataset'])}, φ = {phi:g}, CNR {cnr:g}"
        drawing.legend(entries.values(), entries, loc="outside upper center", ncols=5, title=title)


def _mean_g(points, volumes, dataset):
    """Mean over volumes of g between EDGES; points in µm by item. NaN for what goes beyond the volume."""
    parts = []
    for index in volumes:
        item = dataset.items.loc[index]
        d, shape = item["particle_size_um"], np.array(dataset.images.shape[1:])
        box = np.array([np.full(3, -0.5), shape - 0.5]) * item["voxel_um"] / d
        there = points[index] / d
        there = there[inside(there, box, MARGIN)] - box[0] - MARGIN
        size = np.ptp(box, axis=0) - 2 * MARGIN
        fit = EDGES[EDGES <= size.min()]
        parts.append(np.full(len(EDGES) - 1, np.nan))
        parts[-1][: len(fit) - 1] = radial_distribution(there, size, fit, periodic=False)
    known = np.isfinite(parts)
    return np.where(known, parts, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _points(files, method, dataset):
    """Points (n, 3) of every item in µm, of a method's first seed; None without a file."""
    files = sorted((Path(file) for file in files if Path(file).parent.name == method), key=lambda file: int(file.stem))
    if not files:
        return None
    frame = predictions.read(files[0], len(dataset), PROBLEM.answer.columns, points=True).dropna(subset=["z", "y", "x"])
    return np.split(frame[["z", "y", "x"]].to_numpy(), np.searchsorted(frame["item"], np.arange(1, len(dataset))))
