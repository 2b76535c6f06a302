"""What the learned methods share: the symmetries of the problem, training by the common loop, prediction.

A method's class gives `network(spec)` and, where it is not given crops, `prepare(dataset, threads)`; its network
answers mean and ln SD of ln D. The problem has the symmetries of the square (8) and of time (forth and back), all of
which are used to augment.
"""

import numpy as np
import torch

from blurbench.diffusion import crops, network_inputs
from blurbench.diffusion.intervals import from_log
from blurbench.diffusion.items import as_trained
from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.prepared import Prepared
from blurbench.learning.weights import trained, untrained, weights

BLOCK = 1024  # items that are prepared at a time
# SD of ln D, below and above which there is no answer. The 320 sub-positions of 32 frames, were they known exactly,
# tell D to 0.06; a network that corrects a likelihood whose law ends at a wall of the prior would be surer than that.
SD_RANGE = (0.05, 7.0)


def reverse(x, present):
    """x (item, t, ...) backwards in time; the frames that only pad stay behind."""
    frames = present.sum(dim=1, keepdim=True)
    t = torch.arange(present.shape[1], device=present.device)
    order = torch.where(t < frames, frames - 1 - t, t)
    return torch.take_along_dim(x, order.view(*order.shape, *[1] * (x.ndim - 2)), dim=1)


def gaussian_loss(mean, log_sd, target):
    """Negative log-likelihood of a normal law, mean over the batch, without its constant."""
    return (log_sd + 0.5 * ((target - mean) * torch.exp(-log_sd)) ** 2).mean()


class Learned:
    """Base of the networks; this one gives its network crops about the molecule.

    Options: crop_px, the side of a crop in pixels, 0 for the whole field; rotations, how many answers are averaged.

    Inputs of a network: x (item, t, ...); microscope (item, ...), what is known beside the images; present (item, t),
    False for frames that only pad.
    """

    def network(self, spec):
        """Untrained network of a dataset."""
        raise TypeError(f"{type(self).__name__} has no network")

    def prepare(self, dataset, threads):
        """Inputs (x, microscope, present) as arrays."""
        x, present = network_inputs.frames(dataset, self.crop_px)
        return x, network_inputs.microscope(dataset.items, dataset.spec), present

    def side(self, spec):
        """Side in pixels of the crops of a dataset."""
        return crops.side(spec, self.crop_px)

    def turn(self, x, element):
        """x under one of the square's eight symmetries; 0 is none, 1, 3 and their like mirror and exchange axes."""
        x = x.flip(-2) if element & 1 else x
        x = x.flip(-1) if element & 2 else x
        return x.transpose(-2, -1) if element & 4 else x

    # The elements whose mean over answers `rotations` asks for: none, the four rotations, or all with mirrors.
    elements = {1: (0,), 4: (0, 3, 5, 6), 8: tuple(range(8))}

    def fit(self, splits, budget, device, seed):
        """Train on splits["train"], stop by splits["validation"].

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        train, validation = (self._prepared(splits[name], budget.threads) for name in ("train", "validation"))
        device = find_device(device)
        network = untrained(lambda: self.network(splits["train"].spec), budget, device, seed)
        self.adapt(network, train)

        def batch(index, rng):
            x, microscope, present, target = (a.to(device, non_blocking=True) for a in train.take(index))
            x = self.turn(x, int(rng.integers(8)))
            return (reverse(x, present) if rng.integers(2) else x), microscope, present, target

        def loss(network, batch):
            return gaussian_loss(*_answer(network, *batch[:3]), batch[3])

        def validate(network):
            index = np.arange(len(validation))
            parts = [validation.take(i) for i in np.array_split(index, -(-len(index) // 256))]
            answers = [_answer(network, *(a.to(device) for a in inputs)) for *inputs, _ in parts]
            mean, log_sd = (torch.cat([a[i] for a in answers]).float().cpu() for i in range(2))
            target = torch.cat([p[3] for p in parts])
            rmse = float((mean - target).square().mean().sqrt())
            return {"validation_loss": float(gaussian_loss(mean, log_sd, target)), "validation_rmse_ln_d": rmse}

        curve = training.train(network, batch, len(train), train.size, loss, validate, budget, seed, device)
        return {"network": weights(network)}, curve

    def _prepared(self, dataset, threads):
        """Inputs and targets of a dataset."""
        targets = torch.from_numpy(np.log(np.asarray(dataset.truth["D"][:], np.float32)))

        def columns(items):
            inputs = self.prepare(dataset[items], threads)
            return [*(torch.from_numpy(np.ascontiguousarray(a)) for a in inputs), targets[items]]

        return Prepared(columns, len(dataset), BLOCK)

    def adapt(self, network, train):
        """Set what a network takes from the prepared training data before it is trained; nothing by default."""

    def predict(self, dataset, model, device):
        """D of every stack with its intervals. What a method answers stands in blurbench.planning.method."""
        if not len(dataset):
            return from_log([], [])
        device, dataset = find_device(device), as_trained(dataset, model["spec"])
        if "crop_px" in self.options and (found := self.side(dataset.spec)) != (side := self.side(model["spec"])):
            raise ValueError(f"found crops of {found} pixels, expected {side} as in the training")
        network = trained(self.network(model["spec"]), model, device)
        inputs = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in self.prepare(dataset, 1))
        x, microscope, present = inputs
        with torch.inference_mode():
            answers = [
                _answer(network, self.turn(x, element), microscope, present)
                for element in self.elements[self.rotations]
            ]
        mean, log_sd = (torch.stack(part).double().cpu().numpy() for part in zip(*answers))
        return from_log(mean.mean(axis=0), np.exp(log_sd.mean(axis=0)))


def _answer(network, x, microscope, present):
    out = network(x.float(), microscope, present).float()
    return out[:, 0], out[:, 1].clamp(*np.log(SD_RANGE))
