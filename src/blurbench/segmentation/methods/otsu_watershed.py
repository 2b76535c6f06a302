"""Otsu's threshold, then a watershed of the distance to the background; four numbers by validation."""

from skimage.filters import threshold_otsu

from blurbench.segmentation.thresholds import levels
from blurbench.segmentation.tuning import Tuned, cells
from blurbench.segmentation.watershed import cut, masks


class OtsuWatershed(Tuned):
    kind = "classical"
    trains = True
    options = {
        "sigma_px": [1.0, 0.0, 2.0],
        "level": [1.0, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3],
        "separation": [0.3, 0.2, 0.4, 0.5],
        "smoothing": [0.05, 0.0],
    }
    judge = staticmethod(cells)

    def prepare(self, field, sigma_px):
        return masks(levels(field.image, threshold_otsu, sigma_px))

    def segment(self, field, prepared, level, separation, smoothing):
        return cut(*prepared(level), field.diameter_px, separation, smoothing)
