"""What the heatmap methods share: a map that is one at a centre and falls to its sphere's surface, and its maxima."""

import numpy as np
import torch

from blurbench.colloids.learned import Learned
from blurbench.colloids.maxima import maxima
from blurbench.colloids.network_targets import exclusive

APART = 0.65  # diameters: two centres are never nearer, errors included


class Heatmap(Learned):
    """A network with one answer a voxel, the logit of the map."""

    @staticmethod
    def heat(vectors, diameter):
        """exp(-3 r²/(4 R²)) up to the distance R of the surface and 0 from there, the label in the literature."""
        square = torch.nan_to_num(vectors.square().sum(dim=1), nan=torch.inf)
        radius = diameter / 2
        return torch.where(square <= radius**2, torch.exp(-3 * square / (4 * radius**2)), 0.0)

    def centres(self, answer, diameter, floor):
        """As of any learned method: the maxima of the map, of two that are too near the higher one."""
        heat = 1 / (1 + np.exp(-answer[0]))
        positions, height = maxima(heat, 0.3 * diameter)
        positions, height = positions[height > floor], height[height > floor]
        kept = exclusive(positions, height, APART * diameter)
        return positions[kept], height[kept], np.rint(positions[kept]).astype(int)
