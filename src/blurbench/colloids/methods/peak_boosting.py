"""Gradient boosting that tells which maxima of Wiener's estimates are spheres: the simplest learner beside `ours`.

Friedman 2001 (Ann Stat 29:1189), on what the image and the estimates say about each maximum. A maximum counts as a
sphere if the score's matching, one to one, gives it one. A logistic regression on the same is little better than
`wiener_peaks`. Of two maxima that are too near the more probable one stays; how near, and how probable it must be, is
chosen on the validation volumes.
"""

import time

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from blurbench.colloids.items import read
from blurbench.colloids.network_targets import exclusive
from blurbench.colloids.peak_features import places
from blurbench.colloids.tuning import Tuned, choose
from blurbench.files.logs import progress
from blurbench.learning.trees import grown, leaves
from blurbench.scoring.matching import match

RADIUS = 0.25  # diameters, of a match
SEPARATIONS = (0.75, 0.65, 0.55, 0.45)  # diameters
SHARES = 1 / 4, 1  # of the training split, from each of which it learns: the learning curve


class PeakBoosting(Tuned):
    kind = "learned"
    trains = True
    network = False
    options = {"trees": 300, "leaves": 15, "learning_rate": 0.08, "patience": 20}

    def fit(self, splits, budget, device, seed):
        """Learn which places are spheres, then choose separation and threshold on splits["validation"] alone.

        On the training volumes it would be surer than on any others.
        """
        start, rows = time.perf_counter(), []
        with threadpool_limits(budget.threads):
            (x, y, ends), (u, v, _) = (_examples(splits[name], name) for name in ("train", "validation"))
            for share in SHARES:
                volumes = max(1, round(share * len(ends)))
                n = ends[volumes - 1]
                model = self._boosted(x[:n], y[:n], (u, v), seed)
                losses = (log_loss(b, _probability(model, a), labels=[0, 1]) for a, b in ((x[:n], y[:n]), (u, v)))
                at = {"items": volumes, "seconds": time.perf_counter() - start}
                rows.append({**at, **dict(zip(("train_loss", "validation_loss"), losses))})
        self.boosting = model
        settings, _ = choose({**splits, "train": splits["train"][:0]}, self.search, "choose separation and threshold")
        return {"boosting": model, **settings}, pd.DataFrame(rows)

    def predict(self, dataset, model, device):
        """Centres of every volume, and how sure each is. What a method answers stands in blurbench.planning.method."""
        self.boosting = model["boosting"]
        return super().predict(dataset, model, device)

    def search(self, volume):
        positions, probability = self._places(volume)
        for separation in SEPARATIONS:
            yield {"separation": separation}, *_apart(positions, probability, separation * volume.diameter)

    def find(self, volume, setting):
        return _apart(*self._places(volume), setting["separation"] * volume.diameter)

    def _places(self, volume):
        """Positions (n, 3) in voxels of all places, and the probability (n,) that each is a sphere."""
        positions, features = places(volume)
        return positions, _probability(self.boosting, features)

    def _boosted(self, x, y, validation, seed):
        boosting = HistGradientBoostingClassifier(
            max_iter=self.trees, max_leaf_nodes=self.leaves, learning_rate=self.learning_rate, early_stopping=True,
            n_iter_no_change=self.patience, random_state=seed,
        )  # fmt: skip
        return {"start": float(logit(np.mean(y))), **grown(boosting, x, y, validation)}


def _examples(dataset, name):
    """Places of all volumes: what is known of each (n, columns), whether it is a sphere (n,), where a volume ends."""
    features, spheres = [], []
    for i in progress(range(len(dataset)), f"features of maxima, {name}"):
        volume = read(dataset, i)
        positions, known = places(volume)
        truth = volume.truth.centres_um.astype(float) / volume.voxel_um
        sphere = np.zeros(len(positions))
        sphere[match(truth, positions, RADIUS * volume.diameter)[:, 1]] = 1
        features.append(known)
        spheres.append(sphere)
    return np.concatenate(features), np.concatenate(spheres), np.cumsum([len(sphere) for sphere in spheres])


def _probability(model, features):
    """That a place is a sphere, (n,)."""
    return expit(model["start"] + leaves(model, features))


def _apart(positions, probability, separation):
    """Positions and probabilities of those that no more probable one is nearer to than `separation`, in voxels."""
    kept = exclusive(positions, probability, separation)
    return positions[kept], probability[kept]
