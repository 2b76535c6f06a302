"""A threshold that follows the mean grey around each pixel; how far around, and how far above, by validation."""

from skimage.filters import gaussian

from blurbench.microscopy import separable
from blurbench.segmentation.greys import greys
from blurbench.segmentation.tuning import Tuned
from blurbench.segmentation.watershed import components


class LocalThreshold(Tuned):
    kind = "classical"
    trains = True
    options = {
        "sigma_px": [1.0, 0.0, 2.0],
        "block": [6.0, 2.0, 3.0, 4.0, 10.0],  # over which the mean is taken, in usual diameters
        "offset": [0.1, 0.0, 0.05, 0.15, 0.2, 0.3],  # above that mean, in ranges of the image's greys
    }

    ahead = 2

    def prepare(self, field, sigma_px, block):
        """How far each pixel is above the mean around it, in ranges of the image's greys.

        The mean is that of scikit-image's `threshold_local`: a Gaussian of which a block holds three SDs to each side.
        """
        smooth = gaussian(field.image, sigma_px) if sigma_px else field.image
        sd = round(block * field.diameter_px / 2) / 3
        return (smooth - separable.gaussian(smooth, (sd, sd))) / greys(smooth).range

    def segment(self, field, prepared, offset):
        return components(prepared > offset, field.diameter_px)
