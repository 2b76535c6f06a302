"""3-D U-Net that marks the inner part of every sphere; the centres are those of the connected parts of the marks."""

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from blurbench.colloids.learned import Learned
from blurbench.learning.unet import UNet

CORE = 0.3  # diameters from a centre that are marked: wide enough to be seen, too narrow for two spheres to join
MARK = 0.5  # probability from which a voxel is marked


class UNet3DSeg(Learned):
    kind = "learned"
    trains = True
    options = {"width": 16, "levels": 3, "tile": 96, "wiener": False}

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels)

    def loss(self, answer, vectors, diameter):
        square = torch.nan_to_num(vectors.square().sum(dim=1), nan=torch.inf)
        inner = (square < (CORE * diameter) ** 2).float()
        return functional.binary_cross_entropy_with_logits(answer[:, 0], inner)

    def centres(self, answer, diameter, floor):
        chance = 1 / (1 + np.exp(-answer[0]))
        parts, n = ndimage.label(chance > MARK)
        if not n:
            return np.empty((0, 3)), np.empty(0), np.empty((0, 3), int)
        number = np.arange(1, n + 1)
        positions = np.array(ndimage.center_of_mass(chance, parts, number))
        # A full mark holds this many voxels: a speck is no sphere, whatever its probability.
        full = np.minimum(ndimage.sum_labels(chance, parts, number) / (4 / 3 * np.pi * (CORE * diameter) ** 3), 1)
        keep = full > floor
        return positions[keep], full[keep], np.rint(positions[keep]).astype(int)
