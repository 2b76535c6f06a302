"""Masks from a threshold, moved up or down as blur and stain ask for."""

from typing import NamedTuple

import numpy as np
from skimage.filters import gaussian

from blurbench.segmentation.greys import background


class Levels(NamedTuple):
    """A smoothed image (y, x), the grey level of its background and that of a threshold."""

    image: np.ndarray
    low: float
    threshold: float

    def above(self, level):
        """Mask (y, x) of what is above the threshold, whose height above the background is multiplied by `level`."""
        return self.image > self.low + level * (self.threshold - self.low)


def levels(image, threshold, sigma_px) -> Levels:
    """An image (y, x) smoothed with a Gaussian of SD sigma_px, and its levels.

    threshold : function image -> grey level, such as `skimage.filters.threshold_otsu`
    """
    smooth = gaussian(image, sigma_px) if sigma_px else image
    return Levels(smooth, background(smooth), threshold(smooth))
