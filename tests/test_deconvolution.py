"""Richardson-Lucy deconvolution against a reference, and what it keeps."""

import numpy as np
import pytest
import spheres
from skimage.restoration import richardson_lucy as reference

from blurbench.microscopy.deconvolution import convolved, richardson_lucy
from blurbench.microscopy.psf import Psf, psf_on_voxels


def test_richardson_lucy_is_that_of_scikit_image_away_from_the_faces():
    spec = spheres.spec([2, 1, 1])
    psf, shape = psf_on_voxels(spec["imaging"]["psf"], 0.1), (66, 66, 66)
    photons = spheres.expected(shape, spheres.lattice(shape, 22, np.random.default_rng(1)), 2000, 100, psf)
    axes = [np.arange(-r, r + 1) / s for r, s in zip(psf.reach, psf.sigma)]
    kernel = np.exp(-0.5 * sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    theirs = reference(photons.astype(float), kernel / kernel.sum(), num_iter=3, clip=False)
    ours = richardson_lucy(photons, psf, 3)
    middle = tuple(slice(25, 41) for _ in range(3))
    # Three iterations carry the face six reaches of 8 and 4 voxels far, though with hardly any weight: hence one in a
    # hundred.
    assert ours[middle] == pytest.approx(theirs[middle], rel=1e-2)


def test_richardson_lucy_keeps_the_flux_and_sharpens():
    spec = spheres.spec([4, 1.5, 1.5])
    psf, rng = psf_on_voxels(spec["imaging"]["psf"], 0.1), np.random.default_rng(4)
    centres = np.array([[20.2, 16.4, 12.7], [20.9, 16.1, 24.9], [34.1, 16.3, 19.0]])
    photons = spheres.expected((52, 32, 40), centres, 100, 20, psf)
    observed = rng.poisson(photons).astype(np.float32)
    sharp = richardson_lucy(observed, psf, 30)
    assert sharp.min() >= 0
    assert sharp.sum(dtype=float) == pytest.approx(observed.sum(dtype=float), rel=1e-3)  # 10⁵ voxels in float32
    dots = Psf(tuple(np.ones(1) for _ in range(3)), None, np.zeros(3, int), np.zeros(3))
    truth = spheres.expected((52, 32, 40), centres, 100, 20, dots)
    assert np.square(sharp - truth).mean() < 0.7 * np.square(photons - truth).mean()
    half = richardson_lucy(observed, psf, 12)
    assert richardson_lucy(observed, psf, 18, half) == pytest.approx(sharp, rel=1e-4)


def test_a_measured_psf_is_applied_as_a_gaussian_one():
    gaussian = psf_on_voxels({"kind": "gaussian", "sigma_um": [0.2, 0.1, 0.1]}, 0.1)
    image = np.einsum("z,y,x->zyx", *gaussian.profiles)
    measured = gaussian._replace(profiles=(), image=image)
    volume = np.random.default_rng(5).random((30, 24, 26)).astype(np.float32)
    for mode in ("reflect", "constant"):
        assert convolved(volume, measured, mode) == pytest.approx(convolved(volume, gaussian, mode), abs=1e-5)
    assert richardson_lucy(volume, measured, 4) == pytest.approx(richardson_lucy(volume, gaussian, 4), rel=1e-3)


def test_an_image_is_deconvolved_as_a_plane_of_a_volume():
    """A volume that does not change along z, under a PSF that is no wider than a voxel there."""
    flat = psf_on_voxels({"kind": "gaussian", "sigma_um": [0.2, 0.1]}, 0.1)
    deep = psf_on_voxels({"kind": "gaussian", "sigma_um": [1e-3, 0.2, 0.1]}, 0.1)
    image = np.random.default_rng(6).random((30, 24)).astype(np.float32)
    volume = np.repeat(image[None], 5, axis=0)
    assert richardson_lucy(volume, deep, 4)[2] == pytest.approx(richardson_lucy(image, flat, 4), rel=1e-4)
