"""Pix2D: the CNN with Swish of Park et al. 2023 (Commun Biol 6:336), frames as channels.

Six convolutions with batch norm and Swish, two of them with stride 2, dropout 0.2, one linear layer; `width` is its n.
The original reads 40 images of different molecules; here the frames are those of one molecule, so that every method
answers the same question.
"""

from torch import nn

from blurbench.diffusion.learned import Learned
from blurbench.diffusion.networks import Channels, frames_of


class Pix2D(Learned):
    kind = "learned"
    trains = True
    options = {"width": 40, "crop_px": 32, "rotations": 1}
    allowed = {"crop_px": {"minimum": 0}, "rotations": {"enum": [1, 4, 8]}}

    def network(self, spec):
        n, channels, side, layers = self.width, frames_of(spec), self.side(spec), []
        for outside, stride in ((2 * n, 1), (2 * n, 2), (4 * n, 1), (4 * n, 2), (8 * n, 1), (8 * n, 1)):
            layers += [nn.Conv2d(channels, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.SiLU()]
            channels, side = outside, -(-side // stride)
        return Channels(nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2)), channels * side**2)
