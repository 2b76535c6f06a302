"""A U-Net with two answers, mask and distance to the border of the own cell, then a watershed from its maxima.

As cells have been told apart since Bai and Urtasun (2017): not by where the mask is narrow, but by a distance that is
learned. It is told what a microscopist knows, the blur and the usual diameter, as numbers.
"""

from blurbench.learning.unet import UNet
from blurbench.segmentation.heights import distances
from blurbench.segmentation.learned import Learned


class UNetInstance(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "levels": 5, "patch_px": [128, 128], "tile": 512, "separation": 0.15, "least": 0.3}
    allowed = {"patch_px": {"minItems": 2, "maxItems": 2}}

    def network(self):
        return UNet(2, self.planes + self.numbers, self.width, self.outputs, self.levels)

    def height(self, labels, diameter_px):
        return distances(labels)
