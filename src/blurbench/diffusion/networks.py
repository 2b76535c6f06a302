"""Heads and stems that turn full frames into the mean and ln SD of ln D."""

import torch
from torch import nn

from blurbench.diffusion.learned import PARAMETERS


def frames_of(spec) -> int:
    """Number of frames of a dataset's stacks; of a range its upper end."""
    frames = spec["imaging"]["frames"]
    return max(frames) if isinstance(frames, list) else frames


class Channels(nn.Module):
    """Frames as channels of a 2-D network, whose features and the imaging parameters go through one linear layer."""

    def __init__(self, body, features):
        super().__init__()
        self.body, self.head = body, nn.Linear(features + PARAMETERS, 2)

    def forward(self, x, told, there):
        return self.head(torch.cat([self.body(x), told], dim=-1))


class Volume(nn.Module):
    """Frames as the depth of a 3-D network; frames that only pad are left out of the mean."""

    def __init__(self, body, features):
        super().__init__()
        self.body, self.head = body, nn.Linear(features + PARAMETERS, 2)

    def forward(self, x, told, there):
        maps = self.body(x[:, None]).mean(dim=(-2, -1))  # (item, feature, t)
        mean = (maps * there[:, None]).sum(dim=-1) / there.sum(dim=1, keepdim=True)
        return self.head(torch.cat([mean, told], dim=-1))
