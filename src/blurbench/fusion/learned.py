"""What the networks share: patches to train on, tiles to predict in.

A method's class gives `network()` and, where it is not the mean square error, the loss of its answers. The target is
the noise-free truth, on the scale of the view's own brightest places. A network works on any size, so it trains on
patches and predicts whole views, or tiles of them where these are large.
"""

import numpy as np
import torch
from torch.nn import functional

from blurbench.fusion import network_inputs
from blurbench.fusion.features import whole
from blurbench.fusion.items import answers, read
from blurbench.fusion.restoration import tiled
from blurbench.fusion.score import n_ssim
from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.prepared import Prepared
from blurbench.learning.weights import trained, untrained, weights

BLOCK = 8  # views prepared at a time
VIEWS = 8  # of the validation split that a training is stopped by


class Learned:
    """Base of the networks.

    estimated : whether the network is given the flat field and estimates of the truth beside the view
    patch_px : sides z, y, x of what it is trained on
    tile : side of the tiles that large views are predicted in
    margin : voxels around a tile beyond which its answer hardly depends on the view, a multiple of `align`
    align : sides that the network works on are multiples of it
    """

    estimated = False
    patch_px = (32, 48, 48)
    tile, margin, align = 96, 32, 16

    @property
    def channels(self):
        """Number of channels that the network sees."""
        return network_inputs.PLAIN + self.estimated * (1 + network_inputs.ESTIMATED)

    def network(self):
        """Untrained network: (n, channels, z, y, x) -> (n, 1, z, y, x)."""
        raise TypeError(f"{type(self).__name__} has no network")

    def loss(self, answer, target):
        """Scalar of a batch, of answers and truths (n, z, y, x)."""
        return functional.mse_loss(answer, target)

    # -- training

    def fit(self, splits, budget, device, seed):
        """Train on patches of splits["train"], stop by splits["validation"].

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        train, validation = (self._prepared(splits[name]) for name in ("train", "validation"))
        network = untrained(self.network, budget, device, seed)

        def batch(index, rng):
            patches = [self._patch(*train.item(i), rng) for i in index]
            return [torch.from_numpy(np.stack(part)).to(device) for part in zip(*patches)]

        def loss(network, batch):
            x, target = batch
            return self.loss(network(x).float()[:, 0], target)

        def validate(network):
            losses, scores = [], []
            for i in range(min(len(validation), VIEWS)):
                x, target = (part.astype(np.float32) for part in validation.item(i))
                answer = self._answer(network, x, device)
                losses.append(float(self.loss(*(torch.from_numpy(a[None]) for a in (answer, target)))))
                scores.append(n_ssim(answer, target, np.square(x[0])))
            return {"validation_loss": float(np.mean(losses)), "validation_n_ssim": float(np.median(scores))}

        curve = training.train(network, batch, len(train), BLOCK, loss, validate, budget, seed, device)
        return {"network": weights(network)}, curve

    def _prepared(self, dataset):
        """Channels of each view, and its truth over its scale."""

        def columns(items):
            part = dataset[items]
            return zip(*(self._prepare(read(part, k)) for k in range(len(part))))

        return Prepared(columns, len(dataset), BLOCK)

    def _prepare(self, view):
        known, box = whole(view), tuple((0, n) for n in view.photons.shape)
        x = network_inputs.channels(view, box, known, self.estimated)
        # Half precision holds twice as many, and is finer than the noise by far.
        return x.astype(np.float16), (view.truth.density / known.scale).astype(np.float16)

    def _patch(self, x, target, rng):
        """A random patch, or its mirror image along y, the one axis along which no light is lost."""
        sides = [min(p, n) for p, n in zip(self.patch_px, target.shape)]
        corner = [int(rng.integers(n - side + 1)) for n, side in zip(target.shape, sides)]
        at = tuple(slice(c, c + side) for c, side in zip(corner, sides))
        x, target = x[(slice(None), *at)].astype(np.float32), target[at].astype(np.float32)
        if rng.integers(2):
            x, target = np.flip(x, 2), np.flip(target, 1)
        return np.ascontiguousarray(x), np.ascontiguousarray(target)

    # -- prediction

    def predict(self, dataset, model, device):
        """Every view, tile by tile. What a method answers stands in blurbench.planning.method."""
        device = find_device(device)
        network = trained(self.network(), model, device)
        return answers(dataset, lambda view: self._restored(network, view, device))

    def _restored(self, network, view, device):
        """The truth that the network expects, (z, y, x) in photons."""
        known = whole(view)

        def of_part(part, box):
            x = network_inputs.channels(part, box, known, self.estimated)
            return self._answer(network, x, device) * np.float32(known.scale)

        return tiled(of_part, view, self.margin, self.tile, self.align)

    def _answer(self, network, x, device):
        """Answer (z, y, x) of the network on channels (c, z, y, x) of any size."""
        sides = x.shape[1:]
        x = np.pad(x, [(0, 0), *((0, -n % self.align) for n in sides)], mode="edge")
        with torch.inference_mode():
            answer = network(torch.from_numpy(x[None]).to(device))[0, 0].float().cpu().numpy()
        return answer[tuple(slice(0, n) for n in sides)]
