"""What the networks share: patches to train on, tiles to predict in.

A network tells at each pixel whether a cell is there, in log-odds, and with `cells` also how near the middle of one it
is, from 0 to 1: whose maxima are seeds of a watershed. It works on any size, so it trains on patches and predicts whole
images, or tiles of them where these are large. A cell belongs to the tile in whose core its seed lies.
"""

import numpy as np
import torch
from torch.nn import functional

from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.prepared import Prepared
from blurbench.learning.tiles import tiles, widened, window
from blurbench.learning.weights import trained, untrained, weights
from blurbench.segmentation import network_inputs
from blurbench.segmentation.greys import greys
from blurbench.segmentation.items import answers, labelled
from blurbench.segmentation.score import pixel_f1
from blurbench.segmentation.watershed import basins, components, seeds

BLOCK = 16  # images prepared at a time
IMAGES = 16  # of the validation split that a training is stopped by
HEIGHT = 4.0  # weight of the mean square error of the height beside the mask's loss
WHOLE = 1.5  # usual diameters around a tile in which the cells lie whose seeds it owns


class Learned:
    """Base of the networks.

    cells : whether the network tells cells apart, by a height whose maxima are their seeds
    told : whether it is told the blur
    sharpened : whether it sees the blur undone beside the image
    patch_px : sides y, x of what it is trained on
    levels : between which the network halves its sides
    tile : side of the tiles that large images are predicted in
    separation : of two seeds, at least, in usual diameters
    least : height of a seed
    """

    cells, told, sharpened = True, True, False
    patch_px = (128, 128)
    levels, tile = 4, 512
    separation, least = 0.15, 0.2
    cell = 1  # pixels on each side of what the finest level of the network works on
    optimiser = staticmethod(training.adamw)

    @property
    def align(self):
        """Sides that the network works on are multiples of it."""
        return self.cell * 2 ** (self.levels - 1)

    @property
    def margin(self):
        """Pixels around a tile beyond which its answer does not depend on the planes, a multiple of `align`.

        Two convolutions a level, on the way down and up, reach 3 x 2**levels - 4 of its finest cells; that leaves two
        for what a method puts before or after them.
        """
        return 6 * self.align

    @property
    def planes(self):
        """Number of planes that the network sees."""
        return 1 + self.sharpened * len(network_inputs.SHARPENED)

    @property
    def numbers(self):
        """Number of numbers that it is told beside them."""
        return 1 + self.told

    @property
    def outputs(self):
        """Number of channels that it gives: the mask in log-odds, then the height."""
        return 1 + self.cells

    def network(self):
        """Untrained network: planes (n, planes, y, x) and numbers (n, numbers) -> (n, outputs, y, x)."""
        raise TypeError(f"{type(self).__name__} has no network")

    def inputs(self, image, known, field):
        """What the network sees of an image (y, x), a part of a field: planes (planes, y, x) and numbers, float32."""
        planes = network_inputs.planes(image, known, field.blur_px, self.sharpened)
        return planes, network_inputs.numbers(field, self.told)

    def height(self, labels, diameter_px):
        """How near the middle of a cell each pixel lies, 0 to 1, (y, x), of true cells."""
        raise TypeError(f"{type(self).__name__} has no height")

    def loss(self, answer, target):
        """Scalar of a batch, of answers and targets (n, outputs, y, x)."""
        loss = mask_loss(answer[:, 0], target[:, 0])
        return loss + HEIGHT * functional.mse_loss(answer[:, 1], target[:, 1]) if self.cells else loss

    # -- training

    def fit(self, splits, budget, device, seed):
        """Train on patches of splits["train"], stop by splits["validation"].

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        train, validation = self._prepared(splits["train"]), self._prepared(splits["validation"])
        device = find_device(device)
        network = untrained(self.network, budget, device, seed)

        def batch(index, rng):
            patches = [self._patch(*train.item(i), rng) for i in index]
            return [torch.from_numpy(np.stack(part)).to(device) for part in zip(*patches)]

        def loss(network, batch):
            x, numbers, target = batch
            return self.loss(network(x, numbers).float(), target)

        def validate(network):
            losses, scores = [], []
            for i in range(min(len(validation), IMAGES)):
                x, numbers, target = (column.astype(np.float32) for column in validation.item(i))
                answer = self._answer(network, x, numbers, device)
                losses.append(float(self.loss(*(torch.from_numpy(a[None]) for a in (answer, target)))))
                scores.append(pixel_f1(answer[0] > 0, target[0] > 0))
            return {"validation_loss": float(np.mean(losses)), "validation_pixel_f1": float(np.mean(scores))}

        curve = training.train(network, batch, len(train), BLOCK, loss, validate, budget, seed, device, self.optimiser)
        return {"network": weights(network)}, curve

    def _prepared(self, dataset):
        """Planes and numbers of each image, and what the network is to answer."""

        def columns(items):
            return zip(*(self._prepare(labelled(dataset, i)) for i in range(items.start, items.stop)))

        return Prepared(columns, len(dataset), BLOCK)

    def _prepare(self, field):
        target = [field.labels > 0]
        if self.cells:
            target.append(self.height(field.labels, field.diameter_px))
        # Half precision holds twice as many, and is finer than the noise by far.
        x, numbers = self.inputs(field.image, greys(field.image), field)
        return x.astype(np.float16), numbers, np.stack(target, dtype=np.float16)

    def _patch(self, x, numbers, target, rng):
        """A random patch of planes and target, turned and mirrored at random, and the numbers between them."""
        sides = [min(p, n) // self.align * self.align for p, n in zip(self.patch_px, target.shape[1:])]
        corner = [int(rng.integers(n - side + 1)) for n, side in zip(target.shape[1:], sides)]
        at = window(tuple((c, c + side) for c, side in zip(corner, sides)))
        turns, mirrored = int(rng.integers(4)) if sides[0] == sides[1] else 2 * int(rng.integers(2)), rng.integers(2)

        def of(column):
            part = np.rot90(column[(slice(None), *at)].astype(np.float32), turns, axes=(1, 2))
            return np.ascontiguousarray(part[:, ::-1] if mirrored else part)

        return of(x), numbers, of(target)

    # -- prediction

    def predict(self, dataset, model, device):
        """Every image, tile by tile. What a method answers stands in blurbench.planning.method."""
        device = find_device(device)
        network = trained(self.network(), model, device)
        return answers(dataset, lambda field: self.segment(network, field, device))

    def segment(self, network, field, device):
        """Cells of an image (`items.Field`), int32 (y, x)."""
        out, number = np.zeros(field.image.shape, np.int32 if self.cells else bool), 0
        for tile, answer in self.tiled(network, field, device):
            if self.cells:
                number = self._owned(out, tile, answer, field.diameter_px, number)
            else:
                out[window(tile.core)] = answer[0][window(tile.core, tile.read)] > 0
        return out if self.cells else components(out, field.diameter_px)

    def tiled(self, network, field, device):
        """Each tile of an image, and what the network answers to all that is read of it, (outputs, y, x).

        The planes are made of more, as what undoes the blur sees further: the network need not go through that.
        """
        known, shape = greys(field.image), field.image.shape
        cells, blur = self.cells * WHOLE * field.diameter_px, network_inputs.reach(field.blur_px, self.sharpened)
        margin, further = (self.margin + -(-int(reach) // self.align) * self.align for reach in (cells, cells + blur))
        for tile in tiles(shape, self.tile, margin, self.align):
            seen = widened(tile.core, further, shape)
            planes, numbers = self.inputs(field.image[window(seen)], known, field)
            yield tile, self._answer(network, planes[(slice(None), *window(tile.read, seen))], numbers, device)

    def _owned(self, out, tile, answer, diameter_px, number):
        """Add to the cells of an image those whose seeds lie in the core of a tile, and give their number."""
        mask, height = answer[0] > 0, answer[1]
        cells = basins(height, seeds(height * mask, self.separation * diameter_px, self.least), mask, diameter_px)
        corner = [lo for lo, _ in tile.read]
        middle = _highest(height, cells)
        own = tile.owns(middle + corner)
        numbers = np.concatenate([[0], np.where(own, number + np.cumsum(own), 0)]).astype(np.int32)
        part = out[window(tile.read)]
        np.copyto(part, numbers[cells], where=part == 0)
        return number + int(own.sum())

    def _answer(self, network, x, numbers, device):
        """Answer (outputs, y, x) of the network on planes (planes, y, x) of any size."""
        sides = x.shape[1:]
        x = np.pad(x, [(0, 0), *((0, -n % self.align) for n in sides)], mode="edge")
        with torch.inference_mode():
            answer = network(*(torch.from_numpy(a[None]).to(device) for a in (x, numbers)))[0].float().cpu().numpy()
        return answer[(slice(None), *(slice(0, n) for n in sides))]


def mask_loss(answer, target):
    """Cross-entropy and soft Dice, over the batch, of log-odds and masks (n, y, x)."""
    p = torch.sigmoid(answer)
    dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    return functional.binary_cross_entropy_with_logits(answer, target) + 1 - dice


def _highest(height, cells):
    """Pixel (n, 2) of each cell, numbered from 1, where the height is largest; its seed, if it has one."""
    inside = np.flatnonzero(cells)
    order = inside[np.lexsort((-height.ravel()[inside], cells.ravel()[inside]))]
    _, first = np.unique(cells.ravel()[order], return_index=True)
    return np.column_stack(np.unravel_index(order[first], cells.shape))
