"""Otsu's threshold, moved by a factor, on a smoothed image; smoothing and factor by validation (Otsu 1979)."""

from skimage.filters import threshold_otsu

from blurbench.segmentation.thresholds import levels
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class Otsu(Tuned):
    kind = "classical"
    trains = True
    options = {"sigma_px": [1.0, 0.0, 2.0], "level": [1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5]}

    def prepare(self, field, sigma_px):
        return levels(field.image, threshold_otsu, sigma_px)

    def segment(self, field, prepared, level):
        return components(prepared.above(level), field.diameter_px)
