"""Fainter copies of a view: mean and variance are those of a camera that saw less light, and so is the truth."""

import numpy as np
import pytest

from blurbench.fusion.dimming import THINNEST, dimmed, fainter
from blurbench.fusion.items import Truth, View
from blurbench.fusion.optics import Optics

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
