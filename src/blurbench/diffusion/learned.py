"""What the learned methods share: their inputs, the symmetries of the problem, training by the common loop, prediction.

A method's class gives `network(spec)` and `prepare(dataset, threads)`; its network answers mean and ln SD of ln D. The
problem has the symmetries of the square (8) and of time (forth and back), all of which are used to augment.
"""

from collections import OrderedDict

import numpy as np
import torch

from blurbench.diffusion.intervals import from_log
from blurbench.learning import training
from blurbench.microscopy.camera import noise_variance, to_photons

BLOCK = 1024  # items of full frames held in memory at a time
PARAMETERS = 6


def parameters(items, spec):
    """Imaging parameters that a network is told, (n, PARAMETERS) float32, each of order one."""
    pixel = spec["imaging"]["pixel_size_um"]
    return np.column_stack([
        np.log(items["photons"] / 100) / 2, np.log1p(items["background"]) - 1, np.log(items["fwhm_um"] / pixel),
        np.log(items["frame_time_s"] / 0.01), np.log(items["exposure_s"] / items["frame_time_s"]),
        np.log(items["frames"] / 16),
    ]).astype(np.float32)  # fmt: skip


def reverse(x, there):
    """x (item, t, ...) backwards in time; the frames that only pad stay behind."""
    frames = there.sum(dim=1, keepdim=True)
    t = torch.arange(there.shape[1], device=there.device)
    order = torch.where(t < frames, frames - 1 - t, t)
    return torch.take_along_dim(x, order.view(*order.shape, *[1] * (x.ndim - 2)), dim=1)


class Learned:
    """Base of the learned methods; this one gives its network full frames.

    Inputs of a network: x (item, t, ...), told (item, ...), there (item, t).
    """

    streamed = True  # False where the prepared inputs of a whole dataset fit into memory

    def network(self, spec):
        """Untrained network of a dataset."""
        raise TypeError(f"{type(self).__name__} has no network")

    def prepare(self, dataset, threads):
        """Inputs (x, told, there) as arrays: photons above background in units of their noise, parameters, mask."""
        imaging, items = dataset.spec["imaging"], dataset.items
        background = (
            items["background"].to_numpy(np.float32)[:, None, None, None] * imaging["camera"]["quantum_efficiency"]
        )
        unit = np.sqrt(background + noise_variance(imaging["camera"]) + 1)
        x = (to_photons(dataset.images[:], imaging["camera"]) - background) / unit
        there = np.arange(x.shape[1]) < items["frames"].to_numpy()[:, None]
        return x * there[:, :, None, None], parameters(items, dataset.spec), there

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
        torch.manual_seed(seed)
        torch.set_num_threads(budget.threads)
        train, spec = splits["train"], splits["train"].spec
        source = _Source(self, train, budget.threads)
        network = self.network(spec)
        self.adapt(network, source)
        network = training.place(network, device)
        held_out = _Source(self, splits["validation"], budget.threads)

        def batch(index, rng):
            x, told, there, target = (a.to(device, non_blocking=True) for a in source.take(index))
            x = self.turn(x, int(rng.integers(8)))
            return (reverse(x, there) if rng.integers(2) else x), told, there, target

        def loss(network, batch):
            return training.gaussian_loss(*_answer(network, *batch[:3]), batch[3])

        def validate(network):
            index = np.arange(len(splits["validation"]))
            parts = [held_out.take(i) for i in np.array_split(index, -(-len(index) // 256))]
            answers = []
            for x, told, there, _ in parts:
                with training.autocast(device):
                    answers.append(_answer(network, x.to(device), told.to(device), there.to(device)))
            mean, log_sd = (torch.cat([a[i] for a in answers]).float().cpu() for i in range(2))
            target = torch.cat([p[3] for p in parts])
            rmse = float((mean - target).square().mean().sqrt())
            return {
                "validation_loss": float(training.gaussian_loss(mean, log_sd, target)),
                "validation_rmse_ln_d": rmse,
            }

        block = BLOCK if self.streamed else len(train)
        curve = training.train(network, batch, len(train), block, loss, validate, budget, seed, device)
        return {"network": {k: v.cpu() for k, v in network.state_dict().items()}}, curve

    def adapt(self, network, source):
        """Set what a network takes from the training data before it is trained; nothing by default."""

    def predict(self, dataset, model, device):
        if not len(dataset):
            return from_log([], [])
        device = training.find_device(device)
        network = self.network(dataset.spec)
        network.load_state_dict(model["network"])
        network = training.place(network, device).eval()
        x, told, there = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in self.prepare(dataset, 1))
        with torch.inference_mode(), training.autocast(device):
            answers = [
                _answer(network, self.turn(x, element), told, there) for element in self.elements[self.rotations]
            ]
        mean, log_sd = (torch.stack(part).double().cpu().numpy() for part in zip(*answers))
        return from_log(mean.mean(axis=0), np.exp(log_sd.mean(axis=0)))


def _answer(network, x, told, there):
    out = network(x, told, there).float()
    return out[:, 0], out[:, 1].clamp(-5, 2)  # an SD of ln D below 0.007 or above 7 is no answer


class _Source:
    """Inputs and targets of a dataset, prepared block by block; the last two blocks are kept."""

    def __init__(self, method, dataset, threads):
        self.method, self.dataset, self.threads = method, dataset, threads
        self.size = BLOCK if method.streamed else max(len(dataset), 1)
        self.targets = torch.from_numpy(np.log(np.asarray(dataset.truth["D"][:], np.float32)))
        self.blocks = OrderedDict()

    def block(self, number):
        """Prepared inputs of one block, as tensors."""
        if number not in self.blocks:
            part = self.dataset[number * self.size : (number + 1) * self.size]
            prepared = self.method.prepare(part, self.threads)
            self.blocks[number] = [torch.from_numpy(np.ascontiguousarray(a)) for a in prepared]
            while len(self.blocks) > 2:
                self.blocks.popitem(last=False)
        return self.blocks[number]

    def take(self, index):
        """x, told, there and target of the items in `index`."""
        index = np.asarray(index)
        parts = []
        for number in dict.fromkeys(index // self.size):
            inside = torch.from_numpy(index[index // self.size == number] % self.size)
            parts.append([a[inside] for a in self.block(number)] + [self.targets[inside + number * self.size]])
        return [torch.cat(columns) for columns in zip(*parts)]
