"""Threshold of least cross entropy, moved by a factor, on a smoothed image (Li and Tam 1998); both by validation."""

from skimage.filters import threshold_li

from blurbench.segmentation.thresholds import above
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class Li(Tuned):
    kind = "classical"
    trains = True
    options = {"sigma_px": [1.0, 0.0, 2.0], "level": [1.0, 0.6, 0.8, 0.9, 1.1, 1.2, 1.4, 1.7, 2.0]}

    def segment(self, field, sigma_px, level):
        return components(above(field.image, threshold_li, sigma_px, level), field.diameter_px)
