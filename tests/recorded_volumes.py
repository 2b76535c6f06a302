"""Volumes as a microscope would record them, for the tests of this problem's preparation and measurement."""

import numpy as np
import pandas as pd
import tifffile

from blurbench.colloids import preparation
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset

IMAGING = {
    "shape_px": [64, 64, 64],
    "diameter_px": 10,
    "psf": {"kind": "gaussian", "sigma_um": [0.2, 0.08, 0.08]},
    "offset": 100,
}
SPEC = {"imaging": IMAGING, "particle_size_um": [0.22, 1.0], "phi": [0.1, 0.55], "cnr": [0.6, 10], "stream": "levels"}
RECORDING = {
    "voxel_um": [0.25, 0.1, 0.125],
    "diameter_um": 1.0,
    "gain": 2.0,
    "offset": 50,
    "polarity": "bright",
    "problem": "colloids",
    "dataset": "levels",
}
BLOB = np.array([2.03, 1.91, 2.22])  # µm from the centre of the first voxel
SHAPE = (16, 40, 34)


def blob(shape=SHAPE, centre=BLOB, sides=RECORDING["voxel_um"], height=200.0, width=0.4):
    """Photons of a Gaussian blob at a known place."""
    at = np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, sides)), indexing="ij")
    return height * np.exp(-0.5 * sum((x - c) ** 2 for x, c in zip(at, centre)) / width**2)


def write(path, photons, **changes):
    """The recording's entry of a volume written to a file."""
    tifffile.imwrite(path, np.rint(2 * photons + 50).astype(np.uint16), photometric="minisblack")
    return {**RECORDING, "file": str(path), **changes}


def prepared(recording, tmp_path, spec=SPEC):
    """What `prepare` returns of it, and the items."""
    survey = preparation.prepare(recording, spec, tmp_path / "items.zarr", tmp_path / "items.json")
    return survey, Dataset.open(tmp_path / "items.zarr")


def answer(points, status=OK, seconds=0.5, item=0):
    """Predictions of one item."""
    frame = pd.DataFrame(points, columns=["z", "y", "x"], dtype=float)
    if not len(frame):
        frame.loc[0] = np.nan
    return frame.assign(item=item, confidence=1.0, seconds=seconds, status=status)


def entries(**models):
    """Entries of methods by name, each with its models by training seed."""
    return {name: {"method": name, "kind": "classical", "options": {}, "models": m} for name, m in models.items()}
