"""Control: another equilibrated packing at the same volume fraction, laid over the volume at random."""

from functools import lru_cache

import numpy as np

from blurbench.colloids.items import answers, own_seed
from blurbench.colloids.packing import hard_spheres


class Chance:
    kind = "control"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, _packing)


def _packing(volume):
    rng = np.random.default_rng(own_seed(volume))
    shape = np.array(volume.photons.shape)
    sides = tuple((shape / volume.diameter + 2).round(6).tolist())
    centres = _periodic(round(float(volume.truth.phi), 6), sides)
    positions = (centres + rng.uniform(0, sides)) % sides * volume.diameter - volume.diameter
    inside = ((positions > -0.5) & (positions < shape - 0.5)).all(axis=1)
    return positions[inside], np.ones(inside.sum())


@lru_cache(maxsize=16)
def _periodic(phi, sides):
    """One packing per volume fraction: a shift by a random vector makes it another draw of the same law."""
    return hard_spheres(phi, np.array(sides), 1.0, "chance")
