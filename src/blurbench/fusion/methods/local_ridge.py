"""Ridge regression of the truth at a voxel on features of the view around it, and on all products of two of them.

The simplest learner on what a careful user would try: smoothed, flat-fielded and deconvolved versions of the view, the
depth, and what is known of the optics. A network that does not beat it has learned nothing yet.
"""

import time

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge

from blurbench.fusion import features
from blurbench.fusion.items import answers, read
from blurbench.fusion.restoration import tiled
from blurbench.fusion.score import n_ssim

VOXELS = 100_000  # that it learns from, of all training views
MOST_SD = 5.0  # how far from its mean, in SD, a feature counts
SHARES = 1 / 4, 1  # of the training views, from each of which one learns: the learning curve
SIDE = 96  # voxels of the tiles: there are many features
VALIDATED = 12  # views that the strength is chosen on


class LocalRidge:
    kind = "learned"
    trains = True
    network = False
    options = {"strengths": [1.0, 100.0, 10000.0]}  # the best on validation is taken

    def fit(self, splits, budget, device, seed):
        start, rows, best = time.perf_counter(), [], -np.inf
        train, validation = splits["train"], splits["validation"]
        each = max(1, VOXELS // max(len(train), 1))
        x, y = (np.concatenate(part) for part in zip(*(_sample(train, i, each, seed) for i in range(len(train)))))
        mean, sd = x.mean(axis=0), x.std(axis=0)
        scaling = {"mean": torch.from_numpy(mean), "sd": torch.from_numpy(np.where(sd > 1e-6, sd, 1.0))}
        products = _products(_scaled(scaling, x))
        for share in SHARES:
            n = max(1, round(share * len(x)))
            for strength in self.strengths:
                ridge = Ridge(alpha=strength, solver="cholesky").fit(products[:n], y[:n])
                model = {**scaling, "coefficients": torch.from_numpy(ridge.coef_), "intercept": float(ridge.intercept_)}
                error = y[:n] - ridge.predict(products[:n])
                score = self._validate(model, validation)
                rows.append({"items": round(share * len(train)), "seconds": time.perf_counter() - start})
                rows[-1] |= {"strength": strength, "train_loss": float(np.mean(error**2))}
                rows[-1] |= {"validation_n_ssim": score, "validation_loss": 1 - score}
                if share == SHARES[-1] and score > best:
                    best, chosen = score, {**model, "strength": strength}
        return chosen, pd.DataFrame(rows)

    def predict(self, dataset, model, device):
        """Every view, tile by tile. What a method answers stands in blurbench.planning.method."""
        return answers(dataset, lambda view: _restored(model, view))

    def _validate(self, model, dataset):
        """Median N_SSIM against the noise-free truth."""
        views = (read(dataset, i) for i in range(min(len(dataset), VALIDATED)))
        scores = [n_ssim(_restored(model, view), view.truth.density, view.photons) for view in views]
        return float(np.nanmedian(scores))


def _sample(dataset, i, n, seed):
    """Features (n, columns) of voxels of one view at random, and the truth there over the view's scale (n,)."""
    view = read(dataset, i)
    known, box = features.whole(view), tuple((0, side) for side in view.photons.shape)
    x = features.channels(view, box, known)
    at = np.random.default_rng([seed, i]).integers(0, view.photons.size, n)
    return x.reshape(len(x), -1)[:, at].T, view.truth.density.ravel()[at] / known.scale


def _restored(model, view):
    """The truth that a model expects, (z, y, x) in photons."""
    known = features.whole(view)
    linear, square, intercept = _coefficients(model)

    def of_part(part, box):
        x = features.channels(part, box, known)
        x = _scaled(model, np.moveaxis(x, 0, -1))
        return ((x @ square * x).sum(axis=-1) + x @ linear + intercept) * known.scale

    return tiled(of_part, view, side=SIDE)


def _scaled(model, x):
    """Features (..., columns) less their means over the training voxels, in SD."""
    return np.clip((x - model["mean"].numpy()) / model["sd"].numpy(), -MOST_SD, MOST_SD)


def _products(x):
    """The columns of x (n, columns), and all products of two of them."""
    return np.column_stack([x, *(x[:, i:] * x[:, i, None] for i in range(x.shape[1]))])


def _coefficients(model):
    """Of the columns (columns,), of their products (columns, columns), and the constant."""
    n, values = len(model["mean"]), model["coefficients"].numpy().astype(np.float32)
    square = np.zeros((n, n), np.float32)
    square[np.triu_indices(n)] = values[n:]
    return values[:n], square, np.float32(model["intercept"])
