"""ResNet in 2-D, frames as channels: the best network of the source report (CS-433/ml-project-2-big-burger, 2024)."""

from torch import nn

from blurbench.diffusion.layers import Residual
from blurbench.diffusion.learned import Learned
from blurbench.diffusion.networks import Channels, frames_of


class ResNet2D(Learned):
    kind = "learned"
    trains = True
    options = {"width": 64, "crop_px": 32, "rotations": 1}
    allowed = {"crop_px": {"minimum": 0}, "rotations": {"enum": [1, 4, 8]}}

    def network(self, spec):
        w = self.width
        stem = nn.Sequential(nn.Conv2d(frames_of(spec), w, 3, 1, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        stages = [
            Residual(2, w, w, 1),
            Residual(2, w, 2 * w, 2),
            Residual(2, 2 * w, 4 * w, 2),
            Residual(2, 4 * w, 8 * w, 2),
        ]
        return Channels(nn.Sequential(stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 8 * w)
