"""Ours: a transformer over time on positions and Gauss-Hermite moments of the spot, which corrects a likelihood.

Each frame is a token: where its spot is, the steps to and from it, its photons, its localisation error and the moments
of its image about the fitted centre (`hermite_moments`), with the tokens before and after. The network answers
a correction of the mean and SD of ln D under the likelihood of blur and path, so that it begins as the best
classical method and learns what that one leaves: shapes that are not Gaussian, streaks that continue each other, and
when to distrust a width or a step.
"""

import torch
from torch import nn
from torch.nn import functional

from blurbench.diffusion import hermite_moments
from blurbench.diffusion.layers import Block, pooled
from blurbench.diffusion.learned import Learned

STEP_FEATURES = 6


class Ours(Learned):
    kind = "learned"
    trains = True
    options = {"width": 64, "depth": 2, "rotations": 1}
    streamed = False  # some 3 kB an item

    def network(self, spec):
        return _Network(self.width, self.depth)

    def prepare(self, dataset, threads):
        return hermite_moments.features(dataset, threads)

    def turn(self, x, element):
        order, sign = hermite_moments.symmetry(element)
        return x[..., torch.from_numpy(order).to(x.device)] * torch.from_numpy(sign).to(x.device)

    def adapt(self, network, train):
        x, summary, present, _ = train.block(0)
        frames = x[present]
        squares = [self.turn(frames, element).square().mean(dim=0) for element in range(8)]
        network.scale.copy_(torch.stack(squares).mean(dim=0).sqrt() + 1e-3)  # the same for what symmetry exchanges
        network.summary_mean.copy_(summary.mean(dim=0))
        network.summary_sd.copy_(summary.std(dim=0) + 1e-3)


class _Network(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        features = hermite_moments.STACK_FEATURES
        self.register_buffer("scale", torch.ones(hermite_moments.FRAME_FEATURES))
        self.register_buffer("summary_mean", torch.zeros(features))
        self.register_buffer("summary_sd", torch.ones(features))
        token = 3 * (hermite_moments.FRAME_FEATURES + STEP_FEATURES)
        self.token = nn.Sequential(nn.Linear(token, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.summary = nn.Linear(features, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Sequential(nn.Linear(2 * width + features, width), nn.GELU(), nn.Linear(width, 2))
        nn.init.zeros_(self.head[-1].weight)  # begins as the likelihood that it corrects
        nn.init.zeros_(self.head[-1].bias)

    def forward(self, x, summary, present):
        mean, log_sd = summary[:, 0], summary[:, 1].log()
        known = ((summary - self.summary_mean) / self.summary_sd).clamp(-5, 5)
        tokens = self.tokens(x, present)
        around = functional.pad(tokens, (0, 0, 1, 1))
        x = self.token(torch.cat([around[:, :-2], tokens, around[:, 2:]], dim=-1)) + self.summary(known)[:, None]
        for block in self.blocks:
            x = block(x, present)
        change = self.head(torch.cat([pooled(self.norm(x), present), known], dim=-1)).float()
        return torch.stack([mean + change[:, 0], log_sd + change[:, 1]], dim=-1)

    def tokens(self, x, present):
        """Features of each frame by itself and of the steps to and from it, all of order one."""
        position = x[..., :2]
        both = (present[:, 1:] & present[:, :-1])[..., None]
        step = torch.where(both, position[:, 1:] - position[:, :-1], 0.0)
        none = torch.zeros_like(position[:, :1])
        usual = (step.square().sum(dim=(1, 2)) / both.sum(dim=(1, 2)).clamp(min=1) + 0.05).sqrt()[:, None, None]
        centre = (position * present[..., None]).sum(dim=1, keepdim=True) / present.sum(dim=1)[:, None, None]
        length = torch.cat([none[..., :1], torch.linalg.norm(step, dim=-1, keepdim=True).clamp(max=20) / 3], dim=1)
        parts = [
            (position - centre) / usual / 4,
            x[..., 2:] / self.scale[2:],
            torch.cat([none, step / usual], dim=1),
            torch.cat([step / usual, none], dim=1),
            length,
            usual.log().expand(-1, x.shape[1], 1),
        ]
        return torch.cat(parts, dim=-1).clamp(-8, 8) * present[..., None]
