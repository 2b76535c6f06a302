"""The source project's U-Net, with its settings: widths 64 to 1024, RMSprop, cross-entropy and Dice, half the size.

It is given the grey levels over 255 and nothing else, at half their size. Its log-odds are brought back to the size of
the image before they are judged, in training too, where the source judged them at half the size. Cells are the
connected components of the mask. Patches, warm-up, cosine and early stop are those of all networks here: the source
took whole images, and lowered the learning rate when the validation Dice stood still.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from blurbench.learning.unet import UNet
from blurbench.segmentation.learned import Learned

WHITE = 255.0  # grey level that counts as 1


def rmsprop(groups, learning_rate):
    """RMSprop with a momentum, as the source had it."""
    return torch.optim.RMSprop(groups, lr=learning_rate, momentum=0.999)


class UNetOfTheSource(Learned):
    kind = "learned"
    trains = True
    options = {"width": 64, "levels": 5, "patch_px": [256, 256], "tile": 512, "scale": 0.5}
    allowed = {"patch_px": {"minItems": 2, "maxItems": 2}, "scale": {"exclusiveMinimum": 0, "maximum": 1}}
    cells, numbers = False, 0
    optimiser = staticmethod(rmsprop)

    @property
    def cell(self):
        cell = round(1 / self.scale)
        if cell * self.scale != 1:
            raise ValueError(f"option scale is {self.scale}, expected 1 over a whole number")
        return cell

    def network(self):
        return _Network(self.width, self.levels, self.cell)

    def inputs(self, image, known, field):
        return (image / np.float32(WHITE))[None], np.zeros(0, np.float32)


class _Network(nn.Module):
    """Two classes, whose log-odds are the difference of their outputs."""

    def __init__(self, width, levels, cell):
        super().__init__()
        self.cell, self.small = cell, UNet(2, 1, width, 2, levels, transposed=True)

    def forward(self, x, numbers):
        background, cells = self.small(functional.avg_pool2d(x, self.cell)).split(1, dim=1)
        return functional.interpolate(cells - background, scale_factor=float(self.cell), mode="bilinear")
