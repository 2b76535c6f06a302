"""Content-weighted fusion and multi-view deconvolution."""

import numpy as np
from light_sheets import FRONT, noise, seen_from
from scipy.ndimage import gaussian_filter

from blurbench.fusion.fusing import content_weights, deconvolved, fused
from blurbench.fusion.optics import blur

SPACING = FRONT.spacing_um


def beads(shape=(24, 40, 40), n=30):
    rng = np.random.default_rng(1)
    volume = np.zeros(shape, np.float32)
    volume[tuple(rng.integers(0, side, n) for side in shape)] = 2000
    return gaussian_filter(volume, (0.5, 0.9, 0.9)) + 5


def test_weights_sum_to_one_and_follow_the_published_formula():
    views = np.stack([noise(seed=1), noise(seed=2) ** 3])
    weights = content_weights(views, (1.0, 1.0, 1.0))
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)

    def smooth(volume, sigma):
        return gaussian_filter(volume.astype(float), sigma, mode="reflect")

    detail = [smooth((one - smooth(one, 5)) ** 2, 11) for one in views]
    np.testing.assert_allclose(weights[0], detail[0] / sum(detail), rtol=1e-3)  # float32, and the reach of the filter


def test_equal_views_are_fused_to_themselves():
    np.testing.assert_allclose(fused(np.stack([noise()] * 3), SPACING), noise(), rtol=1e-4)


def test_the_view_that_shows_more_has_the_weight():
    sharp = beads()
    dull = np.full_like(sharp, sharp.mean())
    assert content_weights(np.stack([sharp, dull]), SPACING)[0].min() > 0.99
    assert np.isfinite(fused(np.stack([dull, dull]), SPACING)).all(), "views without anything in them"


def test_one_view_is_deconvolved_as_by_richardson_and_lucy():
    """With one view the method is that of Richardson (1972) and Lucy (1974), from the view itself on."""
    one = FRONT._replace(rayleigh_um=1e9)  # a sheet as thick everywhere
    seen = blur(beads(), one)
    axial = 1 / np.hypot(1 / one.sigma_um[0], 2 / one.sheet_waist_um)
    sigma = (axial, 0.9, 0.9)
    estimate = seen.astype(float)
    for _ in range(3):
        blurred = gaussian_filter(estimate, sigma, mode="reflect")
        estimate *= gaussian_filter(seen / blurred, sigma, mode="reflect")
    np.testing.assert_allclose(deconvolved(seen[None], [one], 3), estimate, rtol=0.01, atol=0.05)


def test_two_views_deconvolved_are_nearer_to_the_truth_than_fused():
    truth = beads()
    optics = [FRONT, seen_from("orthogonal", shape=truth.shape)]
    views = np.stack([blur(truth, one) for one in optics])
    error = {name: np.sqrt(np.mean((found - truth) ** 2)) for name, found in (
        ("view", views[0]), ("fused", fused(views, SPACING)), ("deconvolved", deconvolved(views, optics)))}  # fmt: skip
    assert error["deconvolved"] < 0.6 * error["fused"] < 0.6 * error["view"]


def test_nothing_is_deconvolved_to_nothing():
    assert not deconvolved(np.full((2, 8, 8, 8), -1, np.float32), [FRONT, FRONT]).any()
