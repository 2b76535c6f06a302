"""A 3-D U-Net that is given all views there are, two in the benchmark; it knows more than those that see one."""

from blurbench.fusion import network_inputs
from blurbench.fusion.learned import Learned
from blurbench.learning.unet import UNet


class UNet3DTwoViews(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "levels": 5, "patch_px": [32, 48, 48], "tile": 96, "estimated": False}
    allowed = {"patch_px": {"minItems": 3, "maxItems": 3}}

    @property
    def channels(self):
        return super().channels + network_inputs.FURTHER * (self.spec["imaging"]["views_given"] - 1)

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels)

    def inputs(self, part, box, known):
        found, expected = 1 + len(part.others), self.spec["imaging"]["views_given"]
        if found != expected:
            raise ValueError(f"views given: {found} were found, {expected} were expected as in the training")
        return [*super().inputs(part, box, known), *network_inputs.further(part, known)]
