"""A part of one scene at every blur: outlines of the truth and of what each method finds.

A row for each method, blur grows from left to right. Where the outline of an answer covers that of the truth, it is
right; two cells within one outline were merged, an outline without a cell was made up.
"""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.items import STAINS, read
from blurbench.segmentation.overlay import overlay

SIDE = 96  # px shown: a few cells, each outline a pixel wide
MOST = 7  # blur levels side by side
TITLE = 4 * MM  # height


def draw(path, given: Material):
    """The first stain of the first scene: blur grows from left to right, a row per method."""
    if given.store is None:
        return style.empty(path, "no test dataset")
    items = given.store.items
    first = items.iloc[0]
    same = items.index[(items["scene"] == first["scene"]) & (items["stain"] == first["stain"])].to_numpy()
    same = same[np.argsort(items.loc[same, "blur_px"], kind="stable")]
    same = same[np.unique(np.linspace(0, len(same) - 1, MOST).round().astype(int))]
    fields = [read(given.store, int(i)) for i in same]
    window = tuple(slice(max((n - SIDE) // 2, 0), (n + SIDE) // 2) for n in fields[0].image.shape)
    answers = {"image": [None] * len(same)}
    for one in sorted(given.predictions):
        if one.method not in answers:  # the first training seed of several
            images = PROBLEM.answer.read(one.file, len(given.store)).images
            answers[one.method] = [images[int(i)] for i in same]
    panel = (style.WIDTH - 8 * MM) / MOST
    size = (panel * len(same) + 8 * MM, (panel + 1 * MM) * len(answers) + 3 * TITLE)
    with style.figure(path, *size) as drawing:
        axes = drawing.subplots(len(answers), len(same), squeeze=False)
        drawing.suptitle(
            f"{given.dataset}, {STAINS[int(first['stain'])]} (orange: truth, blue: found, white: both)",
            fontsize=style.STYLE["font.size"],
        )
        for row, (name, found) in zip(axes, answers.items()):
            row[0].set_ylabel(style.broken(name, 1), fontsize=style.STYLE["legend.fontsize"])
            for ax, field, labels in zip(row, fields, found):
                cut = [x if x is None else x[window] for x in (field.image, labels, field.labels)]
                ax.imshow(overlay(*cut), interpolation="none")
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
                ax.spines[:].set_visible(False)
        for ax, i in zip(axes[0], same):
            ax.set_title(f"F {items.loc[i, 'blur_px']:g}", pad=2)
