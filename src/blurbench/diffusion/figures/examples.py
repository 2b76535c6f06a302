"""Stacks of a few D: frames, the true path in each exposure, and its mean.

A row for each D, frames from left to right; the line is where the molecule went during the exposure, the cross its
mean place. It shows what all methods are given, and how little of the path can be seen.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from blurbench.diffusion.figures.conditions import UNIT
from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.material import Material
from blurbench.drawing.style import CYCLE, MM


def draw(path, given: Material):
    """A row per D: frames of the first stack there."""
    dataset = given.store
    if dataset is None:
        return style.empty(path, "no test dataset")
    D = dataset.items["D"].to_numpy()
    values = np.unique(D)
    values = values[np.unique(np.linspace(0, len(values) - 1, 4).round().astype(int))]
    pixel = dataset.attrs["voxel_size"][-1]
    with style.figure(path, height=(14 + 28 * len(values)) * MM) as drawing:
        axes = drawing.subplots(len(values), 6, squeeze=False)
        for row, value in zip(axes, values):
            item = int(np.flatnonzero(D == value)[0])
            frames = int(dataset.items["frames"].iloc[item]) if "frames" in dataset.items else dataset.images.shape[1]
            images = np.asarray(dataset.images[item : item + 1])[0, :frames].astype(float)
            paths = np.asarray(dataset.truth["positions"][item : item + 1])[0, :frames]
            _row(row, images, paths, pixel)
            row[0].set_ylabel(f"D = {value:g} {UNIT}")
        drawing.legend(
            handles=[
                Line2D([], [], color=CYCLE[1], lw=1.2, label="true path during the exposure"),
                Line2D([], [], color=CYCLE[1], marker="o", mfc="white", ls="", label="its mean"),
                Line2D([], [], color=CYCLE[5], lw=0.8, label="path in the frames before"),
            ],
            loc="outside lower center",
            ncols=3,
        )


def _row(axes, images, paths, pixel):
    """Frames spread over one stack; every panel of the row shows the same field, cut to the path."""
    size = np.array(images.shape[1:])
    shown = np.unique(np.linspace(0, len(images) - 1, len(axes)).round().astype(int))
    edge = size * pixel / 2
    vmin, vmax = np.percentile(images, [5, 99.98])
    for ax, frame in zip(axes, shown):
        ax.imshow(
            images[frame],
            cmap="gray",
            vmin=vmin,
            vmax=vmax,
            extent=(-edge[1], edge[1], edge[0], -edge[0]),
            interpolation="none",
        )
        before = paths[: frame + 1].reshape(-1, 2)
        ax.plot(before[:, 1], before[:, 0], color=CYCLE[5], lw=0.6, alpha=0.8)
        now = paths[frame]
        ax.add_collection(LineCollection([now[:, ::-1]], colors=CYCLE[1], linewidths=1.2))
        mean = now.mean(axis=0)
        ax.plot(mean[1], mean[0], "o", ms=3, mfc="white", mec=CYCLE[1], mew=0.8)
        side = cut_to(ax, paths, size, pixel)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"frame {frame + 1}", pad=2)
        ax.grid(False)
        ax.spines[:].set_visible(False)
    for ax in axes[len(shown) :]:
        ax.remove()
    scale_bar(axes[0], side)


def cut_to(ax, paths, size, pixel) -> float:
    """Cut axes in µm to the square about paths (..., 2), with room around them; its side, µm.

    size : (2,) of the image, px;  pixel : its side, µm
    """
    paths = paths.reshape(-1, 2)
    low, high = paths.min(axis=0), paths.max(axis=0)
    y, x = (low + high) / 2
    half = min(max(np.max(high - low) / 2 + 5 * pixel, 8 * pixel), np.max(size) * pixel / 2)
    ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half))
    return 2 * half
