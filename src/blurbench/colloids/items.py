"""Items as methods see them: photons, the point-spread function in voxels, and answers turned into micrometres."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench.microscopy.psf import Psf, psf_on_voxels

COLUMNS = ("item", "z", "y", "x", "confidence")


class Volume(NamedTuple):
    """One volume and what a microscopist knows of it.

    photons : (z, y, x) float32, the image above its dark level; read noise makes some of it negative
    diameter : mean diameter of the spheres, voxels
    psf : the point-spread function on these voxels
    voxel_um : side of a voxel
    """

    photons: np.ndarray
    diameter: float
    psf: Psf
    voxel_um: float

    @property
    def blur(self) -> float:
        """SD of the point-spread function along z over the diameter: what makes a volume easy or hard."""
        return float(self.psf.sigma[0] / self.diameter)


def read(dataset, i) -> Volume:
    """Item i of a dataset."""
    row, spec = dataset.items.iloc[i], dataset.spec["imaging"]
    photons = dataset.images[i].astype(np.float32) - np.float32(spec["offset"])
    voxel = float(row["voxel_um"])
    return Volume(photons, float(row["diameter_px"]), psf_on_voxels(spec["psf"], voxel), voxel)


def answers(dataset, find) -> pd.DataFrame:
    """What `find` sees in every volume, as a method answers it.

    Parameters
    ----------
    find : function (Volume) -> positions (n, 3) in voxels from the centre of the first one, confidence (n,)

    Returns
    -------
    DataFrame item, z, y, x (µm), confidence; an item in which nothing was found has no row
    """
    frames = [_frame(0, np.empty((0, 3)), np.empty(0), 1.0)]
    for i in range(len(dataset)):
        volume = read(dataset, i)
        frames.append(_frame(i, *find(volume), volume.voxel_um))
    return pd.concat(frames, ignore_index=True)


def _frame(item, positions, confidence, voxel_um) -> pd.DataFrame:
    """Rows of one item; positions (n, 3) in voxels. Those that are not finite are left out."""
    finite = np.isfinite(positions).all(axis=1)
    z, y, x = (positions[finite] * voxel_um).T
    return pd.DataFrame({"item": item, "z": z, "y": y, "x": x, "confidence": confidence[finite]}, columns=list(COLUMNS))


def relative(strength) -> np.ndarray:
    """Strengths (n,) over the usual one of the strong among them, the mean weighted by squared strength.

    Contrast differs from volume to volume, so neither a threshold nor a confidence can be in photons. Weighted, because
    any number of weak maxima of noise may be among the spheres.
    """
    squares = np.square(strength)
    return strength * (squares.sum() / (squares @ strength)) if np.any(strength > 0) else np.zeros(len(strength))
