"""Ours: a U-Net that chooses among estimates of the truth at each voxel, by a factor corrected, taught by L1 and SSIM.

What is known is undone before it: noise by total variation, blur by Richardson-Lucy, lost light by the flat field, each
as far as it can be without knowing what specimens look like. What a ridge regression makes of many of those
(`local_ridge`, fitted within the same budget) is the estimate that the network begins with. It sees the view and the
estimates on cells of 1 x 2 x 2 voxels, since planes are far apart: a step costs a quarter of what it does on voxels.

A target that is made of noisy views (`target: fused`) asks for something else. The score scales each volume by its own
percentiles, the low one of which lies deep in the noise of such a target. So the view itself is among the estimates
then, noise and all, and the loss is the score.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from blurbench.fusion import local_regression
from blurbench.fusion.features import FIRST_SHARPENED, features
from blurbench.fusion.learned import SHOWN, Learned
from blurbench.fusion.torch_ssim import scored_ssim, ssim
from blurbench.learning.unet import UNet

CELL = 2  # voxels of the plane on each side of a cell
SPAN = 1.5  # of truths over their scales: what the score takes for the data range
MOST = 3.0  # of the logarithm of what an estimate is multiplied by
SIMILARITY = 0.5  # weight of the SSIM beside the L1
RIDGE_VOXELS = 100_000
BEGIN = 4.0  # logarithm of its weight, beside 1 of each other estimate, where the network begins
ABSOLUTE = 0.1  # weight of the L1 beside the score, which any scale would fulfil


class Ours(Learned):
    kind = "learned"
    trains = True
    options = {
        "width": 32,
        "levels": 3,
        "patch_px": [32, 64, 64],
        "tile": 96,
        "estimated": True,
        "ridge_views": 60,  # that the ridge regression learns from; 0 for a network without it
        "dimmed": 1,
        "target": "density",
    }
    allowed = {
        "ridge_views": {"minimum": 0},
        "patch_px": {"minItems": 3, "maxItems": 3},
        "dimmed": {"minimum": 0},
        "target": {"enum": ["density", "fused", "deconvolved"]},
    }

    @property
    def align(self):
        return CELL * 2 ** (self.levels - 1)

    @property
    def noisy(self):
        """Whether the view itself is one of the estimates."""
        return self.target != "density"

    ridge = None  # what it has learned of the ridge regression

    @property
    def begins(self):
        """Whether the network begins with a ridge regression."""
        return bool(self.estimated and self.ridge_views)

    @property
    def estimates(self):
        return super().estimates + self.begins + self.noisy

    def estimate(self, part, box, known):
        view = [part.photons / np.float32(known.scale)] if self.noisy else []
        if not self.begins:
            return view + (super().estimate(part, box, known) if self.estimated else [])
        x = features(part, box, known)
        made = x[FIRST_SHARPENED:][SHOWN]
        return [*view, *made, local_regression.ridge_answer(self.ridge, x, part.photons.shape)]

    def fit(self, splits, budget, device, seed):
        if self.begins:
            views = splits["train"][: self.ridge_views]
            self.ridge = local_regression.ridge(views, self.dimmed, RIDGE_VOXELS, self.target, seed)
        learned, curve = super().fit(splits, budget, device, seed)
        return {**learned, "ridge": self.ridge}, curve

    def predict(self, dataset, model, device):
        self.ridge = model["ridge"]
        return super().predict(dataset, model, device)

    def network(self):
        return _Network(self.channels, self.estimates, self.width, self.levels, self.begins)

    def loss(self, answer, target):
        if self.noisy:
            return 1 - scored_ssim(answer, target) + ABSOLUTE * functional.l1_loss(answer, target)
        return functional.l1_loss(answer, target) + SIMILARITY * (1 - ssim(answer, target, SPAN))


class _Network(nn.Module):
    def __init__(self, channels, estimates, width, levels, begins):
        super().__init__()
        self.estimates = estimates
        self.cells = UNet(3, CELL**2 * channels, width, CELL**2 * (1 + estimates), levels)
        if begins:  # with the last of them
            with torch.no_grad():
                self.cells.head.weight.zero_()
                self.cells.head.bias.zero_()[-(CELL**2) :] = BEGIN

    def forward(self, x):
        return self._answer(self.cells(_cells(x)), x)

    def by_levels(self, read, shape, side):
        """Answer to a view that is too large to go through at once, as `UNet.by_levels` gives it."""

        def voxels(box):
            return read((box[0], *((CELL * lo, CELL * hi) for lo, hi in box[1:])))

        def finish(found, box):
            return _cells(self._answer(found, voxels(box)))

        z, y, x = shape
        sides = z, y // CELL, x // CELL
        return _voxels(self.cells.by_levels(lambda box: _cells(voxels(box)), sides, side, finish))

    def _answer(self, found, x):
        """Answer of each voxel, from what was found in its cell and what is seen of it."""
        found = _voxels(found)
        if not self.estimates:
            return functional.softplus(found)
        weights = functional.softmax(found[:, 1:], dim=1)
        mixed = (weights * x[:, -self.estimates :]).sum(dim=1, keepdim=True)
        # A factor, as a sum would leave its small errors where there is nothing, which is most of a view.
        return mixed * torch.exp(found[:, :1].clamp(-MOST, MOST))


def _cells(x):
    """Voxels (n, c, z, y, x) as channels of cells, (n, 4 c, z, y / 2, x / 2)."""
    planes = functional.pixel_unshuffle(x.transpose(1, 2).flatten(0, 1), CELL)
    return planes.unflatten(0, (len(x), -1)).transpose(1, 2)


def _voxels(x):
    """The way back."""
    planes = functional.pixel_shuffle(x.transpose(1, 2).flatten(0, 1), CELL)
    return planes.unflatten(0, (len(x), -1)).transpose(1, 2)
