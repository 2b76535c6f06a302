"""Optics and volumes that the tests of the fusion problem share."""

import numpy as np

from blurbench.fusion.optics import Optics, turned

SHAPE = (24, 20, 28)
FRONT = Optics((1.0, 0.5, 0.5), (1.6, 0.45, 0.45), 2.4, 5.0, 9.0)


def seen_from(view, optics=FRONT, shape=SHAPE):
    return turned(optics, view, shape)


def noise(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)
