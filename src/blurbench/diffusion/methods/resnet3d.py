"""ResNet in 3-D that convolves over time: its number of parameters does not depend on the number of frames."""

from torch import nn

from blurbench.diffusion.layers import Residual
from blurbench.diffusion.learned import Learned
from blurbench.diffusion.networks import Volume


class ResNet3D(Learned):
    kind = "learned"
    trains = True
    options = {"width": 64, "crop_px": 32, "rotations": 1}
    allowed = {"crop_px": {"minimum": 0}, "rotations": {"enum": [1, 4, 8]}}

    def network(self, spec):
        w = self.width
        # A crop is larger than the molecule: the first stride brings the volume down to what can be afforded.
        stem = nn.Sequential(nn.Conv3d(1, w, 3, (1, 2, 2), 1, bias=False), nn.BatchNorm3d(w), nn.ReLU())
        stages = [Residual(3, w, w, 1), Residual(3, w, 2 * w, 2), Residual(3, 2 * w, 4 * w, 2)]
        return Volume(nn.Sequential(stem, *stages), 4 * w)
