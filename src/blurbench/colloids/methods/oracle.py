"""Limit: least squares of the model that made the image, begun at the true centres.

What remains is the error that noise leaves when every sphere has been found and none is taken for another. Brightness,
background, bleaching and point-spread function are known; each sphere's own brightness is fitted, within the spread
that it was drawn with, and spheres do not overlap. Light of spheres beyond the volume is estimated with all others at
their true places.

Where the image says little (a wide blur with a low contrast) the search ends before it has left the surroundings of the
truth: up to half the error of the converged fit, on the safe side of a limit, and not to be read as what noise allows.
"""

import numpy as np

from blurbench.colloids.items import answers
from blurbench.colloids.least_squares import Scene, refine
from blurbench.microscopy.psf import psf_on_voxels


class Oracle:
    kind = "limit"

    def predict(self, dataset, model, device):
        truth = iter(zip(dataset.truth["centres"][:], dataset.truth["diameters"][:], dataset.items.itertuples()))
        return answers(dataset, lambda volume: _refined(volume, *next(truth), dataset.spec["imaging"]))


def _refined(volume, centres, diameters, row, imaging):
    present = np.isfinite(diameters)
    centres, radii = centres[present] / volume.voxel_um, diameters[present] / volume.voxel_um / 2
    contrast, slices = row.brightness - row.background, volume.photons.shape[0]
    scene = Scene(
        contrast=contrast,
        contrast_sd=max(imaging["brightness_sd"], 1e-3) * contrast,
        background=row.background,
        read_noise=row.read_noise,
        kept=(1 - imaging["bleaching"]) ** (np.arange(slices) / max(slices - 1, 1)),
        psf=psf_on_voxels(imaging["psf"], volume.voxel_um),
        phi=row.phi,
    )
    found, amplitudes = refine(volume.photons, centres.astype(float), radii.astype(float), volume.diameter, scene)
    shape = np.array(volume.photons.shape)
    inside = ((found > -0.5) & (found < shape - 0.5)).all(axis=1)
    return found[inside], amplitudes[inside] / contrast
