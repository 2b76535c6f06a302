"""Heads and stems that turn frames into the mean and ln SD of ln D."""

import torch
from torch import nn
from torch.nn import functional

from blurbench.diffusion.network_inputs import PARAMETERS


def frames_of(spec) -> int:
    """Number of frames of a dataset's stacks; of a range its upper end."""
    frames = spec["imaging"]["frames"]
    return max(frames) if isinstance(frames, list) else frames


class Channels(nn.Module):
    """Frames as channels of a 2-D network, whose features and the imaging parameters go through one linear layer.

    Stacks of fewer frames than the network's are padded, as those of a dataset of many microscopes are.
    """

    def __init__(self, body, features):
        super().__init__()
        self.body, self.head = body, nn.Linear(features + PARAMETERS, 2)
        self.frames = next(body.parameters()).shape[1]  # channels that the first convolution takes

    def forward(self, x, microscope, present):
        """Mean and ln SD of ln D, (item, 2); x : (item, t, y, x), microscope : (item, n), present : (item, t) bool."""
        if x.shape[1] > self.frames:
            raise ValueError(f"found stacks of {x.shape[1]} frames, expected at most the {self.frames} of the training")
        x = functional.pad(x, (0, 0, 0, 0, 0, self.frames - x.shape[1]))
        return self.head(torch.cat([self.body(x), microscope], dim=-1))


class Volume(nn.Module):
    """Frames as the depth of a 3-D network; frames that only pad are left out of the mean."""

    def __init__(self, body, features):
        super().__init__()
        self.body, self.head = body, nn.Linear(features + PARAMETERS, 2)

    def forward(self, x, microscope, present):
        """Mean and ln SD of ln D, (item, 2); x : (item, t, y, x), microscope : (item, n), present : (item, t) bool."""
        maps = self.body(x[:, None]).mean(dim=(-2, -1))  # (item, feature, t)
        mean = (maps * present[:, None]).sum(dim=-1) / present.sum(dim=1, keepdim=True)
        return self.head(torch.cat([mean, microscope], dim=-1))
