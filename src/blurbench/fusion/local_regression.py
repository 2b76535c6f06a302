"""What the regressions of the truth at a voxel share: voxels to learn from, views to choose on, tiles to restore in.

They read the features of the view around a voxel: smoothed, denoised, deconvolved and flat-fielded versions of it, the
depth, and what is known of the optics. Light counts by its root, lest the few bright voxels rule the squares.
"""

import time
from functools import cache

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from blurbench.files.logs import progress
from blurbench.fusion import quadratic
from blurbench.fusion.dimming import one_of
from blurbench.fusion.features import LIGHT, features, whole
from blurbench.fusion.items import answers, read
from blurbench.fusion.restoration import tiled
from blurbench.fusion.score import comparison

VIEWS = 12  # of the validation split that a model is chosen on
SHARES = 1 / 4, 1  # of the training views, from each of which one learns: the learning curve
RIDGE = 1.0  # strength of a ridge whose strength is not chosen: it hardly matters
MOST_SD = 5.0  # how far from its mean, in SD, a feature counts


class LocalRegression:
    """Base; a method's class has `regressions` and `root`.

    voxels : that it learns from, of all training views
    dimmed : fainter copies of each view (`dimming`) to learn from beside it
    target : what is learned, one of `items.TARGETS`
    """

    voxels = 100_000
    dimmed, target = 0, "density"

    def regressions(self, x, y, held_out, seed):
        """Models, dicts with a `strength`, of y (n,), the root of the target over its scale, by x (n, columns).

        held_out : function () -> (x, y) of voxels of the validation views
        """
        raise TypeError(f"{type(self).__name__} has no regression")

    def root(self, model, x):
        """What a model says of features (..., columns): the root of the target over its scale, (...)."""
        raise TypeError(f"{type(self).__name__} has no regression")

    def fit(self, splits, budget, device, seed):
        """Learn from voxels of splits["train"], choose among the models on splits["validation"]."""
        start, train, validation = time.perf_counter(), splits["train"], splits["validation"][:VIEWS]
        n = (1 + self.dimmed) * len(train)
        each = max(1, self.voxels // max(n, 1))
        x, y = _sample(train, self.dimmed, each, self.target, seed)
        scaling = _scaling(x)
        x, models, rows = _scaled(scaling, x.astype(float)), [], []

        @cache
        def held_out():
            u, v = _sample(validation, 0, each, self.target, seed)
            return _scaled(scaling, u), v

        with threadpool_limits(budget.threads):
            for share in SHARES:
                views = max(1, round(share * n))
                given, wanted = x[: views * each], y[: views * each]
                for model in self.regressions(given, wanted, held_out, seed):
                    models.append({**scaling, **model})
                    about = {"items": views, "seconds": time.perf_counter() - start, "strength": model["strength"]}
                    rows.append({**about, "train_loss": float(np.mean((wanted - self.root(model, given)) ** 2))})
            chosen_on = progress(range(len(validation)), "choose the model")
            scores = np.nanmedian([self._scores(read(validation, i, [self.target]), models) for i in chosen_on], axis=0)
        curve = pd.DataFrame(rows).assign(n_ssim=scores, validation_loss=1 - scores)
        of_all = len(models) - len(models) // len(SHARES)  # the first model of the whole split
        return models[of_all + int(np.argmax(scores[of_all:]))], curve

    def predict(self, dataset, model, device):
        """Every view, tile by tile. What a method answers stands in blurbench.planning.method."""
        return answers(dataset, lambda view: self._restored(view, [model])[0])

    def _scores(self, view, models):
        """N_SSIM of each model on a view, against the target."""
        compared = comparison(getattr(view.truth, self.target), view.photons)
        return [compared(found) for found in self._restored(view, models)]

    def _restored(self, view, models):
        """The target that each of some models on the same scale of the features expects, (z, y, x) in photons."""
        known = whole(view)

        def of_part(part, box):
            x = _table(models[0], features(part, box, known), part.photons.shape)
            values = np.stack([self.root(model, x) for model in models])
            return np.square(np.maximum(values, 0)) * np.float32(known.scale)

        return tiled(of_part, view)


def ridge(dataset, copies, voxels, target, seed) -> dict:
    """Ridge regression that others begin with: a model of `quadratic.fits` with the scale of its features.

    dataset, copies, target : as of `dimming.one_of`;  voxels : that it learns from, of all views
    """
    x, y = _sample(dataset, copies, max(1, voxels // max((1 + copies) * len(dataset), 1)), target, seed)
    scaling = _scaling(x)
    (model,) = quadratic.fits(_scaled(scaling, x.astype(float)), y, [RIDGE])
    return {**scaling, **model}


def ridge_answer(model, columns, shape) -> np.ndarray:
    """What such a model says of features, arrays that fit the shape (z, y, x): the target over its scale."""
    return np.square(np.maximum(quadratic.value(model, _table(model, columns, shape)), 0))


def _sample(dataset, copies, each, target, seed):
    """Features (n, columns) of voxels at random, `each` of a view or copy, and the target's root there (n,)."""
    sampled = []
    for i in progress(range((1 + copies) * len(dataset)), "sample voxels"):
        view = one_of(dataset, i, copies, target)
        known, box = whole(view), tuple((0, side) for side in view.photons.shape)
        at = np.random.default_rng([seed, i]).integers(0, view.photons.size, each)
        there, columns = np.unravel_index(at, view.photons.shape), _rooted(features(view, box, known))
        x = np.column_stack([np.broadcast_to(column, view.photons.shape)[there] for column in columns])
        light = getattr(view.truth, target)[there] / known.scale
        sampled.append((x, np.sqrt(np.maximum(light, 0))))
    return [np.concatenate(part) for part in zip(*sampled)]


def _scaling(x):
    """Means of features (n, columns) and their SDs, by which `_scaled` goes."""
    sd = x.std(axis=0)
    return {"mean": torch.from_numpy(x.mean(axis=0)), "sd": torch.from_numpy(np.where(sd > 1e-6, sd, 1.0))}


def _table(model, columns, shape):
    """Features, arrays that fit the shape (z, y, x), as a model wants them, (z, y, x, columns)."""
    x = np.empty((*shape, len(columns)), np.float32)
    for i, column in enumerate(_rooted(columns)):
        x[..., i] = _scaled(model, column, i)
    return x


def _rooted(columns):
    """Features, with the roots of those that are light."""
    return [np.sqrt(np.maximum(one, 0)) if i < LIGHT else one for i, one in enumerate(columns)]


def _scaled(model, x, of=slice(None)):
    """Features (..., columns), or one `of` them (...), less their means over the training voxels, in SD."""
    return np.clip((x - model["mean"].numpy()[of]) / model["sd"].numpy()[of], -MOST_SD, MOST_SD)
