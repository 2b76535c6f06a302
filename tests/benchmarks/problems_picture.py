"""The picture at the top of README.md: of each problem what a method is given, and under it what it is asked for."""

import numpy as np
from matplotlib.collections import LineCollection

from blurbench.colloids.figures.slices import section
from blurbench.diffusion.figures.examples import cut_to
from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.style import CYCLE, MM
from blurbench.files.datasets import Dataset
from blurbench.fusion import items as views
from blurbench.fusion.sections import GREYS, cut
from blurbench.segmentation import items as fields
from blurbench.segmentation.figures.gallery import busiest
from blurbench.segmentation.overlay import overlay

SIDE = 96  # px of an image of cells
FIELD = 5  # diameters of a volume of spheres
PANEL = 42 * MM


def draw(datasets, path):
    """Two panels a problem, of the first test items of its main dataset that show what the problem is.

    Parameters
    ----------
    datasets : folder of those of a run
    path : SVG to write, with a PNG beside it
    """
    with style.figure(path, height=2 * PANEL + 12 * MM) as drawing:
        axes = drawing.subplots(2, 4)
        for pair, panels in zip(axes.T, (_diffusion, _colloids, _fusion, _segmentation)):
            panels(datasets, *pair)
        for ax in axes.flat:
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.spines[:].set_visible(False)


def _test(datasets, name):
    return Dataset.open(datasets / name / "test.zarr")


def _nearest(column, value):
    """Number of the first item whose value of a column is nearest to one."""
    return int((column - value).abs().argmin())


def _diffusion(datasets, given, asked):
    stacks = _test(datasets, "diffusion/report")
    item = _nearest(stacks.items["D"], 2)
    images, paths = np.asarray(stacks.images[item]), np.asarray(stacks.truth["positions"][item])
    pixel, side = stacks.attrs["voxel_size"][-1], np.array(images.shape[1:])
    y, x = side * pixel / 2
    for ax in (given, asked):
        ax.imshow(images[0], "gray", extent=(-x, x, y, -y), interpolation="none")
        width = cut_to(ax, paths, side, pixel)
    asked.add_collection(LineCollection([paths.reshape(-1, 2)[:, ::-1]], colors=CYCLE[4], linewidths=0.8))
    scale_bar(given, width)
    given.set_title(f"diffusion: {len(images)} frames\nof one molecule")
    asked.set_title(f"D = {stacks.items['D'].iloc[item]:g} µm²/s")


def _colloids(datasets, given, asked):
    volumes = _test(datasets, "colloids/levels")
    items = volumes.items
    wanted = (items["phi"] - 0.5).abs() + (items["sigma_z_d"] - 0.4).abs() + (items["cnr"] - 8).abs() / 10
    item = int(wanted.argmin())
    row, image = items.iloc[item], np.asarray(volumes.images[item])
    half = np.minimum(image.shape, FIELD * row["diameter_px"]) * row["voxel_um"] / 2
    truth = [np.asarray(volumes.truth[part][item], float) for part in ("centres", "diameters")]
    none = [np.empty((0, 3)), np.empty(0)]
    section(given, "xz", image, row, none, [], half)
    section(asked, "xz", image, row, truth, [(truth[0], (CYCLE[4], "+", 6.5))], half)
    scale_bar(given, 2 * half[2])
    given.set_title("colloids: a volume\nof dense spheres")
    asked.set_title("centres")


def _fusion(datasets, given, asked):
    view = views.read(_test(datasets, "fusion/known"), 0, ["density"])
    depth, _, width = np.multiply(view.truth.density.shape, view.optics.spacing_um)
    for ax, volume in ((given, view.photons), (asked, view.truth.density)):
        black, white = np.percentile(volume, GREYS)
        ax.imshow(cut(volume)["xz"], "gray", vmin=black, vmax=white, extent=(0, width, depth, 0), interpolation="none")
    scale_bar(given, width)
    given.set_title("fusion: one light-sheet\nview of a specimen")
    asked.set_title("what all views would show")


def _segmentation(datasets, given, asked):
    images = _test(datasets, "segmentation/bbbc005")
    same = images.items[images.items["stain"] == 0]
    field = fields.read(images, int(same.index[_nearest(same["blur_px"], 32)]))
    part = busiest(field.labels, SIDE)
    given.imshow(overlay(np.asarray(field.image)[part]), interpolation="none")
    asked.imshow(overlay(np.asarray(field.image)[part], truth=np.asarray(field.labels)[part]), interpolation="none")
    given.set_title("segmentation: a blurred\nimage of cells")
    asked.set_title("each cell, and their count")
