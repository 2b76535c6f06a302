"""Wiener's filter with the known blur, then Otsu's threshold; three numbers by validation, for the mask alone.

The fair classical peer of networks that are told the blur, where masks are judged; `deconvolved_watershed` is where
cells are.
"""

from skimage.filters import threshold_otsu

from blurbench.segmentation.deconvolution import sharpened
from blurbench.segmentation.thresholds import levels
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class DeconvolvedOtsu(Tuned):
    kind = "classical"
    trains = True
    options = {
        "noise": [3.0, 1.0, 10.0],  # that the filter expects, in those that the image has
        "sigma_px": [1.0, 0.0, 2.0],
        "level": [1.0, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2],
    }

    ahead = 2

    def prepare(self, field, noise, sigma_px):
        return levels(sharpened(field, noise), threshold_otsu, sigma_px)

    def segment(self, field, prepared, level):
        return components(prepared.above(level), field.diameter_px)
