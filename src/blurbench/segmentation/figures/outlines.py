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

LETTERS = 14  # of a name in a line
SIDE = 96  # px shown: a few cells, each outline a pixel wide
MOST = 5  # blur levels side by side
PANEL, NAME = 29 * MM, 30 * MM  # side of an image; width of the names
TITLE = 5 * MM  # height
KEY = "orange: truth, blue: found, white: both"


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
    for method, file in given.answers().items():
        images = PROBLEM.answer.read(file, len(given.store)).images
        answers[method] = [images[int(i)] for i in same]
    width = NAME + PANEL * max(len(same), 2)  # with room for the title
    with style.figure(path, width, (PANEL + 1 * MM) * len(answers) + 4 * TITLE) as drawing:
        axes = drawing.subplots(len(answers), len(same), squeeze=False)
        drawing.suptitle(f"{given.dataset}, {STAINS[int(first['stain'])]}\n({KEY})")
        for row, (name, found) in zip(axes, answers.items()):
            look = {"rotation": 0, "ha": "right", "va": "center", "fontsize": style.SMALL}
            row[0].set_ylabel(style.broken(name, LETTERS), **look)
            for ax, field, labels in zip(row, fields, found):
                cut = [x if x is None else x[window] for x in (field.image, labels, field.labels)]
                ax.imshow(overlay(*cut), interpolation="none")
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
                ax.spines[:].set_visible(False)
        for ax, i in zip(axes[0], same):
            ax.set_title(f"F {items.loc[i, 'blur_px']:g}", pad=2)
