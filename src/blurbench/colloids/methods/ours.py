"""Ours: a small U-Net on cells of two voxels that corrects Wiener's estimate of where centres are, and votes.

The known blur is undone as far as the noise allows before the network sees the image, so that it need not learn what is
known. It works on cells of 2 x 2 x 2 voxels (a fifth of a diameter), which makes it eight times as fast as on voxels;
what a cell's voxels show apart is kept as channels. Most convolutions are at cells twice as wide, whose answer is added
to that of the fine ones. Every cell answers how near the next centre is and the vector to it; the mean of the votes of
a centre's cells is finer than a cell.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from blurbench.colloids.learned import ALIGN, Learned
from blurbench.colloids.network_targets import peaks
from blurbench.learning.unet import Convolution, Residual, beside

SHARPNESS = 0.15  # diameters: SD of the map about a centre
VOTING = 0.35  # diameters from a centre within which cells are taught to vote
APART = 0.65  # diameters: two centres are never nearer, errors included


class Ours(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "depth": 2, "tile": 128, "mirrors": 1, "wiener": True}
    allowed = {"mirrors": {"enum": [1, 2, 4, 8]}}
    stride = 2

    @property
    def margin(self):
        fine, coarse = 4, 1 + 2 * self.depth  # convolutions at each of the two sizes of cells, one seam between them
        return -(-self.stride * (fine + 2 * coarse) // ALIGN) * ALIGN

    def network(self):
        return _Network(self.channels, self.width, self.depth)

    def loss(self, answer, vectors, diameter):
        vectors = vectors / diameter
        square = torch.nan_to_num(vectors.square().sum(dim=1), nan=1.0)
        heat = torch.exp(-0.5 * square / SHARPNESS**2)
        near = (square < VOTING**2)[:, None]
        miss = functional.smooth_l1_loss(answer[:, 1:], torch.nan_to_num(vectors), beta=0.05, reduction="none")
        votes = (miss * near).sum() / (3 * near.sum()).clamp(min=1)
        return functional.binary_cross_entropy_with_logits(answer[:, 0], heat) + votes

    def mirrored(self, answer, axes):
        answer = super().mirrored(answer, axes).copy()
        answer[[1 + a for a in axes]] *= -1  # votes point the other way
        return answer

    def centres(self, answer, diameter, floor):
        heat = 1 / (1 + np.exp(-answer[0]))
        return peaks(heat, answer[1:] * diameter, diameter, self.stride, floor, APART * diameter)


class _Network(nn.Module):
    def __init__(self, channels, width, depth):
        super().__init__()
        self.enter = Convolution(3, 7 + channels, width)  # of the image, eight voxels a cell
        self.down = nn.Sequential(Convolution(3, width, 2 * width), *(Residual(3, 2 * width) for _ in range(depth)))
        self.up = nn.Conv3d(2 * width, width, 1)
        self.after = Residual(3, width)
        self.head = nn.Conv3d(width, 4, 1)

    def forward(self, x, microscope):
        cells = [side // 2 for side in x.shape[2:]]
        voxels = x[:, 0].unflatten(3, (cells[2], 2)).unflatten(2, (cells[1], 2)).unflatten(1, (cells[0], 2))
        voxels = voxels.permute(0, 2, 4, 6, 1, 3, 5).flatten(1, 3)  # (n, 8, cells)
        if x.shape[1] > 1:
            voxels = torch.cat([voxels, functional.avg_pool3d(x[:, 1:], 2)], dim=1)
        fine = self.enter(beside(voxels, microscope))
        coarse = self.up(self.down(functional.max_pool3d(fine, 2)))
        return self.head(self.after(fine + functional.interpolate(coarse, scale_factor=2.0, mode="nearest")))
