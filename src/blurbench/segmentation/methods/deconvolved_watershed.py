"""Wiener's filter with the known blur, Otsu's threshold, a watershed of the distance; five numbers by validation.

The fair classical peer of networks that are told the blur.
"""

from skimage.filters import threshold_otsu

from blurbench.segmentation.deconvolution import sharpened
from blurbench.segmentation.thresholds import levels
from blurbench.segmentation.tuning import Tuned, cells
from blurbench.segmentation.watershed import cut, masks


class DeconvolvedWatershed(Tuned):
    kind = "classical"
    trains = True
    options = {
        "noise": [3.0, 1.0, 10.0],  # that the filter expects, in those that the image has
        "sigma_px": [1.0, 0.0, 2.0],
        "level": [1.0, 0.8, 0.9, 1.1, 1.2],
        "separation": [0.3, 0.2, 0.4, 0.5],
        "smoothing": [0.05, 0.0],
    }
    ahead = 2
    judge = staticmethod(cells)

    def prepare(self, field, noise, sigma_px):
        return masks(levels(sharpened(field, noise), threshold_otsu, sigma_px))

    def segment(self, field, prepared, level, separation, smoothing):
        return cut(*prepared(level), field.diameter_px, separation, smoothing)
