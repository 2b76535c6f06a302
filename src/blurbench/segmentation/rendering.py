"""One stain of a scene as the microscope finds it: labels, and light before the blur of the whole image."""

from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.segmentation.scenes import Scene, fill, reach
from blurbench.segmentation.textures import texture

TILE = 256  # px, side of the texture of which every object shows another part
CUT = 3  # SDs of an object's own blur beyond which there is no light


class Stain(NamedTuple):
    """Labels (y, x) uint16, cells numbered from 1 in the order of the scene, and light (y, x) float32, grey levels."""

    labels: np.ndarray
    light: np.ndarray


def stained(scene: Scene, stain: str, shape, kind: dict, depth_px: float, rng: np.random.Generator) -> Stain:
    """One stain of a scene.

    Every object is blurred on its own, as it lies out of focus; where objects overlap, the mean of them is seen, and
    the label of the last.

    Parameters
    ----------
    kind : of the objects: `brightness`, `brightness_sd`, `diameter_px`, `persistence`, `octaves`, `bias`
    depth_px : an object's own blur has an SD of that times the absolute value of a normal number
    """
    outlines, n = scene.outlines[stain], len(scene.centres)
    grain = texture((TILE, TILE), kind["diameter_px"], kind["persistence"], kind["octaves"], rng)
    grain = kind["bias"] + (1 - kind["bias"]) * grain
    grain *= np.float32(kind["brightness"]) / grain.mean()
    light = np.exp(kind["brightness_sd"] * rng.normal(size=n) - kind["brightness_sd"] ** 2 / 2)
    sigma = np.abs(depth_px * rng.normal(size=n))
    shifts = rng.integers(0, TILE, (n, 2))
    labels = np.zeros(shape, np.uint16)
    total, cover = np.zeros((2, *shape), np.float32)
    margin = reach(outlines) + int(np.ceil(CUT * sigma.max(initial=0)))
    _draw(scene.centres, outlines, margin, light, sigma, grain.astype(np.float32), shifts, labels, total, cover)
    return Stain(labels, total / np.maximum(cover, 1))


@njit(cache=True)
def _draw(centres, outlines, margin, light, sigma, grain, shifts, labels, total, cover):
    """Write every object's number into `labels`, and add its light to `total` and its share of pixels to `cover`."""
    height, width = labels.shape
    side = 2 * margin + 1
    mask, seen, shown = (
        np.empty((side, side), np.uint8),
        np.empty((side, side), np.float32),
        np.empty((side, side), np.float32),
    )
    for i in range(len(centres)):
        top, left = round(centres[i, 0]) - margin, round(centres[i, 1]) - margin
        fill(outlines[i], centres[i, 0] - top, centres[i, 1] - left, mask)
        for r in range(side):
            for c in range(side):
                inside = np.float32(mask[r, c])
                seen[r, c] = inside
                shown[r, c] = (
                    inside * light[i] * grain[(r + shifts[i, 0]) % len(grain), (c + shifts[i, 1]) % len(grain)]
                )
        _smooth(seen, sigma[i])
        _smooth(shown, sigma[i])
        for r in range(max(0, -top), min(side, height - top)):
            for c in range(max(0, -left), min(side, width - left)):
                if mask[r, c]:
                    labels[r + top, c + left] = i + 1
                total[r + top, c + left] += shown[r, c]
                cover[r + top, c + left] += seen[r, c]


@njit(cache=True, fastmath=True)
def _smooth(patch, sigma):
    """Blur a patch (y, x), dark at its edges, by a Gaussian, in place."""
    n = int(np.ceil(CUT * sigma))
    if n == 0 or sigma < 0.1:  # 0.1 px: the neighbours' weight is below 10⁻²⁰
        return
    weights = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    side = len(patch)
    between = np.zeros_like(patch)
    for k in range(-n, n + 1):
        for r in range(max(0, -k), min(side, side - k)):
            for c in range(side):
                between[r, c] += weights[k + n] * patch[r + k, c]
    patch[:] = 0
    for r in range(side):
        for k in range(-n, n + 1):
            for c in range(max(0, -k), min(side, side - k)):
                patch[r, c] += weights[k + n] * between[r, c + k]
