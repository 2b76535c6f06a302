"""Fainter copies of a view: mean and variance are those of a camera that saw less light, and so is the truth."""

import numpy as np
import pytest

from blurbench.fusion.dimming import THINNEST, dimmed, fainter, thickened
from blurbench.fusion.items import Truth, View
from blurbench.fusion.optics import Optics, axial_sigma

OPTICS = Optics((2.0, 0.4, 0.4), (2.0, 0.3, 0.3), 2.5, 10.0, 40.0, 0.1)
READ_NOISE = 4.0
SHAPE = (32, 64, 64)


def view(photons):
    """A view that expects so many photons in each voxel."""
    rng = np.random.default_rng(1)
    seen = rng.poisson(photons, SHAPE) + rng.normal(0, READ_NOISE, SHAPE)
    truth = Truth(*(np.full(SHAPE, photons, np.float32) for _ in Truth._fields))
    return View(seen.astype(np.float32), OPTICS, READ_NOISE, "nuclei", np.empty((0, *SHAPE), np.float32), (), truth)


@pytest.mark.parametrize("photons", [5.0, 80.0])
@pytest.mark.parametrize(("lamp", "left"), [(0.4, 1.0), (1.0, 0.3), (0.6, 0.5), (1.0, 1.0)])
def test_noise_is_that_of_the_photons_that_are_left(photons, lamp, left):
    """Of p λ photons and the camera: mean p λ, variance p λ + read noise². Four standard errors over 131,072 voxels."""
    found = dimmed(view(photons), np.float32(lamp), np.float32(left), np.random.default_rng(2))
    mean, variance = lamp * left * photons, lamp * left * photons + READ_NOISE**2
    n = found.photons.size
    assert found.photons.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    # The fourth moment of few photons is a little beyond that of a normal law, whose variance of s² is 2 σ⁴ / n.
    assert found.photons.var() == pytest.approx(variance, rel=4 * np.sqrt(3 / n) + 0.01)
    assert found.truth.density == pytest.approx(lamp * photons)


def test_copies_are_fainter_and_the_same_for_the_same_draw():
    given = view(50.0)
    for k in range(10):
        found = fainter(given, np.random.default_rng(k))
        lamp = (found.truth.density / given.truth.density).mean()
        assert THINNEST <= lamp <= 1 and found.photons.dtype == np.float32
        assert found.photons[:4, :, :8].mean() > found.photons[-4:, :, -8:].mean()  # light comes from there
        assert found.photons.mean() < lamp * 50 + 1
    again = fainter(given, np.random.default_rng(9)).photons
    assert np.array_equal(found.photons, again)


@pytest.mark.parametrize("lamp", [0.4, 0.8])
def test_a_thicker_sheet_blurs_what_is_there_and_leaves_the_noise_of_a_camera(lamp):
    """A bright plane under a Gaussian of the SD that the formula of the optics lacks; noise as above."""
    plane = np.full(SHAPE, 1.0)
    plane[16] = 1000.0
    given = view(plane)._replace(photons=plane.astype(np.float32))
    wider = OPTICS._replace(sheet_waist_um=1.5 * OPTICS.sheet_waist_um, rayleigh_um=2.25 * OPTICS.rayleigh_um)
    blurred, left = thickened(given, 1.5)
    assert blurred.optics == wider
    assert blurred.photons.sum() == pytest.approx(plane.sum(), rel=1e-4)
    x = np.arange(SHAPE[2]) * 0.4
    profile, z = blurred.photons[:, 0] - 1, (np.arange(32) - 16) * 2.0
    variance = (profile * z[:, None] ** 2).sum(axis=0) / profile.sum(axis=0)
    lacking = axial_sigma(wider, x) ** 2 - axial_sigma(OPTICS, x) ** 2
    assert variance == pytest.approx(np.maximum(lacking, 0), rel=1e-3)

    flat, noise_left = thickened(view(80.0), 1.5)
    assert (noise_left < 1).all()
    found = dimmed(flat, np.float32(lamp), np.float32(1), np.random.default_rng(2), noise_left).photons
    expected = lamp * 80 + READ_NOISE**2
    assert found.mean() == pytest.approx(lamp * 80, abs=0.1)
    assert found.var() == pytest.approx(expected, rel=0.03)


def test_where_another_target_is_learned_copies_have_a_fainter_lamp_alone():
    """All views are as much fainter, so the target is; of tissue and sheet nobody knows what they would change."""
    given = view(50.0)
    given = given._replace(truth=given.truth._replace(fused=2 * given.truth.density))
    found = fainter(given, np.random.default_rng(3), "fused")
    lamp = (found.truth.fused / given.truth.fused).mean()
    assert THINNEST <= lamp < 1 and found.optics == given.optics
    # No place loses more than another: four standard errors of a mean over 32 x 64 x 8 voxels.
    ends = found.photons[:, :, :8].mean(), found.photons[:, :, -8:].mean()
    assert ends[0] == pytest.approx(ends[1], abs=4 * np.sqrt(2 * (50 + READ_NOISE**2) / 16384))


def test_a_sheet_as_thick_as_before_changes_nothing():
    given = view(80.0)
    found, noise_left = thickened(given, 1.0)
    assert np.array_equal(found.photons, given.photons) and np.allclose(noise_left, 1)
