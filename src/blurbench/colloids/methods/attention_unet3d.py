"""Attention U-Net on the label and the loss of the colloid literature (Kawafi et al. 2025, arXiv 2409.04603).

Gates on the skip connections (Oktay et al. 2018), the mean absolute difference from a map that falls as a Gaussian to
the surface of each sphere and is zero outside; maxima between the voxels, where the original stops at whole voxels.
"""

import torch

from blurbench.colloids.heatmap import Heatmap
from blurbench.learning.unet import UNet


class AttentionUNet3D(Heatmap):
    kind = "learned"
    trains = True
    options = {"width": 16, "levels": 3, "tile": 96, "wiener": False}

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels, gated=True)

    def loss(self, answer, vectors, diameter):
        return (torch.sigmoid(answer[:, 0]) - self.heat(vectors, diameter)).abs().mean()
