"""What the learned methods share: crops and symmetries to train on, tiles to predict in, thresholds on validation.

A method's class gives `network()`, the loss of its answers and how centres are read from them. A network is given the
normalised volume, and the Wiener estimates where it asks for them, and answers for cells of `stride` voxels. It works
on any size, so it trains on crops and predicts whole volumes, or tiles of them where these are large. A tile is read
with a margin that the network sees no further than, so it gives what the whole volume would give.
"""

import numpy as np
import torch

from blurbench.colloids import network_inputs, wiener
from blurbench.colloids.items import answers, read
from blurbench.colloids.network_targets import nearest
from blurbench.colloids.tuning import f1_by_threshold
from blurbench.files.logs import progress
from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.prepared import Prepared
from blurbench.learning.tiles import tiles, widened, window
from blurbench.learning.weights import trained, untrained, weights

BLOCK = 64  # volumes prepared at a time
CROP = 24  # voxels, side of what a network is trained on: eight steps for one on crops of 48, and a higher F1 for it
ALIGN = 8  # voxels: sides are multiples, so that every level of a U-Net halves evenly
MIRRORS = ((), (2,), (1,), (1, 2), (0,), (0, 2), (0, 1), (0, 1, 2))  # axes; the first 1, 2, 4 and 8 are groups
THRESHOLDS = np.arange(0.05, 0.95, 0.05)
VOLUMES, KNOTS, BLUR_STEP = 64, 8, 0.1  # a threshold is chosen on; blurs (PSF SD along z in diameters) it is chosen for


class Learned:
    """Base of the learned methods.

    stride : voxels a cell of the answer
    wiener : whether the network is given the Wiener estimates beside the image
    margin : voxels beyond which a cell of the answer does not depend on its channels, a multiple of ALIGN
    mirrors : images of the volume whose answers are averaged in prediction: 1, 2, 4 or 8
    """

    stride = 1
    wiener = False
    margin = 32
    mirrors = 1

    @property
    def channels(self):
        """Number of channels that a network sees, the constant ones of the microscope among them."""
        return 1 + self.wiener * len(wiener.NOISE_FACTORS) + network_inputs.NUMBERS

    def network(self):
        """Untrained network: (n, channels, z, y, x), `network_inputs.microscope` (n, 2) -> (n, answers, cells)."""
        raise TypeError(f"{type(self).__name__} has no network")

    def loss(self, answer, vectors, diameter):
        """Scalar of a batch: answer (n, answers, cells), vectors (n, 3, cells) to the nearest centre, voxels or NaN."""
        raise TypeError(f"{type(self).__name__} has no loss")

    def centres(self, answer, diameter, floor):
        """positions (n, 3) in voxels, confidence (n,), cells (n, 3) of one answer (answers, cells) of a network."""
        raise TypeError(f"{type(self).__name__} finds no centres")

    # -- training

    def fit(self, splits, budget, device, seed):
        """Train on crops of splits["train"], stop by splits["validation"], then choose the threshold there.

        Returns
        -------
        dict that `predict` takes as its model, DataFrame (learning curve)
        """
        train, validation = (self._prepared(splits[name]) for name in ("train", "validation"))
        device = find_device(device)
        network = untrained(self.network, budget, device, seed)
        diameter = float(splits["train"].spec["imaging"]["diameter_px"])

        def batch(index, rng):
            crops = [self._crop(*train.item(i), diameter, rng) for i in index]
            return [torch.from_numpy(np.stack(part)).to(device) for part in zip(*crops)]

        def loss(network, batch):
            x, microscope, vectors = batch
            return self.loss(network(x, microscope).float(), vectors, diameter)

        def validate(network):
            total = 0.0
            for i in range(len(validation)):
                x, microscope, centres = validation.item(i)
                x = x.astype(np.float32)
                cells = tuple(n // self.stride for n in x.shape[1:])
                vectors = nearest(centres, cells, self.stride, diameter / 2)
                part = (torch.from_numpy(a[None]).to(device) for a in (x, microscope, vectors))
                total += float(loss(network, list(part)))
            return {"validation_loss": total / len(validation)}

        curve = training.train(network, batch, len(train), BLOCK, loss, validate, budget, seed, device)
        thresholds = self._thresholds(network, [train, validation], diameter, device)
        return {"network": weights(network), **thresholds}, curve

    def _prepared(self, dataset):
        """Channels, microscope and centres (n, 3) in voxels of a dataset's volumes."""

        def columns(items):
            part = dataset[items]
            return zip(*(self._prepare(part, k) for k in range(len(part))))

        return Prepared(columns, len(dataset), BLOCK)

    def _prepare(self, part, k):
        one, centres = read(part, k), part.truth["centres"][k]
        values, share = wiener.normalised(one.photons)
        centres = centres[np.isfinite(centres).all(axis=1)].astype(float) / one.voxel_um
        x = network_inputs.channels(values, share, one, self.wiener)
        # Half precision holds twice as many, and is finer than the noise by far.
        return x.astype(np.float16), network_inputs.microscope(one), centres

    def _crop(self, x, microscope, centres, diameter, rng):
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
        return np.ascontiguousarray(x), microscope, vectors

    def _thresholds(self, network, splits, diameter, device):
        """Least confidence with the best mean F1 for each blur: the less a place is certain, the lower its map.

        Of a threshold, few volumes say enough, those of the training among them: it has one number to fit.
        """
        blur, f1 = [], []
        items = [(split, i) for split in splits for i in range(min(len(split), VOLUMES // len(splits)))]
        for split, i in progress(items, "choose thresholds"):
            x, microscope, truth = split.item(i)
            answer = self._answer(network, x, microscope, device)
            positions, confidence, _ = self.centres(answer, diameter, THRESHOLDS[0])
            blur.append(float(microscope[0]))
            f1.append(f1_by_threshold(truth, positions, confidence, THRESHOLDS, x.shape[1:], diameter))
        blur, f1 = np.array(blur), np.array(f1)
        knots = np.linspace(blur.min(), blur.max(), KNOTS)
        weight = np.exp(-0.5 * ((blur - knots[:, None]) / BLUR_STEP) ** 2)
        return {"blur": knots.tolist(), "threshold": THRESHOLDS[(weight @ f1).argmax(axis=1)].tolist()}

    # -- prediction

    def predict(self, dataset, model, device):
        """Centres in every volume, and how sure each is. What a method answers stands in blurbench.planning.method."""
        device = find_device(device)
        network = trained(self.network(), model, device)

        def find(one):
            threshold = float(np.interp(network_inputs.microscope(one)[0], model["blur"], model["threshold"]))
            return self.find(network, one, threshold, device)

        return answers(dataset, find)

    def find(self, network, one, threshold, device):
        """Positions (n, 3) in voxels and confidence (n,) of one Volume, tile by tile."""
        positions, confidence = [np.empty((0, 3))], [np.empty(0)]
        for tile, answer in self.tiles(network, one, device):
            found, sure, cells = self.centres(answer, one.diameter, threshold)
            start = np.array([lo for lo, _ in tile.read])
            # Of a centre near a seam both tiles know; it belongs to the one whose core its cell lies in.
            own = tile.owns(cells * self.stride + start)
            positions.append(found[own] + start)
            confidence.append(sure[own])
        return np.concatenate(positions), np.concatenate(confidence)

    def tiles(self, network, one, device):
        """Each Tile of a volume and the answer (answers, cells) to what it reads."""
        values, share = wiener.normalised(one.photons)
        reach = wiener.reach(one.diameter) if self.wiener else 0
        for tile in tiles(values.shape, self.tile, self.margin, ALIGN):
            source = widened(tile.read, reach, values.shape)  # of what it reads
            x = network_inputs.channels(values[window(source)], share, one, self.wiener)
            x = x[(slice(None), *window(tile.read, source))]
            yield tile, self._answer(network, x, network_inputs.microscope(one), device)

    def _answer(self, network, x, microscope, device):
        """Answers (answers, cells) of the network on channels (c, z, y, x) of any size, the mean over `mirrors`."""
        sides = x.shape[1:]
        x = np.pad(x.astype(np.float32), [(0, 0), *((0, -n % ALIGN) for n in sides)])
        microscope = torch.from_numpy(microscope[None]).to(device)
        total = 0.0
        for axes in MIRRORS[: self.mirrors]:
            with torch.inference_mode():
                given = torch.from_numpy(np.ascontiguousarray(np.flip(x, [1 + a for a in axes])[None])).to(device)
                answer = network(given, microscope)[0].float().cpu().numpy()
            total = total + self.mirrored(answer, axes)
        return total[(slice(None), *(slice(0, -(-n // self.stride)) for n in sides))] / self.mirrors

    def mirrored(self, answer, axes):
        """An answer (answers, cells) mirrored along some of its axes."""
        return np.flip(answer, [1 + a for a in axes])
