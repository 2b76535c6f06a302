"""Gradient boosting that tells which maxima of Wiener's estimates are spheres: the simplest learner beside `ours`.

Friedman 2001 (Ann Stat 29:1189), on what the image and the estimates say about each maximum. First a ridge regression
tells how far each is off, from how the estimates fall on its two sides, and it is moved. Then it counts as a sphere if
the score's matching, one to one, gives it one. A logistic regression in place of the boosting is little better than
`wiener_peaks`. Of two maxima that are too near the more probable one stays; how near, and how probable it must be, is
chosen on the validation volumes.
"""

import time

import numpy as np
import pandas as pd
import torch
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from blurbench.colloids.items import read
from blurbench.colloids.network_targets import exclusive
from blurbench.colloids.peak_features import places
from blurbench.colloids.tuning import Tuned, choose
from blurbench.files.logs import progress
from blurbench.learning.trees import grown, leaves
from blurbench.scoring.matching import candidates, match

RADIUS = 0.25  # diameters, of a match
REACH = 0.35  # diameters: a sphere farther from a maximum says nothing of how far that is off
AXES = {"z": [0], "xy": [1, 2]}  # that have a regression in common
STRENGTH = 100.0  # of the ridge, on columns of SD 1
SEPARATIONS = (0.75, 0.65, 0.55, 0.45)  # diameters
SHARES = 1 / 4, 1  # of the training split, from each of which it learns: the learning curve


class PeakBoosting(Tuned):
    kind = "learned"
    trains = True
    network = False
    options = {"trees": 300, "leaves": 15, "learning_rate": 0.08, "patience": 20}
    allowed = {"leaves": {"minimum": 2}}

    def fit(self, splits, budget, device, seed):
        """Learn which places are spheres, then choose separation and threshold on splits["validation"] alone.

        On the training volumes it would be surer than on any others.
        """
        start, rows = time.perf_counter(), []
        with threadpool_limits(budget.threads):
            train, validation = (_examples(splits[name], name) for name in ("train", "validation"))
            for share in SHARES:
                volumes = max(1, round(share * len(train)))
                self.offsets = _offsets(train[:volumes])
                (x, y), (u, v) = (_labelled(part, self.offsets) for part in (train[:volumes], validation))
                self.boosting = self._boosted(x, y, (u, v), seed)
                losses = (log_loss(b, _probability(self.boosting, a), labels=[0, 1]) for a, b in ((x, y), (u, v)))
                at = {"items": volumes, "seconds": time.perf_counter() - start}
                rows.append({**at, **dict(zip(("train_loss", "validation_loss"), losses))})
        settings, _ = choose({**splits, "train": splits["train"][:0]}, self.search, "choose separation and threshold")
        return {"offsets": self.offsets, "boosting": self.boosting, **settings}, pd.DataFrame(rows)

    def predict(self, dataset, model, device):
        """Centres of every volume, and how sure each is. What a method answers stands in blurbench.planning.method."""
        self.offsets, self.boosting = model["offsets"], model["boosting"]
        return super().predict(dataset, model, device)

    def search(self, volume):
        positions, probability = self._places(volume)
        for separation in SEPARATIONS:
            yield {"separation": separation}, *_apart(positions, probability, separation * volume.diameter)

    def find(self, volume, setting):
        return _apart(*self._places(volume), setting["separation"] * volume.diameter)

    def _places(self, volume):
        """Positions (n, 3) in voxels of all places, and the probability (n,) that each is a sphere."""
        found = places(volume)
        return _moved(found, self.offsets, volume.diameter), _probability(self.boosting, found.features)

    def _boosted(self, x, y, validation, seed):
        trees = grown(HistGradientBoostingClassifier, self, x, y, validation, seed)
        return {"start": float(logit(np.mean(y))), **trees}


def _examples(dataset, name):
    """Places, true centres (m, 3) in voxels and diameter of every volume."""
    found = []
    for i in progress(range(len(dataset)), f"features of maxima, {name}"):
        volume = read(dataset, i)
        found.append((places(volume), volume.truth.centres_um.astype(float) / volume.voxel_um, volume.diameter))
    return found


def _offsets(examples):
    """Coefficients (columns,) of how far a place is off, in diameters: along z, and along y and x."""
    wanted = [_nearest(found.positions, truth, diameter) for found, truth, diameter in examples]
    fitted = {}
    for name, axes in AXES.items():
        x = np.concatenate([found.slopes[:, axes].reshape(-1, found.slopes.shape[-1]) for found, _, _ in examples])
        y = np.concatenate([one[:, axes].ravel() for one in wanted])
        x, y = x[np.isfinite(y)], y[np.isfinite(y)]
        sd = x.std(axis=0) + np.float32(1e-9)
        # Without a constant, as of a mirror image the answer is that of the image with the other sign.
        ridge = Ridge(alpha=STRENGTH, fit_intercept=False, solver="cholesky").fit(x / sd, y)
        fitted[name] = torch.from_numpy(ridge.coef_ / sd)
    return fitted


def _nearest(positions, truth, diameter):
    """From each place to the nearest true centre, (n, 3) in diameters; NaN where none is within REACH."""
    centre, place, distance = candidates(truth, positions, REACH * diameter)
    order = np.argsort(-distance, kind="stable")  # the nearest is written last
    away = np.full(positions.shape, np.nan)
    away[place[order]] = (truth[centre[order]] - positions[place[order]]) / diameter
    return away


def _moved(found, offsets, diameter):
    """Positions (n, 3) in voxels, of places moved by what they are off."""
    away = np.empty(found.positions.shape)
    for name, axes in AXES.items():
        away[:, axes] = found.slopes[:, axes] @ offsets[name].numpy()
    return found.positions + np.clip(away, -REACH, REACH) * diameter


def _labelled(examples, offsets):
    """Of the places of all volumes: what is known of each (n, columns), whether it is a sphere (n,)."""
    spheres = []
    for found, truth, diameter in examples:
        sphere = np.zeros(len(found.positions))
        sphere[match(truth, _moved(found, offsets, diameter), RADIUS * diameter)[:, 1]] = 1
        spheres.append(sphere)
    return np.concatenate([found.features for found, _, _ in examples]), np.concatenate(spheres)


def _probability(model, features):
    """That a place is a sphere, (n,)."""
    return expit(model["start"] + leaves(model, features))


def _apart(positions, probability, separation):
    """Positions and probabilities of those that no more probable one is nearer to than `separation`, in voxels."""
    kept = exclusive(positions, probability, separation)
    return positions[kept], probability[kept]
