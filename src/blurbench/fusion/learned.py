"""What the networks share: patches to train on, tiles to predict in.

A method's class gives `network()` and, where it is not the mean square error, the loss of its answers. The target is
the noise-free truth unless its entry says `target`, on the scale of the view's own brightest places. A network works on
any size, so it trains on patches and predicts whole views; where these are large, level by level in tiles of them.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from blurbench.fusion import network_inputs
from blurbench.fusion.dimming import one_of
from blurbench.fusion.features import SHARPENED, estimates, whole
from blurbench.fusion.items import answers
from blurbench.fusion.restoration import part, tiled
from blurbench.fusion.score import n_ssim
from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.prepared import Prepared
from blurbench.learning.tiles import window
from blurbench.learning.weights import trained, untrained, weights

BLOCK = 8  # views prepared at a time
HELD = np.float16  # what is made of a view waits in it for its turn: half the memory, and finer than the noise by far
SHOWN = slice(1, 3)  # of SHARPENED, the estimates of the truth that some networks are given: a fine and a smooth one
VIEWS = 8  # of the validation split that a training is stopped by


class Learned:
    """Base of the networks.

    estimated : whether the network is given the flat field and estimates of the truth beside the view
    patch_px : sides z, y, x of what it is trained on
    levels : between which the network halves its sides
    tile : side of the tiles that large views are predicted in
    dimmed : fainter copies of each view (`dimming`) to train on beside it
    target : one of `items.TARGETS` that the network learns: the truth, or what all noisy views are made into
    spec : what is known of the dataset that it is trained on
    """

    estimated = False
    patch_px = (32, 48, 48)
    levels, tile = 5, 96
    dimmed, target = 0, "density"
    spec: dict[str, Any] = {}

    @property
    def align(self):
        """Sides that the network works on are multiples of it."""
        return 2 ** (self.levels - 1)

    @property
    def estimates(self):
        """Number of estimates of the truth that the network is given."""
        return self.estimated * len(SHARPENED[SHOWN])

    @property
    def channels(self):
        """Number of channels that the network sees."""
        return network_inputs.PLAIN + bool(self.estimates) + self.estimates

    def network(self):
        """Untrained network: (n, channels, z, y, x) -> (n, 1, z, y, x), with `by_levels` as in `learning.unet`."""
        raise TypeError(f"{type(self).__name__} has no network")

    def inputs(self, part, box, known):
        """What the network sees of the part of a view that lies in a box: channels that fit it (`network_inputs`)."""
        return network_inputs.channels(part, box, known, self.found(part, box, known))

    def found(self, part, box, known):
        """Estimates of the truth over the scale that the network is given of a part of a view: arrays (z, y, x)."""
        if known.estimates is not None:  # of the whole view
            return known.estimates[(slice(None), *window(box))]
        return self.estimate(part, box, known) if self.estimates else ()

    def estimate(self, part, box, known):
        """Make those estimates."""
        return estimates(part, known.field.on(box), known.scale, SHARPENED[SHOWN])

    def loss(self, answer, target):
        """Scalar of a batch, of answers and truths (n, z, y, x)."""
        return functional.mse_loss(answer, target)

    def seen(self, part, box, known):
        """What `penalty` wants to know of the part of a view that lies in a box: arrays (..., z, y, x), or numbers."""
        return ()

    def penalty(self, answer, x, *seen):
        """Added to the loss in training, of answers (n, z, y, x) to inputs `x`; nothing unless a method says so."""
        return 0.0

    # -- training

    def fit(self, splits, budget, device, seed):
        """Train on patches of splits["train"], stop by splits["validation"].

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        self.spec = splits["train"].spec
        train, validation = self._prepared(splits["train"], self.dimmed), self._prepared(splits["validation"])
        device = find_device(device)
        network = untrained(self.network, budget, device, seed)

        def batch(index, rng):
            patches = [self._patch(train.item(i), rng) for i in index]
            return [torch.from_numpy(np.stack(part)).to(device) for part in zip(*patches)]

        def loss(network, batch):
            x, target, *seen = batch
            answer = network(x).float()[:, 0]
            return self.loss(answer, target) + self.penalty(answer, x, *seen)

        def validate(network):
            losses, scores = [], []
            for i in range(min(len(validation), VIEWS)):
                x, target, *_ = self._cut(validation.item(i))
                answer = self._answer(network, x, device)
                losses.append(float(self.loss(*(torch.from_numpy(a[None]) for a in (answer, target)))))
                scores.append(n_ssim(answer, target, np.square(x[0])))
            return {"validation_loss": float(np.mean(losses)), "validation_n_ssim": float(np.median(scores))}

        # An epoch is as many steps with copies as without.
        budget = replace(budget, epochs=budget.epochs / (1 + self.dimmed))
        curve = training.train(network, batch, len(train), BLOCK, loss, validate, budget, seed, device)
        return {"network": weights(network)}, curve

    def _prepared(self, dataset, copies=0):
        """The target of each view and its fainter copies over the scale, their channels, and what the penalty wants."""

        def columns(items):
            views = (one_of(dataset, k, copies, self.target) for k in range(items.start, items.stop))
            return zip(*map(self._prepare, views))

        return Prepared(columns, (1 + copies) * len(dataset), BLOCK)

    def _prepare(self, view):
        known, box = whole(view), tuple((0, n) for n in view.photons.shape)
        target = getattr(view.truth, self.target) / known.scale
        columns = target, *self.inputs(view, box, known), *self.seen(view, box, known)
        return [column.astype(HELD) for column in columns]

    def _patch(self, columns, rng):
        """A random patch, or its mirror image along y, the one axis along which no light is lost."""
        return self._cut(columns, window(self.random_box(columns[0].shape, rng)), rng.integers(2))

    def _cut(self, columns, at=(slice(None),) * 3, turned=False):
        """Channels in one array, the target, and what the penalty wants, of a part of what `_prepare` gives."""

        def of(column):
            if not column.ndim:  # a number, of the whole view
                return column.astype(np.float32)
            there = (side if n > 1 else slice(None) for side, n in zip(at, column.shape[-3:]))
            part = column[(..., *there)].astype(np.float32)
            return np.ascontiguousarray(np.flip(part, -2) if turned else part)

        target, *others = map(of, columns)
        x = network_inputs.stacked(others[: self.channels], target.shape)
        return [x, target, *others[self.channels :]]

    def random_box(self, shape, rng):
        """A box of `patch_px` voxels, or as many as there are, at a random place."""
        sides = [min(p, n) for p, n in zip(self.patch_px, shape)]
        corner = [int(rng.integers(n - side + 1)) for n, side in zip(shape, sides)]
        return tuple((c, c + side) for c, side in zip(corner, sides))

    # -- prediction

    def predict(self, dataset, model, device):
        """Every view. What a method answers stands in blurbench.planning.method."""
        device, self.spec = find_device(device), model["spec"]
        network = trained(self.network(), model, device)
        return answers(dataset, lambda view: self._restored(network, view, device))

    def _restored(self, network, view, device):
        """The truth that the network expects, (z, y, x) in photons."""
        known, shape = whole(view), view.photons.shape
        if max(shape) > self.tile:
            return self._by_levels(network, view, known, device) * np.float32(known.scale)
        x = network_inputs.stacked(self.inputs(view, tuple((0, n) for n in shape), known), shape)
        return self._answer(network, x, device) * np.float32(known.scale)

    def _by_levels(self, network, view, known, device):
        """What `_restored` gives over the scale, where a view is too large to go through at once."""
        shape = view.photons.shape
        if self.estimates:  # once, as each level reads its tiles with a margin
            made = tiled(lambda part, box: np.stack(self.estimate(part, box, known)).astype(HELD), view)
            known = known._replace(estimates=made)

        def read(box):
            inside = tuple((lo, min(hi, n)) for (lo, hi), n in zip(box, shape))
            x = self.inputs(part(view, inside), inside, known)
            x = network_inputs.stacked(x, [hi - lo for lo, hi in inside])
            x = np.pad(x, [(0, 0), *((0, hi - last) for (_, hi), (_, last) in zip(box, inside))], mode="edge")
            return torch.from_numpy(x[None]).to(device)

        sides = [n + -n % self.align for n in shape]
        side = max(self.align, self.tile // self.align * self.align)  # so that no tile lies beyond the view
        with torch.inference_mode():
            answer = network.by_levels(read, sides, side)[0, 0].float().cpu().numpy()
        return answer[tuple(slice(0, n) for n in shape)]

    def _answer(self, network, x, device):
        """Answer (z, y, x) of the network on channels (c, z, y, x) of any size."""
        sides = x.shape[1:]
        x = np.pad(x, [(0, 0), *((0, -n % self.align) for n in sides)], mode="edge")
        with torch.inference_mode():
            answer = network(torch.from_numpy(x[None]).to(device))[0, 0].float().cpu().numpy()
        return answer[tuple(slice(0, n) for n in sides)]
