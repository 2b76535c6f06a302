"""Point-spread functions on voxels: their sum, width and middle in two and three axes, and files that hold none."""

import numpy as np
import pytest
import tifffile

from blurbench.microscopy.psf import measured, psf_on_voxels


def lopsided(path, shape):
    """A measured PSF whose peak is off the middle."""
    grid = np.indices(shape)
    image = np.exp(-sum((g - 0.6 * n) ** 2 / n for g, n in zip(grid, shape)))
    image += 0.5 * np.exp(-sum((g - 0.4 * n) ** 2 / (0.3 * n) for g, n in zip(grid, shape)))
    tifffile.imwrite(path, image.astype(np.float32), photometric="minisblack")
    return image / image.sum()


@pytest.mark.parametrize("shape", [(13, 10), (15, 12, 10)], ids=["image", "volume"])
def test_a_measured_psf(tmp_path, shape):
    expected = lopsided(tmp_path / "psf.tif", shape)
    image, centroid = measured(tmp_path / "psf.tif", len(shape))
    assert image == pytest.approx(expected, abs=1e-7) and image.sum() == pytest.approx(1)
    assert centroid == pytest.approx([(expected * (g + 0.5)).sum() for g in np.indices(shape)], rel=1e-5)
    entry = {"kind": "image", "file": str(tmp_path / "psf.tif"), "voxel_um": [0.05] * len(shape)}
    psf = psf_on_voxels(entry, 0.1)
    assert psf.image.sum() == pytest.approx(1) and psf.image.shape == tuple(2 * psf.reach + 1)
    middle = [(psf.image * (g - r)).sum() for g, r in zip(np.indices(psf.image.shape), psf.reach)]
    assert middle == pytest.approx([0] * len(shape), abs=0.01)  # PSF voxels that lie in two of the image's


@pytest.mark.parametrize("sigma", [[0.2, 0.1], [0.4, 0.2, 0.1]], ids=["image", "volume"])
def test_a_gaussian_psf(sigma):
    psf = psf_on_voxels({"kind": "gaussian", "sigma_um": sigma}, 0.1)
    assert psf.sigma == pytest.approx(np.array(sigma) / 0.1) and len(psf.profiles) == len(sigma)
    for profile, reach, sd in zip(psf.profiles, psf.reach, psf.sigma):
        at = np.arange(-reach, reach + 1)
        assert profile.sum() == pytest.approx(1) and (profile * at**2).sum() == pytest.approx(sd**2, rel=2e-3)
    stretched = psf_on_voxels({"kind": "gaussian", "sigma_um": sigma}, np.array(sigma))
    assert stretched.sigma == pytest.approx(np.ones(len(sigma)))


@pytest.mark.parametrize("shape, value", [((5, 5), 0), ((5, 5), -1), ((5, 5), np.nan), ((5, 5, 5), 1)])
def test_an_image_that_is_no_psf_is_refused(tmp_path, shape, value):
    tifffile.imwrite(tmp_path / "psf.tif", np.full(shape, value, np.float32), photometric="minisblack")
    with pytest.raises(ValueError, match=r"psf\.file .*psf\.tif: (an image of shape \(5, 5, 5\)|its values)"):
        measured(tmp_path / "psf.tif", 2)
