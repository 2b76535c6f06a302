"""Items as methods see them: a volume in photons, what a microscopist knows of it, its truth where it may be seen.

And the way back: what a method finds in voxels, turned into its answer in micrometres.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench.colloids.imaging import kept
from blurbench.microscopy.psf import Psf, psf_on_voxels

COLUMNS = ("item", "z", "y", "x", "confidence")


class Truth(NamedTuple):
    """What only the simulator knows of a volume; intensities in photons per voxel.

    centres_um : (n, 3) float32, of every sphere that reaches into the volume, from the centre of its first voxel
    diameters_um : (n,) float32
    phi : volume fraction
    brightness, background, read_noise : of a voxel well inside a sphere, of one outside, SD
    brightness_sd : relative SD of a sphere's own light
    kept : (z,), share of the light that bleaching and the depth leave each slice
    """

    centres_um: np.ndarray
    diameters_um: np.ndarray
    phi: float
    brightness: float
    background: float
    read_noise: float
    brightness_sd: float
    kept: np.ndarray


class Volume(NamedTuple):
    """One volume and what a microscopist knows of it.

    photons : (z, y, x) float32, the image above its dark level; read noise makes some of it negative
    diameter : mean diameter of the spheres, voxels
    psf : the point-spread function on these voxels
    voxel_um : side of a voxel
    truth : None where it must not be seen
    """

    photons: np.ndarray
    diameter: float
    psf: Psf
    voxel_um: float
    truth: Truth | None = None

    @property
    def blur(self) -> float:
        """SD of the point-spread function along z over the diameter: what makes a volume easy or hard."""
        return float(self.psf.sigma[0] / self.diameter)


def read(dataset, i) -> Volume:
    """Item i of a dataset."""
    row, spec = dataset.items.iloc[i], dataset.spec["imaging"]
    photons = dataset.images[i].astype(np.float32) - np.float32(spec["offset"])
    voxel = float(row["voxel_um"])
    truth = _truth(dataset, i, row, spec) if dataset.truth else None
    return Volume(photons, float(row["diameter_px"]), psf_on_voxels(spec["psf"], voxel), voxel, truth)


def _truth(dataset, i, row, imaging) -> Truth:
    centres, diameters = dataset.truth["centres"][i], dataset.truth["diameters"][i]
    there = np.isfinite(centres).all(axis=1)  # the rest is padding
    intensities = (float(row.get(name, np.nan)) for name in ("phi", "brightness", "background", "read_noise"))
    left = kept(imaging, dataset.images.shape[1], float(row["voxel_um"]))
    return Truth(centres[there], diameters[there], *intensities, imaging["brightness_sd"], left)


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


def own_seed(volume) -> int:
    """64-bit seed of the image itself: an item has the same answer in whatever order or company it is asked for."""
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(volume.photons), digest_size=8).digest(), "little")


def relative(strength) -> np.ndarray:
    """Strengths (n,) over the usual one of the strong among them, the mean weighted by squared strength.

    Contrast differs from volume to volume, so neither a threshold nor a confidence can be in photons. Weighted, because
    any number of weak maxima of noise may be among the spheres.
    """
    squares = np.square(strength)
    return strength * (squares.sum() / (squares @ strength)) if np.any(strength > 0) else np.zeros(len(strength))
