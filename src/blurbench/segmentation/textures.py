"""Textures: sums of octaves of smooth noise, after the SIMCEP model."""

from functools import lru_cache

import numpy as np

TAIL = 0.5  # percent of the values at either end that are cut off when a texture is scaled to 0..1


def texture(shape, feature_px: float, persistence: float, octaves, rng: np.random.Generator) -> np.ndarray:
    """Noise (y, x) float32 from 0 to 1, periodic along both axes.

    The octave i adds persistence^i times random numbers on a grid with 2^i nodes on `feature_px`, between which cubic
    B-splines go.

    Parameters
    ----------
    shape : (y, x) px;  octaves : the first and the last
    """
    total = np.zeros(shape, np.float32)
    for i in range(octaves[0], octaves[1] + 1):
        nodes = [min(max(round(side * 2**i / feature_px), 1), side) for side in shape]
        grid = rng.random(nodes, np.float32) - np.float32(0.5)
        down, across = (_splines(side, n) for side, n in zip(shape, nodes))
        total += np.float32(persistence**i) * (down @ grid @ across.T)
    low, high = np.percentile(total, [TAIL, 100 - TAIL])
    return np.clip((total - low) / max(high - low, 1e-6), 0, 1, dtype=np.float32)


@lru_cache(maxsize=64)  # of 0.3 MB each
def _splines(length, nodes):
    """Weights (length, nodes) float32 of each of the nodes around a circle, a cubic B-spline about it."""
    away = np.arange(length)[:, None] * (nodes / length) - np.arange(nodes)
    away = np.abs(away - nodes * np.round(away / nodes))
    return np.where(away < 1, 2 / 3 - away**2 + away**3 / 2, np.clip(2 - away, 0, None) ** 3 / 6).astype(np.float32)
