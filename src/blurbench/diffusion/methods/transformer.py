"""Video transformer: every frame is encoded by itself, attention runs over the frames, however many there are."""

from torch import nn

from blurbench.diffusion.layers import Block, pooled
from blurbench.diffusion.learned import Learned
from blurbench.diffusion.network_inputs import PARAMETERS

DEPTH = 4


class Transformer(Learned):
    kind = "learned"
    trains = True
    options = {"width": 256, "crop_px": 32, "rotations": 1}
    allowed = {"crop_px": {"minimum": 0}, "rotations": {"enum": [1, 4, 8]}}

    def network(self, spec):
        return _Network(self.width, self.side(spec))


class _Network(nn.Module):
    def __init__(self, width, size):
        super().__init__()
        w, side = width // 8, size
        layers, inside = [], 1
        for outside in (w, 2 * w, 4 * w):
            layers += [nn.Conv2d(inside, outside, 3, 2, 1, bias=False), nn.BatchNorm2d(outside), nn.GELU()]
            inside, side = outside, -(-side // 2)
        # Where the molecule is must survive the encoder: its features are not averaged over the field.
        self.encode = nn.Sequential(*layers, nn.Conv2d(inside, w, 1), nn.Flatten(), nn.Linear(w * side**2, width))
        self.microscope = nn.Linear(PARAMETERS, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(DEPTH))
        self.head = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, 2))

    def forward(self, x, microscope, present):
        n, frames, height, across = x.shape
        x = self.encode(x.reshape(n * frames, 1, height, across)).view(n, frames, -1)
        x = x + self.microscope(microscope)[:, None]
        for block in self.blocks:
            x = block(x, present)
        return self.head(pooled(x, present))
