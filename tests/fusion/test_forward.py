"""Absorption on the way in and out, and a view as a whole."""

import numpy as np
import pytest
from light_sheets import FRONT, SHAPE, noise, seen_from

from blurbench.fusion.forward import attenuation, detection, illumination, view
from blurbench.fusion.optics import VIEWS, blur

NOTHING = np.zeros(SHAPE, np.float32)
each_view = pytest.mark.parametrize("name", VIEWS)


@each_view
def test_photons_are_conserved_without_absorption(name):
    density = 100 * noise()
    seen = view(density, NOTHING, NOTHING, seen_from(name))
    assert seen.sum(dtype=float) == pytest.approx(density.sum(dtype=float), rel=1e-5)  # of float32
    assert seen.min() >= 0


@each_view
@pytest.mark.parametrize("fan", [0.0, 0.2])
def test_uniform_absorption_is_exponential_in_the_length_of_both_ways(name, fan):
    one = seen_from(name)._replace(fan=fan)
    light, depth = (
        (np.arange(SHAPE[axis])[::sign] + 0.5) * one.spacing_um[axis]
        for axis, sign in ((one.light_axis, one.light_sign), (one.depth_axis, one.depth_sign))
    )
    expected = np.exp(-0.04 * depth[:, None] - 0.07 * light)
    expected = expected if one.depth_axis == 0 else expected.T
    found = attenuation(NOTHING + 0.07, NOTHING + 0.04, one)
    np.testing.assert_allclose(found, np.broadcast_to(expected[:, None], SHAPE), rtol=1e-4)  # float32, 28 products


@each_view
def test_attenuation_is_the_exponential_of_the_integral(name):
    """Against sums of float64 written out: half of the voxel itself and all of those before it."""
    one, mu_i, mu_d = seen_from(name), 0.2 * noise(seed=3), 0.1 * noise(seed=4)

    def integral(mu, axis, sign):
        mu = np.flip(mu.astype(float), axis) if sign < 0 else mu.astype(float)
        path = (np.cumsum(mu, axis) - mu / 2) * one.spacing_um[axis]
        return np.flip(path, axis) if sign < 0 else path

    both = integral(mu_i, one.light_axis, one.light_sign) + integral(mu_d, one.depth_axis, one.depth_sign)
    np.testing.assert_allclose(attenuation(mu_i, mu_d, one), np.exp(-both), rtol=1e-4)


def test_each_absorption_acts_on_its_own_way():
    assert (illumination(NOTHING, FRONT) == 1).all() and (detection(NOTHING, FRONT) == 1).all()
    mu = NOTHING.copy()
    mu[12, 10, 14] = 2
    shaded = illumination(mu, FRONT) < 1
    assert shaded[12, 10, 14:].all() and shaded.sum() == SHAPE[2] - 14
    assert (detection(mu, FRONT) < 1).sum() == SHAPE[0] - 12


def test_a_shadow_fades_in_a_fan_and_lacks_as_much_light():
    """Rays from all sides fill a shadow up, but what an absorber took stays away, but for the rim of the volume."""
    mu = np.zeros((1, 81, 60), np.float32)
    mu[:, 38:43, 5:8] = 1
    lacking = 1 - illumination(mu, FRONT._replace(fan=0.15))[0, :, 10:]
    assert np.all(np.diff(lacking.max(axis=0)) <= 1e-3) and lacking[:, -1].max() < 0.6 * lacking[:, 0].max()
    np.testing.assert_allclose(lacking.sum(axis=0), lacking[:, 0].sum(), rtol=0.01)  # linear between voxels


@each_view
def test_light_is_absorbed_before_it_is_blurred(name):
    density, mu, one = noise(seed=5), 0.1 * noise(seed=6), seen_from(name)
    expected = blur(density * attenuation(mu, mu, one), one)
    np.testing.assert_allclose(view(density, mu, mu, one), expected, rtol=1e-6)
    assert view(density, mu, mu, one).sum() < 0.9 * density.sum()
