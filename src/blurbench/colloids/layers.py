"""Network parts that the learned methods share: convolution blocks and U-Nets on volumes (channels, z, y, x)."""

import torch
from torch import nn
from torch.nn import functional


class Convolution(nn.Sequential):
    """3x3x3 convolution, batch norm, ReLU; batch norm, as its prediction does not depend on the rest of the volume."""

    def __init__(self, inside, outside):
        super().__init__(nn.Conv3d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm3d(outside), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, width):
        super().__init__()
        self.first = Convolution(width, width)
        self.second = nn.Sequential(nn.Conv3d(width, width, 3, padding=1, bias=False), nn.BatchNorm3d(width))

    def forward(self, x):
        return functional.relu(x + self.second(self.first(x)))


class Gate(nn.Module):
    """Attention gate on a skip connection: what the coarser level asks for passes (Oktay et al. 2018)."""

    def __init__(self, width, below):
        super().__init__()
        self.skip, self.ask = nn.Conv3d(width, width // 2, 1, bias=False), nn.Conv3d(below, width // 2, 1)
        self.weigh = nn.Conv3d(width // 2, 1, 1)

    def forward(self, skip, coarse):
        return skip * torch.sigmoid(self.weigh(functional.relu(self.skip(skip) + self.ask(coarse))))


class UNet(nn.Module):
    """U-Net (Çiçek et al. 2016): two convolutions a level, halved by maxima, doubled by repetition.

    Any size whose sides are multiples of 2**(levels - 1). As in the literature it sees the image alone: what it is told
    of the PSF it leaves aside.
    """

    def __init__(self, channels, width, outputs, levels=3, gated=False):
        super().__init__()
        widths = [width * 2**k for k in range(levels)]
        ends = [channels, *widths]
        self.down = nn.ModuleList(
            nn.Sequential(Convolution(a, b), Convolution(b, b)) for a, b in zip(ends[:-1], ends[1:])
        )
        pairs = list(zip(widths[-2::-1], widths[:0:-1]))
        self.gates = nn.ModuleList(Gate(a, b) if gated else None for a, b in pairs)
        self.up = nn.ModuleList(nn.Sequential(Convolution(a + b, a), Convolution(a, a)) for a, b in pairs)
        self.head = nn.Conv3d(width, outputs, 1)

    def forward(self, x, psf):
        skips = []
        for k, level in enumerate(self.down):
            x = level(functional.max_pool3d(x, 2) if k else x)
            skips.append(x)
        for level, gate, skip in zip(self.up, self.gates, skips[-2::-1]):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = level(torch.cat([gate(skip, x) if gate is not None else skip, x], dim=1))
        return self.head(x)
