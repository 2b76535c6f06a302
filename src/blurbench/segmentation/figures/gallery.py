"""Parts of the same three images through the best methods of each kind, and of each method's best, median and worst.

Outlines of the truth are orange, those found blue, white where they are one; shown is the part with most of the true
ones. Over it stand the stain with the blur, and pixel F1 of the whole image. The three images are the first, the middle
and the last one of the test split in the order of stain and blur. Two cells within one outline were merged, an outline
without a cell was made up.
"""

import numpy as np
from scipy import ndimage
from skimage.segmentation import find_boundaries

from blurbench.drawing import gallery
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.figures.outlines import KEY, SIDE
from blurbench.segmentation.items import STAINS, read
from blurbench.segmentation.overlay import overlay
from blurbench.segmentation.score import METRICS


def draw(path, given: Material):
    """A part of every image: that which holds most of the true outlines."""

    def answers(method):
        return PROBLEM.answer.read(given.answers()[method], len(given.store)).images

    def show(ax, item, labels):
        field = read(given.store, item)
        part = busiest(field.labels, SIDE)
        cut = [x if x is None else np.asarray(x)[part] for x in (field.image, labels, field.labels)]
        ax.imshow(overlay(*cut), interpolation="none")

    def words(item, _, error):
        row = given.store.items.iloc[item]
        return f"{STAINS[int(row['stain'])]}, F {row['blur_px']:g}\n{error}"

    shown = PROBLEM.conditions, *numbers(METRICS)[0]
    gallery.draw(
        path, given, *shown, answers, show, words, f"{KEY};\nsquares of {SIDE} px; stain, blur F (px), pixel F1"
    )


def busiest(labels, side) -> tuple[slice, slice]:
    """The square with most pixels of outlines, which labels (y, x) alone decide; cut to an image that is smaller."""
    lines = find_boundaries(labels, mode="inner").astype(float)
    centre = np.unravel_index(ndimage.uniform_filter(lines, side, mode="constant").argmax(), lines.shape)
    first = np.clip(np.subtract(centre, side // 2), 0, np.maximum(np.subtract(lines.shape, side), 0))
    return np.s_[first[0] : first[0] + side, first[1] : first[1] + side]
