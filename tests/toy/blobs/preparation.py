"""From a movie to images of blobs: each frame is an item."""

import numpy as np
import pandas as pd
from blurbench.blobs.simulate import PIXEL_UM

from blurbench.microscopy import frames
from blurbench.microscopy.photon_transfer import Transfer
from blurbench.running.preparation import write


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Write the frames of a movie as a dataset without truth; returns their mean photons."""
    movie = frames.read(recording["file"])
    camera = Transfer(float(recording["gain"]), float(recording["offset"]), "given")
    photons = np.stack([(movie[i] - camera.offset) / camera.gain for i in range(len(movie))]).astype(np.float32)
    items = pd.DataFrame({"noise": np.full(len(photons), float(recording["noise"]))})
    axes = {axis: (PIXEL_UM, "micrometer") for axis in "yx"}
    write(store, manifest, recording, spec, camera, axes, photons, items)
    return pd.DataFrame({"frame": range(len(photons)), "photons": photons.mean(axis=(1, 2))})
