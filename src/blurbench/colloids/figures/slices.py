"""Slices through volumes, with the true spheres cut there and what the best methods found.

Outlines are true spheres where the slice cuts them, marks are centres that the best learned and the best classical
method found. An outline without a mark was missed, a mark without an outline is false or lies in another slice.
"""

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from blurbench.colloids import PROBLEM
from blurbench.colloids.figures import conditions
from blurbench.colloids.figures.points import points_of
from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.material import Material
from blurbench.drawing.style import CYCLE, MM
from blurbench.scoring.scores import read_one

FIELD = 8  # diameters, the most of a slice that is shown
PAIR = {"classical": (CYCLE[4], "+", 6.5), "learned": (CYCLE[5], "x", 3.5)}  # bright, for dark images
VIEWS = {"xz": (0, 1), "xy": (1, 0)}  # the axis that runs down, and the one that is cut through; x runs across


def draw(path, given: Material):
    """Slices through the middle of one volume per σz/d: the first ones of a dense fluid at a middle CNR."""
    dataset, scores = given.store, read_one(given.scores, PROBLEM.conditions)
    if dataset is None:
        return style.empty(path, "no test dataset")
    items = dataset.items
    phi, cnr = conditions.dense(items["phi"]), conditions.middle(items["cnr"])
    shown = items[(items["phi"] == phi) & (items["cnr"] == cnr)].drop_duplicates("sigma_z_d").sort_values("sigma_z_d")
    shown = shown[shown["sigma_z_d"].isin(conditions.spread(shown["sigma_z_d"]))]
    found = {}
    for kind in PAIR if scores else ():
        method = _best(scores, kind)
        if method and (points := points_of(given, method)) is not None:
            found[kind] = (method, points)
    n = len(shown)
    field = np.minimum(dataset.images.shape[1:], FIELD * items["diameter_px"].iloc[0])  # voxels
    # The two views of a volume stand one above the other, or side by side where there are few volumes.
    width = style.WIDTH if n > 1 else style.WIDTH * 0.7
    rows, columns = (2, n) if n > 2 else (1, 2 * n)
    ratios = (field[:2] / field[2]).tolist()
    tall = (width - 5 * MM) / columns * (sum(ratios) if rows == 2 else max(ratios))
    with style.figure(path, width, tall + 22 * MM) as drawing:
        axes = drawing.subplots(rows, columns, squeeze=False, height_ratios=ratios if rows == 2 else None)
        for (index, item), pair in zip(shown.iterrows(), axes.T if rows == 2 else axes.reshape(-1, 2)):
            truth = [np.asarray(dataset.truth[part][index], float) for part in ("centres", "diameters")]
            here = [(points[index], PAIR[kind]) for kind, (_, points) in found.items()]
            for ax, view in zip(pair, VIEWS):
                if n < 3 or index == shown.index[0]:
                    ax.set_ylabel(view, labelpad=1)
                half = field * item["voxel_um"] / 2
                section(ax, view, np.asarray(dataset.images[index]), item, truth, here, half)
                scale_bar(ax, 2 * half[2])
            pair[0].set_title(f"σz/d = {item['sigma_z_d']:g} ({item['particle_size_um']:.2g} µm)", pad=3)
        handles = [Line2D([], [], marker="o", mfc="none", mec="0.3", ls="", ms=6, label="cut of a true sphere")]
        for kind, (method, _) in found.items():
            colour, marker, size = PAIR[kind]
            label = f"{method}, best {kind} method"
            handles.append(Line2D([], [], marker=marker, color=colour, ls="", ms=size, mew=1, label=label))
        title = f"{given.dataset}, φ = {phi:g}, CNR {cnr:g}"
        style.legend_above(drawing, handles, [handle.get_label() for handle in handles], title, most=3)


def section(ax, view, image, item, truth, found, half):
    """One view of one volume, the middle of it: image, true spheres and detections that the plane cuts.

    Parameters
    ----------
    view : a name of VIEWS
    image : (z, y, x);  item : its row of the dataset's table
    truth : centres (n, 3), diameters (n,), µm
    found : pairs of points (m, 3), µm, and their look: colour, marker and its size
    half : (3,) half of the sides that are shown, µm
    """
    down, cut = VIEWS[view]
    voxel, radius, plane = item["voxel_um"], item["particle_size_um"] / 2, image.shape[cut] // 2
    low, high = np.percentile(image, [1, 99.8])
    high += 0.4 * (high - low)  # no sphere so bright that a mark on it is not seen
    right, bottom = ((np.array(image.shape)[[2, down]]) - 0.5) * voxel
    extent = (-voxel / 2, right, bottom, -voxel / 2)
    ax.imshow(image.take(plane, axis=cut), cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="none")
    middle = (np.array(image.shape) - 1) / 2 * voxel

    def shown(points):  # of what is drawn outside, nothing is seen, and a file of many slices is large
        return (np.abs(points - middle)[:, [2, down]] < half[[2, down]] + radius).all(axis=1)

    centres, diameters = truth
    cuts = 2 * np.sqrt(np.clip((diameters / 2) ** 2 - (centres[:, cut] - plane * voxel) ** 2, 0, None))
    cut_here = (cuts > 0) & shown(centres)  # never of the padding
    circles = EllipseCollection(
        *(cuts[cut_here], cuts[cut_here], np.zeros(cut_here.sum())),
        units="xy",
        offsets=centres[cut_here][:, [2, down]],
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors="white",
        linewidths=0.5,
    )
    ax.add_collection(circles)
    for points, (colour, marker, size) in found:
        near = points[(np.abs(points[:, cut] - plane * voxel) < radius) & shown(points)]
        outline = [withStroke(linewidth=1.8, foreground="black")]
        ax.plot(near[:, 2], near[:, down], marker, color=colour, ms=size, mew=1, path_effects=outline)
    x, y = ((middle[axis] - half[axis], middle[axis] + half[axis]) for axis in (2, down))
    ax.set(xlim=x, ylim=y[::-1], xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _best(scores, kind):
    """The method of a kind with the highest mean F1, a failed volume counting as 0; None if there is none."""
    f1 = np.ma.masked_invalid(scores.counted("f1")).mean(axis=(1, 2)).filled(-1)
    rows = np.flatnonzero(scores.methods.kind == kind)
    return scores.methods.method[max(rows, key=lambda row: f1[row])] if len(rows) else None
