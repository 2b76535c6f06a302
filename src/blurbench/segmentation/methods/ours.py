"""Ours: a U-Net that is told the blur and sees it undone, and gives a mask and the middles of cells.

It sees the image beside what Wiener's filter makes of it with the known kernel, from sharp and noisy to smooth, and
says which to trust where: how far the blur can be undone is a matter of noise, not to be learned from masks. The
middles are bumps at the centres of cells, which a blur moves less than it hides the borders between them. It works on
cells of 2 x 2 pixels, where a step costs a quarter of what it does on pixels, and looks at these at last.
"""

import torch
from torch import nn
from torch.nn import functional

from blurbench.learning.unet import Convolution, UNet
from blurbench.segmentation.heights import bumps
from blurbench.segmentation.learned import Learned

FOUND, FINE = 8, 16  # channels at each pixel: that the U-Net gives, and that they and the image are made into


class Ours(Learned):
    kind = "learned"
    trains = True
    options = {
        "width": 32,
        "levels": 4,
        "patch_px": [128, 128],
        "tile": 512,
        "told": True,
        "sharpened": True,
        "separation": 0.15,
        "least": 0.2,
    }
    allowed = {"patch_px": {"minItems": 2, "maxItems": 2}}
    cell = 2

    def network(self):
        return _Network(self.planes, self.numbers, self.outputs, self.width, self.levels)

    def height(self, labels, diameter_px):
        return bumps(labels, diameter_px)


class _Network(nn.Module):
    def __init__(self, planes, numbers, outputs, width, levels):
        super().__init__()
        self.cells = UNet(2, 4 * planes + numbers, width, 4 * FOUND, levels)
        self.pixels = nn.Sequential(Convolution(2, FOUND + planes, FINE), nn.Conv2d(FINE, outputs, 1))

    def forward(self, x, numbers):
        found = functional.pixel_shuffle(self.cells(functional.pixel_unshuffle(x, 2), numbers), 2)
        return self.pixels(torch.cat([found, x], dim=1))
