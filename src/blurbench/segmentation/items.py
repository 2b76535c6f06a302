"""Items as methods see them: an image of one stain at one blur level, and its labels where they may be seen."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import ndimage

STAINS = ("nuclei", "cells")  # by their number in the column `stain`
TRUTHS = ("count", "mask", "instances")  # by their number in the column `truth`: how much is known of an item


class Field(NamedTuple):
    """One image, and what a microscopist knows of it.

    image : (y, x) float32, grey levels above the dark level
    stain : "nuclei" or "cells"
    blur_px : diameter of the Gaussian kernel, px; its SD is a quarter of it, and 1 is no blur
    diameter_px : usual diameter of an object of that stain, px
    labels : (y, x) uint16, the number of the cell that a pixel is of, 0 of none; of a `mask` alone 1 wherever there is
        one; None where it must not be seen or is not known
    count : number of cells, those that reach beyond the image among them; None where it must not be seen
    """

    image: np.ndarray
    stain: str
    blur_px: float
    diameter_px: float
    labels: np.ndarray | None = None
    count: int | None = None


def read(dataset, i: int) -> Field:
    """Item i of a dataset."""
    row = dataset.items.iloc[i]
    within = np.s_[: int(row["height_px"]), : int(row["width_px"])]
    image = dataset.images[i][within].astype(np.float32)
    image -= np.float32(dataset.spec["imaging"]["offset"])  # in place: an image may be all that memory holds
    about = STAINS[int(row["stain"])], float(row["blur_px"]), float(row["diameter_px"])
    if not dataset.truth:
        return Field(image, *about)
    known = TRUTHS[int(row["truth"])] != "count"
    return Field(image, *about, dataset.truth["labels"][i][within] if known else None, int(row["count"]))


def labelled(dataset, i: int) -> Field:
    """Item i with its labels, to learn from or to choose settings by; of a mask alone the connected components.

    Raises ValueError where only the count is known.
    """
    field = read(dataset, i)
    if field.labels is None:
        found = f"item {i}: found a count alone, expected the labels or the mask of its cells to learn from"
        raise ValueError(f"{found}: state `masks` beside `folder`, or `models` of another dataset")
    if TRUTHS[int(dataset.items["truth"].iloc[i])] == "mask":
        return field._replace(labels=ndimage.label(field.labels)[0])
    return field


def answers(dataset, segment: Callable[[Field], np.ndarray]) -> Iterator[np.ndarray]:
    """Labels that a method gives every item, (y, x); `segment` takes a Field."""
    for i in range(len(dataset)):
        yield _filled(np.asarray(segment(read(dataset, i))), dataset.images.shape[-2:])


def _filled(labels, shape):
    """Labels with background at their far ends where a store has larger images."""
    return labels if labels.shape == shape else np.pad(labels, [(0, n - m) for n, m in zip(shape, labels.shape)])
