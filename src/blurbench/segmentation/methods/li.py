"""Threshold of least cross entropy, moved by a factor, on a smoothed image (Li and Tam 1998); both by validation."""

from skimage.filters import threshold_li

from blurbench.segmentation.thresholds import levels
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class Li(Tuned):
    kind = "classical"
    trains = True
    options = {"sigma_px": [1.0, 0.0, 2.0], "level": [1.0, 0.6, 0.8, 0.9, 1.1, 1.2, 1.4, 1.7, 2.0]}

    def prepare(self, field, sigma_px):
        return levels(field.image, threshold_li, sigma_px)

    def segment(self, field, prepared, level):
        return components(prepared.above(level), field.diameter_px)
