"""Gradient boosting of what `local_ridge` leaves, on the same features of the view around a voxel.

Friedman 2001 (Ann Stat 29:1189). The trees bend where a quadratic form cannot, and so tell structures from noise.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from blurbench.fusion import quadratic
from blurbench.fusion.local_regression import LocalRegression
from blurbench.learning.trees import grown, leaves


class LocalBoosting(LocalRegression):
    kind = "learned"
    trains = True
    network = False
    options = {
        "strength": 1.0,  # of the ridge, which hardly matters
        "trees": 100,
        "leaves": 63,
        "learning_rate": 0.2,
        "patience": 20,
        "dimmed": 1,
        "target": "density",
    }
    allowed = {
        "leaves": {"minimum": 2},
        "dimmed": {"minimum": 0},
        "target": {"enum": ["density", "fused", "deconvolved"]},
    }
    voxels = 300_000  # trees learn from more than a ridge does

    def regressions(self, x, y, held_out, seed):
        (ridge,) = quadratic.fits(x, y, [self.strength])
        left, (u, v) = y - _floored(ridge, x), held_out()
        trees = grown(HistGradientBoostingRegressor, self, x, left, (u, v - _floored(ridge, u)), seed)
        yield {**ridge, "boosting": {"start": float(left.mean()), **trees}}

    def root(self, model, x):
        boosting = model["boosting"]
        more = leaves(boosting, x.reshape(-1, x.shape[-1])).reshape(x.shape[:-1])
        return _floored(model, x) + (boosting["start"] + more).astype(np.float32)


def _floored(ridge, x):
    """What the ridge regression says, 0 where it is negative."""
    return np.maximum(quadratic.value(ridge, x), 0)
