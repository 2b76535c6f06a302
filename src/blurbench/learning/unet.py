"""U-Nets on images (channels, y, x) and volumes (channels, z, y, x), and the convolution blocks they are made of."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from blurbench.learning.tiles import tiles, widened, window

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}  # by the number of axes, the argument `dims` of all that stands here
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAXIMA = {2: functional.max_pool2d, 3: functional.max_pool3d}
SEEN = 2  # pixels to either side that the two convolutions of a level see


class Convolution(nn.Sequential):
    """Convolution 3 wide, batch norm, ReLU; batch norm, as its prediction does not depend on the rest of the image."""

    def __init__(self, dims, inside, outside):
        convolution = CONVOLUTION[dims](inside, outside, 3, padding=1, bias=False)
        super().__init__(convolution, NORM[dims](outside), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, dims, width):
        super().__init__()
        self.first = Convolution(dims, width, width)
        self.second = nn.Sequential(CONVOLUTION[dims](width, width, 3, padding=1, bias=False), NORM[dims](width))

    def forward(self, x):
        """x : (item, width, ...), and so is what it gives."""
        return functional.relu(x + self.second(self.first(x)))


class Gate(nn.Module):
    """Attention gate on a skip connection: what the coarser level asks for passes (Oktay et al. 2018)."""

    def __init__(self, dims, width, below):
        super().__init__()
        convolution = CONVOLUTION[dims]
        self.skip, self.ask = convolution(width, width // 2, 1, bias=False), convolution(below, width // 2, 1)
        self.weigh = convolution(width // 2, 1, 1)

    def forward(self, skip, coarse):
        """What passes of `skip` (item, width, ...), asked for by `coarse` (item, below, ...) of the same size."""
        return skip * torch.sigmoid(self.weigh(functional.relu(self.skip(skip) + self.ask(coarse))))


def beside(x, known):
    """Channels x (item, channels, ...), and as constant ones what is known of each item, `known` (item, numbers)."""
    sides = x.shape[2:]
    return torch.cat([x, known.reshape(*known.shape, *[1] * len(sides)).expand(-1, -1, *sides)], dim=1)


class UNet(nn.Module):
    """U-Net (in 3-D Çiçek et al. 2016): two convolutions a level, halved by maxima, doubled by repetition.

    Any size whose sides are multiples of 2**(levels - 1). With `transposed` sides are doubled by transposed
    convolutions that halve the channels (Ronneberger et al. 2015).
    """

    def __init__(self, dims, channels, width, outputs, levels=3, gated=False, transposed=False):
        super().__init__()
        self.dims, widths = dims, [width * 2**k for k in range(levels)]
        ends = [channels, *widths]
        self.down = nn.ModuleList(
            nn.Sequential(Convolution(dims, a, b), Convolution(dims, b, b)) for a, b in zip(ends[:-1], ends[1:])
        )
        pairs = list(zip(widths[-2::-1], widths[:0:-1]))
        self.gates = nn.ModuleList(Gate(dims, a, b) if gated else None for a, b in pairs)  # type: ignore[misc]
        self.enlarge = nn.ModuleList(
            TRANSPOSED[dims](b, a, 2, stride=2) if transposed else nn.Upsample(scale_factor=2.0) for a, b in pairs
        )
        wide = [(a, 2 * a if transposed else a + b) for a, b in pairs]
        self.up = nn.ModuleList(nn.Sequential(Convolution(dims, c, a), Convolution(dims, a, a)) for a, c in wide)
        self.head = CONVOLUTION[dims](width, outputs, 1)

    def forward(self, x, known=None):
        """x : (item, channels, ...), with the numbers of `beside` counted; gives (item, outputs, ...)."""
        x, skips = x if known is None else beside(x, known), []
        for k, level in enumerate(self.down):
            x = level(MAXIMA[self.dims](x, 2) if k else x)
            skips.append(x)
        for enlarge, level, gate, skip in zip(self.enlarge, self.up, self.gates, skips[-2::-1]):
            x = _joined(enlarge, level, gate, skip, x)
        return self.head(x)

    def by_levels(self, read, shape, side, finish=lambda answer, box: answer):
        """Answer to an image that is too large to go through at once, (item, outputs, ...).

        A tile that goes through all levels must be read with all that the coarsest one sees, which in a volume can be
        many times the tile. Here each level goes through the whole image, in tiles, before the next one begins, so that
        a tile is read with what that level sees; twice, on the way down and up, as what is kept of the finest level is
        what the next one is given. The whole of the next level's answer is held: in a volume, as many values as the
        finest one has at a quarter of its places.

        Parameters
        ----------
        read : function of a box, a (lo, hi) per axis, that gives that part of the image, (item, channels, ...)
        shape : sides of the image, multiples of 2**(levels - 1)
        side : pixels of a tile without its margin
        finish : function of the answer in a box and of that box: what is kept of it, of the same sides
        """
        return self._level(0, read, shape, side, lambda found, box: finish(self.head(found), box))

    def _level(self, k, read, shape, side, finish=lambda found, box: found):
        """What the levels from k on answer, of an image of that level."""
        if k == len(self.down) - 1:
            everything = tuple((0, n) for n in shape)
            return finish(self.down[k](read(everything)), everything)
        below, answer = self._below(k, read, shape, side), None
        for tile in tiles(shape, side, SEEN, 2):
            seen = widened(tile.read, SEEN, shape)
            skip = self.down[k](read(seen))[(..., *window(tile.read, seen))]
            coarse = below[(..., *window(_halved(tile.read)))]
            found = _joined(self.enlarge[-1 - k], self.up[-1 - k], self.gates[-1 - k], skip, coarse)
            answer = _put(answer, shape, tile.core, finish(found[(..., *window(tile.core, tile.read))], tile.core))
        return answer

    def _below(self, k, read, shape, side):
        """What the levels after k answer, of an image of level k."""
        given: Any = None
        half = [n // 2 for n in shape]
        for tile in tiles(shape, side, SEEN, 2):
            found = self.down[k](read(tile.read))[(..., *window(tile.core, tile.read))]
            given = _put(given, half, _halved(tile.core), MAXIMA[self.dims](found, 2))
        return self._level(k + 1, lambda box: given[(..., *window(box))], half, side)


def _joined(enlarge, level, gate, skip, x):
    """What a level makes, on the way up, of its skip connection and of the coarser level's answer `x`."""
    x = enlarge(x)
    return level(torch.cat([gate(skip, x) if gate is not None else skip, x], dim=1))


def _halved(box):
    """A box of even corners, at the next level."""
    return tuple((lo // 2, hi // 2) for lo, hi in box)


def _put(whole: Any, shape, box, part):
    """`whole` (item, channels, *shape), which is made with the first part of it, with a part in its box."""
    if whole is None:
        whole = part.new_empty((*part.shape[:2], *shape))
    whole[(..., *window(box))] = part
    return whole
