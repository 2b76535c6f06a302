"""3-D U-Net on a map of how near a centre is, and the quadratic through each of its maxima (Çiçek et al. 2016)."""

from torch.nn import functional

from blurbench.colloids.heatmap import Heatmap
from blurbench.learning.unet import UNet


class UNet3D(Heatmap):
    kind = "learned"
    trains = True
    options = {"width": 16, "levels": 3, "tile": 96, "wiener": False}

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels)

    def loss(self, answer, vectors, diameter):
        return functional.binary_cross_entropy_with_logits(answer[:, 0], self.heat(vectors, diameter))
