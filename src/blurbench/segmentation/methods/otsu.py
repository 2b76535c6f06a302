"""Otsu's threshold, moved by a factor, on a smoothed image; smoothing and factor by validation (Otsu 1979)."""

from skimage.filters import threshold_otsu

from blurbench.segmentation.thresholds import above
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class Otsu(Tuned):
    kind = "classical"
    trains = True
    options = {"sigma_px": [1.0, 0.0, 2.0], "level": [1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5]}

    def segment(self, field, sigma_px, level):
        return components(above(field.image, threshold_otsu, sigma_px, level), field.diameter_px)
