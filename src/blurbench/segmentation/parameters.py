"""What each scene draws from the ranges of its dataset."""

import numpy as np

from blurbench.segmentation.configuration import RANGES

STEP = 0.5 * (5**0.5 - 1)  # of a sequence that covers a range evenly however soon it ends


def drawn(imaging: dict, scene: dict, rng: np.random.Generator) -> tuple[dict, dict]:
    """A dataset's `imaging` and `scene` with a number for each range, log-uniform.

    Nuclei and cells of a scene stand at the same place of their ranges: a scene of large nuclei has large cells.
    """
    # All are drawn, in the same order: another range of one leaves what the others draw as it is.
    place = {part: dict(zip(keys, rng.random(len(keys)))) for part, keys in RANGES.items()}
    kinds = {stain: _drawn(scene[stain], place["stain"]) for stain in ("nuclei", "cells")}
    return _drawn(imaging, place["imaging"]), {**_drawn(scene, place["scene"]), **kinds}


def _drawn(part, place):
    return {**part, **{key: _value(part[key], u) for key, u in place.items()}}


def _value(value, u):
    if not isinstance(value, list):
        return value
    low, high = map(float, value)
    return low * (high / low) ** float(u)


def count(counts: list, number: int) -> int:
    """Cells asked for in a scene of that number: scenes go over the list evenly."""
    return counts[int((number + 1) * STEP % 1 * len(counts))]
