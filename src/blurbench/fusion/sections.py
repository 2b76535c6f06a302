"""Sections through the middle of volumes, side by side at one grey scale."""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.style import MM, readable

MOST = 6  # volumes in a row
PLANES = {"xy": (1, 0), "xz": (0, 1)}  # the axis that runs down, and the one that is cut through; x runs across
GREYS = (1, 99.8)  # percentiles of the reference that are black and white
TITLE, KEY = 5 * MM, 8 * MM  # heights


def draw(path, volumes: dict, reference, spacing_um, title) -> None:
    """An xy and an xz section of every volume.

    Parameters
    ----------
    path : file to write
    volumes : {name: (z, y, x)}, of one shape;  reference : the one whose percentiles are black and white
    spacing_um : (3,)
    """
    sides = np.array(reference.shape) * spacing_um
    columns = min(len(volumes), MOST)
    rows = -(-len(volumes) // columns)
    panel = (style.WIDTH - 5 * MM) / columns
    heights = [panel * sides[down] / sides[2] for down, _ in PLANES.values()]
    greys = dict(zip(("vmin", "vmax"), np.percentile(reference, GREYS)))
    with style.figure(path, style.WIDTH, rows * (sum(heights) + TITLE) + KEY) as drawing:
        axes = drawing.subplots(2 * rows, columns, height_ratios=heights * rows, squeeze=False)
        drawing.suptitle(title, fontsize=style.STYLE["font.size"])
        blocks = axes.reshape(rows, 2, columns).transpose(0, 2, 1).reshape(-1, 2)
        for (name, volume), block in zip(volumes.items(), blocks):
            block[0].set_title(readable(name), pad=2)
            for ax, view in zip(block, PLANES):
                _section(ax, volume, view, sides, greys)
        scale_bar(blocks[0][0], sides[2])
        for first in blocks[::columns]:
            for ax, view in zip(first, PLANES):
                ax.set_ylabel(view, labelpad=1)
        for unused in blocks[len(volumes) :].flat:
            unused.remove()


def _section(ax, volume, view, sides, greys):
    down, cut = PLANES[view]
    image = np.take(volume, volume.shape[cut] // 2, axis=cut)
    ax.imshow(image, cmap="gray", extent=(0, sides[2], sides[down], 0), interpolation="none", **greys)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
