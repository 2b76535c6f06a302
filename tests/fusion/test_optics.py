"""The point-spread function of a view, its filters and their adjoints."""

import numpy as np
import pytest
from light_sheets import FRONT, SHAPE, noise, seen_from
from scipy.ndimage import gaussian_filter

from blurbench.fusion import gaussian, optics
from blurbench.fusion.optics import VIEWS, axial_sigma, blur, blur_transposed, rayleigh_um, sheet_sigma

each_view = pytest.mark.parametrize("view", VIEWS)


def test_a_sheet_is_half_its_waist_thick_and_root_two_thicker_a_rayleigh_length_away():
    waist, wavelength, index = 2.0, 0.5, 1.33
    far = rayleigh_um(waist, wavelength, index)
    sheet = FRONT._replace(sheet_waist_um=waist, rayleigh_um=far)
    thick = sheet_sigma(sheet, sheet.sheet_focus_um + far * np.array([-1, 0, 1]))
    np.testing.assert_allclose(thick, [np.sqrt(2), 1, np.sqrt(2)])
    # Far away a Gaussian beam opens at the half-angle λ / (π n w0) (Siegman 1986, section 17.1); 1/e² radius = 2 SD.
    opening = 2 * sheet_sigma(sheet, sheet.sheet_focus_um + 1e6) / 1e6
    assert opening == pytest.approx(wavelength / (np.pi * index * waist), rel=1e-6)


def test_a_thin_sheet_alone_makes_the_axial_psf_and_a_thick_one_leaves_that_of_detection():
    assert axial_sigma(FRONT._replace(sheet_waist_um=0.02), 5.0) == pytest.approx(0.01, rel=1e-4)
    assert axial_sigma(FRONT._replace(sheet_waist_um=2000.0), 5.0) == pytest.approx(FRONT.sigma_um[0], rel=1e-4)


@each_view
@pytest.mark.parametrize("place", [(20, 16, 20), (26, 16, 27)])
def test_a_point_becomes_the_psf_of_the_formula(view, place):
    """To 2 % of its peak, at the focus of the sheet and away from it; the formula is written out here once more."""
    shape, spacing = (41, 33, 41), np.array([0.6, 0.5, 0.5])
    one = seen_from(view, FRONT._replace(spacing_um=tuple(spacing), sheet_focus_um=10.0, rayleigh_um=4.0), shape)
    volume = np.zeros(shape, np.float32)
    volume[place] = 1000
    at = np.indices(shape).reshape(3, *shape) * spacing[:, None, None, None]
    away = at - (np.array(place) * spacing)[:, None, None, None]
    along = place[one.light_axis] * spacing[one.light_axis]
    focus = {"front": 10.0, "dual_side": 10.0, "opposed": 10.0, "orthogonal": 12.0}[view]
    sheet = 1.2 * np.sqrt(1 + ((along - focus) / 4.0) ** 2)
    sd = np.full(3, 0.45)
    sd[one.depth_axis] = 1 / np.sqrt(1 / 1.6**2 + 1 / sheet**2)
    formula = 1000 * np.prod(
        [np.exp(-0.5 * (x / s) ** 2) / np.sqrt(2 * np.pi) / s * d for x, s, d in zip(away, sd, spacing)], axis=0
    )
    # Nearer to the faces there are mirror images from beyond.
    inside = np.all([abs(x) < 4 for x in away], axis=0)
    assert np.abs(blur(volume, one) - formula)[inside].max() < 0.02 * formula.max()


@each_view
def test_blur_keeps_the_light(view):
    volume = noise()
    assert blur(volume, seen_from(view)).sum(dtype=float) == pytest.approx(volume.sum(dtype=float), rel=1e-5)  # float32


@each_view
def test_the_transposed_blur_is_the_adjoint(view):
    """<blur a, b> = <a, blur' b>, to what float32 sums leave of it; the blur itself is not its own adjoint."""
    one, a, b = seen_from(view), noise(seed=1), noise(seed=2) ** 8
    forth = np.vdot(blur(a, one).astype(float), b)
    assert np.vdot(a.astype(float), blur_transposed(b, one)) == pytest.approx(forth, rel=1e-6)
    assert np.abs(blur(a, one) - blur_transposed(a, one)).max() > 1e-4


def test_the_plain_filter_is_that_of_scipy():
    sigma = (0.7, 2.1, 1.3)
    expected = gaussian_filter(noise(), sigma, mode="reflect", truncate=gaussian.REACH)
    np.testing.assert_allclose(gaussian.smooth(noise(), sigma), expected, atol=2e-4)  # scipy rounds the reach


def test_a_filter_longer_than_the_volume_keeps_the_light():
    volume = noise((3, 4, 5))
    smooth = gaussian.smooth(volume, (6, 6, 6))
    np.testing.assert_allclose(smooth, volume.mean(), rtol=1e-3)
    assert smooth.sum() == pytest.approx(volume.sum(), rel=1e-5)


def test_a_turned_specimen_looks_the_same_from_the_opposed_side():
    volume = noise()
    turned = blur(volume[::-1, :, ::-1].copy(), seen_from("opposed"))
    np.testing.assert_allclose(turned[::-1, :, ::-1], blur(volume, FRONT), rtol=1e-5)


def test_a_cube_looks_the_same_from_the_orthogonal_side_turned_about_y():
    cubic = FRONT._replace(spacing_um=(0.5, 0.5, 0.5))
    volume = noise((20, 20, 20))
    turned = blur(volume.swapaxes(0, 2), seen_from("orthogonal", cubic, volume.shape))
    np.testing.assert_allclose(turned.swapaxes(0, 2), blur(volume, cubic), rtol=1e-5)


def test_what_is_no_view_is_refused():
    with pytest.raises(ValueError, match="view: 'top' was found"):
        optics.turned(FRONT, "top", SHAPE)
    with pytest.raises(ValueError, match="light_axis, depth_axis: 2, 2 were found"):
        blur(noise(), FRONT._replace(depth_axis=2))
