"""Datasets of spheres for the tests of this problem: placed by hand, or simulated."""

import numpy as np
import pandas as pd

from blurbench.colloids.imaging import blur, draw_spheres
from blurbench.colloids.simulate import imaging, volume
from blurbench.files.datasets import Dataset
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.microscopy.random_streams import key

D = 10.0  # voxels
ONE_UM = {"particle_size_um": 1.0, "voxel_um": 0.1, "diameter_px": D}


def spec(sigma_px, **changes):
    """Specification of spheres of 1 µm seen with a Gaussian PSF of these SDs in voxels of 0.1 µm."""
    psf = {"kind": "gaussian", "sigma_um": [s * 0.1 for s in sigma_px]}
    return {"imaging": imaging({"psf": psf, **changes}), "stream": "test"}


def lattice(shape, spacing, rng):
    """Centres `spacing` apart, each moved by up to half a voxel, none within `spacing` / 2 of a face."""
    axes = [np.arange(spacing / 2, n - spacing / 2 + 0.5, spacing) for n in shape]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return centres + rng.uniform(-0.5, 0.5, centres.shape)


def expected(shape, centres, contrast, background, psf):
    """Photons of spheres of diameter D, drawn by the simulator; no bleaching."""
    canvas = np.zeros(np.array(shape) + 2 * psf.reach, np.float32)
    n, period = len(centres), np.full(3, 1e9)
    light = np.broadcast_to(np.asarray(contrast, float), n).copy()
    draw_spheres(canvas, -psf.reach, centres, np.full(n, D / 2), light, period, np.array(shape))
    return blur(canvas, psf) + background


def dataset(images, centres, spec, **columns):
    """Dataset of images (n, z, y, x) of spheres of diameter D with the same centres (m, 3), in voxels."""
    psf = psf_on_voxels(spec["imaging"]["psf"], 0.1)
    row = {**ONE_UM, "sigma_z_px": psf.sigma[0], "sigma_xy_px": psf.sigma[1], **columns}
    truth = {
        "centres": np.repeat(centres[None] * 0.1, len(images), axis=0),
        "diameters": np.ones((len(images), len(centres))),
    }
    attrs = {"problem": "colloids", "spec": spec}
    return Dataset(attrs, np.asarray(images), pd.DataFrame([row] * len(images)), truth)


def simulated(cells, spec, name):
    """Dataset of simulated items; cells of (phi, particle size in µm, CNR)."""
    items = [
        volume({"phi": p, "particle_size_um": s, "cnr": c, "brightness": 200.0}, spec["imaging"], key(1, name), i)
        for i, (p, s, c) in enumerate(cells)
    ]
    images, rows, centres, diameters = zip(*items)
    most = max(map(len, centres))
    truth = {"centres": np.full((len(items), most, 3), np.nan), "diameters": np.full((len(items), most), np.nan)}
    for i, (c, d) in enumerate(zip(centres, diameters)):
        truth["centres"][i, : len(c)], truth["diameters"][i, : len(d)] = c, d
    return Dataset({"problem": "colloids", "spec": spec}, np.stack(images), pd.DataFrame(list(rows)), truth)


def errors(frame, dataset, i, radius):
    """Recall, precision and differences found - true (k, 3) in diameters of item i, the border of d/2 left out."""
    from blurbench.colloids.volume_border import trim
    from blurbench.scoring.matching import match

    size, voxel = dataset.items[["particle_size_um", "voxel_um"]].iloc[i]
    truth = dataset.truth["centres"][i]
    truth = truth[np.isfinite(truth).all(axis=1)]
    found = frame.loc[frame["item"] == i, ["z", "y", "x"]].to_numpy()
    box = np.array([np.full(3, -0.5), np.array(dataset.images.shape[1:]) - 0.5]) * voxel
    pairs, asked, counted = trim(truth, found, match(truth, found, radius * size), box, size / 2)
    difference = (found[pairs[:, 1]] - truth[pairs[:, 0]]) / size
    return len(pairs) / max(asked.sum(), 1), len(pairs) / max(counted.sum(), 1), difference
