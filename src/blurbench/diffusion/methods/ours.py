"""Ours: a set network over the frames, on what no symmetry changes, which corrects a likelihood.

Each frame is given by the invariants of its spot and of the steps to and from it (`invariants`), the stack by its
summaries. What holds of one frame is learned from all of them, turned or mirrored, forth or back in time; the answers
to the frames are pooled. The network answers a correction of the mean and SD of ln D under the likelihood of blur and
path, so that it begins as the best classical method and learns what that one leaves: shapes that are not Gaussian,
streaks that continue each other, and when to distrust a width or a step.
"""

import numpy as np
import torch
from torch import nn

from blurbench.diffusion.hermite_moments import features
from blurbench.diffusion.invariants import COUNT as INVARIANTS
from blurbench.diffusion.invariants import invariants
from blurbench.diffusion.layers import pooled
from blurbench.diffusion.learned import Learned
from blurbench.diffusion.summaries import COUNT as SUMMARIES
from blurbench.diffusion.summaries import summaries

FURTHEST = 6.0  # in SD: how far from its mean an input counts


class Ours(Learned):
    kind = "learned"
    trains = True
    options = {"width": 32, "dropout": 0.15}
    allowed = {"dropout": {"exclusiveMaximum": 1}}
    rotations = 1  # one answer: the others would be the same

    def network(self, spec):
        return _Network(self.width, self.dropout)

    def prepare(self, dataset, threads):
        moments, whole, present = features(dataset, threads)
        return invariants(moments, present), summaries(moments, whole, present).astype(np.float32), present

    def turn(self, x, element):
        return x

    def adapt(self, network, train):
        x, summary, present, _ = train.block(0)
        for layer, values in ((network.frame, x[present]), (network.stack, summary)):
            layer.mean.copy_(values.mean(dim=0))
            layer.sd.copy_(values.std(dim=0) + 1e-3)


class _Scaled(nn.Module):
    """Values less their means over the training items, in SD."""

    def __init__(self, columns):
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("sd", torch.ones(columns))

    def forward(self, x):
        return ((x - self.mean) / self.sd).clamp(-FURTHEST, FURTHEST)


class _Network(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.frame, self.stack = _Scaled(INVARIANTS), _Scaled(SUMMARIES)
        self.of_frame, self.of_stack = nn.Linear(INVARIANTS, 2 * width), nn.Linear(SUMMARIES, 2 * width)
        self.layers = nn.Sequential(nn.GELU(), nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, width))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(2 * width + SUMMARIES, width), nn.GELU(), nn.Linear(width, 2))
        nn.init.zeros_(self.head[-1].weight)  # begins as the likelihood that it corrects
        nn.init.zeros_(self.head[-1].bias)

    def forward(self, x, summary, present):
        """Mean and ln SD of ln D, (item, 2); x : (item, t, INVARIANTS), summary : (item, SUMMARIES)."""
        known = self.stack(summary)
        frames = self.layers(self.of_frame(self.frame(x)) + self.of_stack(known)[:, None])
        change = self.head(torch.cat([self.dropout(pooled(frames, present)), known], dim=-1)).float()
        return torch.stack([summary[:, 0] + change[:, 0], summary[:, 1].log() + change[:, 1]], dim=-1)
