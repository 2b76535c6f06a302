"""Sections through the middle of volumes, side by side at one grey scale."""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.style import MM, broken

MOST = 6  # volumes in a row
PLANES = {"xy": (1, 0), "xz": (0, 1)}  # the axis that runs down, and the one that is cut through; x runs across
GREYS = (1, 99.8)  # percentiles of a volume that are black and white
TITLE, KEY = 8 * MM, 8 * MM  # heights
LINE = 15  # letters that fit above a volume


def cut(volume) -> dict[str, np.ndarray]:
    """Middle sections of a volume (z, y, x), by the names of PLANES."""
    return {name: np.array(np.take(volume, volume.shape[axis] // 2, axis)) for name, (_, axis) in PLANES.items()}


def draw(path, volumes: dict[str, dict], greys, sides_um, title) -> None:
    """An xy and an xz section of every volume.

    Parameters
    ----------
    path : file to write
    volumes : {name: sections of `cut`}, of volumes of one shape
    greys : values that are black and white
    sides_um : (3,) of the volumes
    """
    columns = min(len(volumes), MOST)
    rows = -(-len(volumes) // columns)
    panel = (style.WIDTH - 5 * MM) / columns
    heights = [panel * sides_um[down] / sides_um[2] for down, _ in PLANES.values()]
    with style.figure(path, style.WIDTH, rows * (sum(heights) + TITLE) + KEY) as drawing:
        axes = drawing.subplots(2 * rows, columns, height_ratios=heights * rows, squeeze=False)
        drawing.suptitle(title)
        blocks = axes.reshape(rows, 2, columns).transpose(0, 2, 1).reshape(-1, 2)
        for (name, sections), block in zip(volumes.items(), blocks):
            block[0].set_title(broken(name, LINE), pad=2)
            for ax, (plane, (down, _)) in zip(block, PLANES.items()):
                extent = (0, sides_um[2], sides_um[down], 0)
                ax.imshow(sections[plane], "gray", vmin=greys[0], vmax=greys[1], extent=extent, interpolation="none")
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
                ax.spines[:].set_visible(False)
        scale_bar(blocks[0][0], sides_um[2])
        for first in blocks[::columns]:
            for ax, plane in zip(first, PLANES):
                ax.set_ylabel(plane, labelpad=1)
        for unused in blocks[len(volumes) :].flat:
            unused.remove()
