"""A 3-D U-Net with attention at its coarsest level, for what light lost on a long way: the source project's plan."""

from blurbench.fusion.attention import AxialAttention
from blurbench.fusion.learned import Learned
from blurbench.learning.unet import UNet


class UNet3DTransformer(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "levels": 4, "patch_px": [32, 48, 48], "tile": 96, "estimated": False, "blocks": 1}
    allowed = {"patch_px": {"minItems": 3, "maxItems": 3}}

    def network(self):
        network = UNet(3, self.channels, self.width, 1, self.levels)
        coarsest = self.width * 2 ** (self.levels - 1)
        for _ in range(self.blocks):
            network.down[-1].append(AxialAttention(coarsest))
        return network
