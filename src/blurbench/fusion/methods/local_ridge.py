"""Ridge regression of the truth at a voxel on features of the view around it, and on all products of two of them.

The simplest learner on what a careful user would try: smoothed, denoised, deconvolved and flat-fielded versions of the
view, the depth, and what is known of the optics. Light counts by its root, lest the few bright voxels rule the squares.
A network that does not beat it has learned nothing yet.
"""

import time
from itertools import product

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge

from blurbench.files.logs import progress
from blurbench.fusion.dimming import one_of
from blurbench.fusion.features import features, whole
from blurbench.fusion.items import answers, read
from blurbench.fusion.restoration import tiled
from blurbench.fusion.score import n_ssim

VOXELS = 100_000  # that it learns from, of all training views
VIEWS = 12  # that the strength is chosen on
SHARES = 1 / 4, 1  # of the training views, from each of which one learns: the learning curve
LIGHT = 10  # features, the first ones, that are light
MOST_SD = 5.0  # how far from its mean, in SD, a feature counts


class LocalRidge:
    kind = "learned"
    trains = True
    network = False
    options = {
        "strengths": [0.1, 1.0, 10.0, 100.0, 1000.0],  # the best on validation is taken
        "dimmed": 1,  # fainter copies of each view (`dimming`) to learn from beside it
        "target": "density",  # what is learned, one of `items.TARGETS`
    }

    def fit(self, splits, budget, device, seed):
        """Learn from voxels of splits["train"], choose the strength on splits["validation"]."""
        start, train, validation = time.perf_counter(), splits["train"], splits["validation"]
        n = (1 + self.dimmed) * len(train)
        each = max(1, VOXELS // max(n, 1))
        sampled = [_sample(train, i, self.dimmed, self.target, each, seed) for i in progress(range(n), "sample voxels")]
        x, y = (np.concatenate(part) for part in zip(*sampled))
        sd = x.std(axis=0)
        scaling = {"mean": torch.from_numpy(x.mean(axis=0)), "sd": torch.from_numpy(np.where(sd > 1e-6, sd, 1.0))}
        products, models, rows = _products(_scaled(scaling, x.astype(float))), [], []
        for share, strength in product(SHARES, self.strengths):
            views = max(1, round(share * n))
            given, wanted = products[: views * each], y[: views * each]
            ridge = Ridge(alpha=strength, solver="cholesky").fit(given, wanted)
            values = {"coefficients": torch.from_numpy(ridge.coef_), "intercept": float(ridge.intercept_)}
            models.append({**scaling, **values, "strength": float(strength)})
            loss = float(np.mean((wanted - ridge.predict(given)) ** 2))
            about = {"items": views, "seconds": time.perf_counter() - start}
            rows.append({**about, "strength": strength, "train_loss": loss})
        chosen_on = progress(range(min(len(validation), VIEWS)), "choose the strength")
        scores = np.nanmedian([_scores(read(validation, i), models, self.target) for i in chosen_on], axis=0)
        curve = pd.DataFrame(rows).assign(n_ssim=scores, validation_loss=1 - scores)
        whole_split = len(self.strengths) * (len(SHARES) - 1)
        return models[whole_split + int(np.argmax(scores[whole_split:]))], curve

    def predict(self, dataset, model, device):
        """Every view, tile by tile. What a method answers stands in blurbench.planning.method."""
        return answers(dataset, lambda view: _restored(view, [model])[0])


def _sample(dataset, i, copies, target, n, seed):
    """Features (n, columns) of voxels of one view at random, and the root of the target there over its scale (n,)."""
    view = one_of(dataset, i, copies, target)
    known, box = whole(view), tuple((0, side) for side in view.photons.shape)
    at = np.random.default_rng([seed, i]).integers(0, view.photons.size, n)
    x = _rooted(features(view, box, known)).reshape(view.photons.size, -1)
    return x[at], np.sqrt(np.maximum(getattr(view.truth, target).ravel()[at] / known.scale, 0))


def _scores(view, models, target):
    """N_SSIM of each model on a view, against the target."""
    return [n_ssim(found, getattr(view.truth, target), view.photons) for found in _restored(view, models)]


def _restored(view, models):
    """The truth that each of some models on the same scale of the features expects, (z, y, x) in photons."""
    known = whole(view)
    coefficients = [_coefficients(model) for model in models]

    def of_part(part, box):
        x = _scaled(models[0], _rooted(features(part, box, known)))
        values = [np.einsum("zyxf,zyxf->zyx", x @ square, x) + x @ linear + c for linear, square, c in coefficients]
        return np.square(np.maximum(np.stack(values), 0)) * np.float32(known.scale)

    return tiled(of_part, view)


def _rooted(x):
    """Features (..., columns) with the roots of those that are light."""
    x[..., :LIGHT] = np.sqrt(np.maximum(x[..., :LIGHT], 0))
    return x


def _scaled(model, x):
    """Features (..., columns) less their means over the training voxels, in SD."""
    return np.clip((x - model["mean"].numpy()) / model["sd"].numpy(), -MOST_SD, MOST_SD)


def _products(x):
    """The columns of x (n, columns), and all products of two of them."""
    return np.column_stack([x, *(x[:, i:] * x[:, i, None] for i in range(x.shape[1]))])


def _coefficients(model):
    """Those of the features (columns,), of their products (columns, columns), and the constant."""
    n, values = len(model["mean"]), model["coefficients"].numpy().astype(np.float32)
    square = np.zeros((n, n), np.float32)
    square[np.triu_indices(n)] = values[n:]
    return values[:n], square, np.float32(model["intercept"])
