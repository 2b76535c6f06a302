"""Round blobs at random places, and noise."""

import numpy as np
import pandas as pd
from blurbench.blobs.configuration import SHARD

from blurbench.files.datasets import Simulated
from blurbench.microscopy.random_streams import key

AXES, PIXEL_UM, SD_PX, PHOTONS = ["item", "y", "x"], 0.1, 2.0, 10.0


def dataset(spec: dict, split: str, seed: int) -> Simulated:
    """A split of a dataset; `spec` is its expanded configuration entry."""
    noise = np.resize(np.asarray(spec["noise"], float), spec["items"][split])
    header = {"axes": AXES, "voxel_size": [None, PIXEL_UM, PIXEL_UM], "units": [None, "micrometer", "micrometer"]}
    return Simulated(len(noise), SHARD, header, _shards(noise, spec, key(seed, "blobs", spec["stream"], split)))


def _shards(noise, spec, stream):
    for first in range(0, len(noise), SHARD):
        items = pd.DataFrame({"noise": noise[first : first + SHARD]})
        # A stream of each item's own: it is the same in whatever shard it is made.
        streams = [np.random.default_rng([stream, first + i]) for i in range(len(items))]
        clean = np.stack([_blobs(spec["size_px"], spec["blobs"], rng) for rng in streams])
        grain = np.stack([rng.normal(size=clean.shape[1:]) for rng in streams])
        images = clean + items["noise"].to_numpy()[:, None, None] * grain
        yield images.astype(np.float32), items, {"clean": clean.astype(np.float32)}


def _blobs(size, n, rng):
    y, x = np.mgrid[:size, :size]
    centres = rng.uniform(0, size, (n, 2, 1, 1))
    return PHOTONS * np.exp(-((y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2) / (2 * SD_PX**2)).sum(axis=0)
