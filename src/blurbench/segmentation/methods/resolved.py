"""Limit: what a linear deconvolution restores of each cell, all others known, where the camera adds its noise.

Each true cell is blurred, as the camera sees it, and passed through Wiener's filter for the noise and contrast of its
image; a pixel is of the cell that is brightest there, if what all cells add up to is above half of a cell. Methods that
know what shapes cells have may do better.
"""

import numpy as np
from scipy.ndimage import find_objects

from blurbench.segmentation.deconvolution import around, wiener
from blurbench.segmentation.greys import greys
from blurbench.segmentation.items import answers
from blurbench.segmentation.optics import blurred


class Resolved:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, _resolved)


def _resolved(field):
    of, border = greys(field.image), around(field.blur_px)
    best, total = (np.zeros(field.image.shape, np.float32) for _ in range(2))
    labels = np.zeros_like(field.labels)
    for number, box in enumerate(find_objects(field.labels), start=1):
        if box is None:
            continue
        wide = tuple(
            slice(max(0, side.start - border), min(side.stop + border, n)) for side, n in zip(box, labels.shape)
        )
        cell = (field.labels[wide] == number).astype(np.float32)
        left = wiener(blurred(cell, field.blur_px), field.blur_px, of.noise / of.range)
        total[wide] += left
        brighter = left > best[wide]
        best[wide][brighter], labels[wide][brighter] = left[brighter], number
    return np.where(total > 0.5, labels, 0)
