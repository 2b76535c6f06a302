"""Blobs counted: a disc at each maximum of the Laplacian of a Gaussian (Lindeberg 1998); settings by validation."""

import numpy as np
from scipy.ndimage import gaussian_laplace
from skimage.draw import disk

from blurbench.segmentation.greys import greys
from blurbench.segmentation.tuning import Tuned, counts
from blurbench.segmentation.watershed import seeds


class LogCount(Tuned):
    kind = "classical"
    trains = True
    options = {
        "sigma": [0.25, 0.12, 0.18, 0.35],  # SD of the Gaussian, in usual diameters
        "separation": [0.3, 0.15, 0.5],  # of two blobs, likewise
        "least": [0.1, 0.01, 0.02, 0.05, 0.15, 0.2, 0.3],  # height of a blob, in ranges of the image's greys
    }
    judge = staticmethod(counts)

    def prepare(self, field, sigma):
        sd = sigma * field.diameter_px
        return -gaussian_laplace(field.image, sd) * sd**2 / greys(field.image).range

    def segment(self, field, prepared, separation, least):
        found = seeds(prepared, separation * field.diameter_px, least)
        labels = np.zeros(field.image.shape, np.int32)
        for number, centre in enumerate(found[::-1], start=1):  # of two that meet the brighter one is above
            labels[disk(centre, field.diameter_px / 2, shape=labels.shape)] = number
        return labels
