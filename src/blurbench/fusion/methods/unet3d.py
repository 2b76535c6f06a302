"""3-D U-Net with the mean square error, as in the source project (Çiçek et al. 2016)."""

from blurbench.fusion.learned import Learned
from blurbench.learning.unet import UNet


class UNet3D(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "levels": 5, "patch_px": [32, 48, 48], "tile": 96, "estimated": False}
    allowed = {"patch_px": {"minItems": 3, "maxItems": 3}}

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels)
