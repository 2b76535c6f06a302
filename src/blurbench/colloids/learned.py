"""What the learned methods share: crops and symmetries to train on, tiles to predict in, thresholds on validation.

A method's class gives `network()`, the loss of its answers and how centres are read from them. A network is given the
normalised volume, and the Wiener estimates where it asks for them, and answers for cells of `stride` voxels. It works
on any size, so it trains on crops and predicts whole volumes, or tiles of them where these are large. A tile is read
with a margin that the network sees no further than, so it gives what the whole volume would give.
"""

from collections import OrderedDict

import numpy as np
import torch

from blurbench.colloids import wiener
from blurbench.colloids.items import answers, read
from blurbench.colloids.matching import f1_in_voxels
from blurbench.colloids.network_targets import nearest
from blurbench.files.logs import progress
from blurbench.learning import training
from blurbench.planning.work import KEPT_MB

BLOCK = 64  # volumes prepared at a time
CROP = 48  # voxels, side of what a network is trained on
ALIGN = 8  # voxels: sides are multiples, so that every level of a U-Net halves evenly
MIRRORS = ((), (2,), (1,), (1, 2), (0,), (0, 2), (0, 1), (0, 1, 2))  # axes; the first 1, 2, 4 and 8 are groups
THRESHOLDS = np.arange(0.05, 0.95, 0.05)
VOLUMES, KNOTS, BLUR_STEP = 64, 8, 0.1  # a threshold is chosen on; blurs (PSF SD along z in diameters) it is chosen for


class Learned:
    """Base of the learned methods.

    stride : voxels a cell of the answer
    estimates : whether the network is given the Wiener estimates beside the image
    margin : voxels beyond which a cell of the answer does not depend on its channels, a multiple of ALIGN
    mirrors : images of the volume whose answers are averaged in prediction: 1, 2, 4 or 8
    """

    stride = 1
    estimates = False
    margin = 32
    mirrors = 1

    def network(self):
        """Untrained network: (n, channels, z, y, x), psf (n, 2) in diameters -> (n, answers, cells)."""
        raise TypeError(f"{type(self).__name__} has no network")

    def loss(self, answer, vectors, diameter):
        """Scalar of a batch: answer (n, answers, cells), vectors (n, 3, cells) to the nearest centre, voxels or NaN."""
        raise TypeError(f"{type(self).__name__} has no loss")

    def centres(self, answer, diameter, floor):
        """positions (n, 3) in voxels, confidence (n,), cells (n, 3) of one answer (answers, cells) of a network."""
        raise TypeError(f"{type(self).__name__} finds no centres")

    # -- what the network sees

    def inputs(self, values, noise_share, one):
        """Channels (c, z, y, x), float32, of a normalised volume or a part of one."""
        if not self.estimates:
            return values[None]
        return np.concatenate([values[None], wiener.wiener(values, noise_share, one.diameter, one.psf.sigma)])

    @staticmethod
    def told(one):
        """What the network is told of the microscope: the PSF's SDs along z and in the plane, in diameters."""
        return np.array(one.psf.sigma[:2], np.float32) / one.diameter

    # -- training

    def fit(self, splits, budget, device, seed):
        """Train on crops of splits["train"], stop by splits["validation"], then choose the threshold there.

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        torch.manual_seed(seed)
        torch.set_num_threads(budget.threads)
        train, validation = _Source(self, splits["train"]), _Source(self, splits["validation"])
        diameter = float(splits["train"].spec["imaging"]["diameter_px"])
        network = training.place(self.network(), device)

        def batch(index, rng):
            crops = [self._crop(*train.item(i), diameter, rng) for i in index]
            return [torch.from_numpy(np.stack(part)).to(device) for part in zip(*crops)]

        def loss(network, batch):
            x, told, vectors = batch
            return self.loss(network(x, told).float(), vectors, diameter)

        def validate(network):
            total = 0.0
            for i in range(len(splits["validation"])):
                x, told, centres = validation.item(i)
                x = x.astype(np.float32)
                cells = tuple(n // self.stride for n in x.shape[1:])
                vectors = nearest(centres, cells, self.stride, diameter / 2)
                part = (torch.from_numpy(a[None]).to(device) for a in (x, told, vectors))
                with training.autocast(device):
                    total += float(loss(network, list(part)))
            return {"validation_loss": total / len(splits["validation"])}

        curve = training.train(network, batch, len(splits["train"]), BLOCK, loss, validate, budget, seed, device)
        thresholds = self._thresholds(network, [train, validation], diameter, device)
        weights = {k: v.cpu() for k, v in network.state_dict().items()}
        return {"network": weights, **thresholds}, curve

    def _crop(self, x, told, centres, diameter, rng):
        """A random crop under a random symmetry of the image: mirrors, and the exchange of y and x."""
        corner = [int(rng.integers(0, n - min(CROP, n) + 1)) for n in x.shape[1:]]
        side = [min(CROP, n) for n in x.shape[1:]]
        x = x[(slice(None), *(slice(c, c + s) for c, s in zip(corner, side)))].astype(np.float32)
        centres = centres - corner
        for axis in range(3):
            if rng.integers(2):
                x = np.flip(x, 1 + axis)
                centres[:, axis] = side[axis] - 1 - centres[:, axis]
        if side[1] == side[2] and rng.integers(2):
            x, centres = x.swapaxes(2, 3), centres[:, [0, 2, 1]]
        cells = tuple(n // self.stride for n in x.shape[1:])
        vectors = nearest(np.ascontiguousarray(centres), cells, self.stride, diameter / 2)
        return np.ascontiguousarray(x), told, vectors

    def _thresholds(self, network, sources, diameter, device):
        """Least confidence with the best mean F1 for each blur: the less a place is certain, the lower its map.

        Of a threshold, few volumes say enough, those of the training among them: it has one number to fit.
        """
        blur, f1 = [], []
        items = [(source, i) for source in sources for i in range(min(len(source.dataset), VOLUMES // len(sources)))]
        for source, i in progress(items, "choose thresholds"):
            x, told, truth = source.item(i)
            answer = self._answer(network, x, told, device)
            positions, confidence, _ = self.centres(answer, diameter, THRESHOLDS[0])
            blur.append(float(told[0]))
            f1.append([f1_in_voxels(truth, positions[confidence >= t], x.shape[1:], diameter) for t in THRESHOLDS])
        blur, f1 = np.array(blur), np.array(f1)
        knots = np.linspace(blur.min(), blur.max(), KNOTS)
        weight = np.exp(-0.5 * ((blur - knots[:, None]) / BLUR_STEP) ** 2)
        return {"blur": knots.tolist(), "threshold": THRESHOLDS[(weight @ f1).argmax(axis=1)].tolist()}

    # -- prediction

    def predict(self, dataset, model, device):
        device = training.find_device(device)
        network = self.network()
        network.load_state_dict(model["network"])
        network = training.place(network, device).eval()

        def find(one):
            threshold = float(np.interp(self.told(one)[0], model["blur"], model["threshold"]))
            return self.find(network, one, threshold, device)

        return answers(dataset, find)

    def find(self, network, one, threshold, device):
        """Positions (n, 3) in voxels and confidence (n,) of one Volume, tile by tile."""
        positions, confidence = [np.empty((0, 3))], [np.empty(0)]
        for core, start, answer in self.tiles(network, one, device):
            found, sure, cells = self.centres(answer, one.diameter, threshold)
            place = cells * self.stride + start
            # Of a centre near a seam both tiles know; it belongs to the one whose core its cell lies in.
            own = np.all([(lo <= p) & (p < hi) for p, (lo, hi) in zip(place.T, core)], axis=0)
            positions.append(found[own] + start)
            confidence.append(sure[own])
        return np.concatenate(positions), np.concatenate(confidence)

    def tiles(self, network, one, device):
        """(core, start, answer) of each tile: its own voxels as three (lo, hi), and the first voxel of its answer."""
        values, share = wiener.normalised(one.photons)
        reach = wiener.reach(one.diameter) if self.estimates else 0
        for core in _cores(values.shape, self.tile):
            ends = [(max(lo - self.margin, 0), min(hi + self.margin, n)) for (lo, hi), n in zip(core, values.shape)]
            read = [(max(lo - reach, 0), min(hi + reach, n)) for (lo, hi), n in zip(ends, values.shape)]
            x = self.inputs(values[tuple(slice(*r) for r in read)], share, one)
            x = x[(slice(None), *(slice(lo - r, hi - r) for (lo, hi), (r, _) in zip(ends, read)))]
            yield core, np.array([lo for lo, _ in ends]), self._answer(network, x, self.told(one), device)

    def _answer(self, network, x, told, device):
        """Answers (answers, cells) of the network on channels (c, z, y, x) of any size, the mean over `mirrors`."""
        sides = x.shape[1:]
        x = np.pad(x.astype(np.float32), [(0, 0), *((0, -n % ALIGN) for n in sides)])
        told = torch.from_numpy(told[None]).to(device)
        total = 0.0
        for axes in MIRRORS[: self.mirrors]:
            with torch.inference_mode(), training.autocast(device):
                given = torch.from_numpy(np.ascontiguousarray(np.flip(x, [1 + a for a in axes])[None])).to(device)
                answer = network(given, told)[0].float().cpu().numpy()
            total = total + self.mirrored(answer, axes)
        return total[(slice(None), *(slice(0, -(-n // self.stride)) for n in sides))] / self.mirrors

    def mirrored(self, answer, axes):
        """An answer (answers, cells) mirrored along some of its axes."""
        return np.flip(answer, [1 + a for a in axes])


def _cores(shape, tile):
    """Tiles of a volume: three (lo, hi) each; their first voxels are multiples of ALIGN."""
    steps = [range(0, n, max(ALIGN, tile // ALIGN * ALIGN)) for n in shape]
    for z in steps[0]:
        for y in steps[1]:
            for x in steps[2]:
                yield [(lo, min(lo + s.step, n)) for lo, s, n in zip((z, y, x), steps, shape)]


class _Source:
    """Channels, PSF and centres (voxels) of a dataset's volumes, prepared block by block; the last ones are kept."""

    def __init__(self, method, dataset):
        self.method, self.dataset, self.blocks = method, dataset, OrderedDict()

    def item(self, i):
        number, inside = divmod(int(i), BLOCK)
        if number not in self.blocks:
            part = self.dataset[number * BLOCK : (number + 1) * BLOCK]
            self.blocks[number] = [self._prepare(part, k) for k in range(len(part))]
            block_mb = sum(item[0].nbytes for item in self.blocks[number]) / 1e6
            while len(self.blocks) > max(2, KEPT_MB / block_mb):
                self.blocks.popitem(last=False)
        return self.blocks[number][inside]

    def _prepare(self, part, k):
        one, centres = read(part, k), part.truth["centres"][k]
        values, share = wiener.normalised(one.photons)
        centres = centres[np.isfinite(centres).all(axis=1)].astype(float) / one.voxel_um
        # Half precision holds twice as many, and is finer than the noise by far.
        return self.method.inputs(values, share, one).astype(np.float16), self.method.told(one), centres
