"""Molecules and images that differ in one way from what methods are told: each against its closed form."""

import numpy as np
import pandas as pd
import pytest
from photons import PURE, QUIET, photon_moments, photon_sums, stacks
from sampling import CHANCE, deviate, normal
from scipy import stats

from blurbench.diffusion import PROBLEM
from blurbench.diffusion import psf as psfs
from blurbench.diffusion.configuration import MISTAKES
from blurbench.diffusion.simulate import dataset, realised

WRONG = {
    "psf_wider": 1.1,
    "defocus_um": 0.3,
    "blinking": {"dark_share": 0.3, "dark_s": 0.02},
    "background_gradient": 1.0,
    "second_molecule_um": 1.0,
    "corral_um": 0.5,
}


def test_every_mistake_is_tried():
    assert set(WRONG) == set(MISTAKES)


@pytest.mark.parametrize("substeps", [10, "continuous"])
@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_changes_the_images_and_nothing_that_methods_are_told(mistake, substeps):
    spec = {"size_px": 32, "frames": 4, "substeps": substeps}
    plain, path, items = stacks([1.0] * 50, 40, **spec)
    images, other, wrong = stacks([1.0] * 50, 40, **spec, **{mistake: WRONG[mistake]})
    assert (images != plain).any(axis=(1, 2, 3)).mean() > 0.5
    told = list(PROBLEM.known)
    pd.testing.assert_frame_equal(items[told], wrong[told])
    assert (path == other).all() == (mistake != "corral_um")


def test_a_wider_psf():
    spec = {"size_px": 32, "pixel_size_um": 0.1, "photons": 1000, "frames": 2}
    images, _, items = stacks([0.0] * 500, 41, **PURE, **spec, psf_wider=1.2)
    assert (items["fwhm_um"] == 0.25).all() and items["psf_fwhm_um"].to_numpy() == pytest.approx(0.3)
    variance = photon_moments(images, 0.1)[1]
    expected = (0.3 / psfs.FWHM_OVER_SD) ** 2 + 0.1**2 / 12
    deviate(variance.mean(), expected, variance.std() / np.sqrt(variance.size))
    airy = {"kind": "airy", "na": 1.2, "wavelength_um": 0.6}
    assert psfs.sampler(airy, 1.2 * psfs.fwhm(airy)).scale == pytest.approx(1.2 * psfs.sampler(airy).scale)


@pytest.mark.parametrize("substeps", [10, "continuous"])
def test_defocus_widens_the_spot_as_the_molecule_leaves_the_focal_plane(substeps):
    """The mean of z² after a time t is 2Dt, and the PSF's variance grows by z²/defocus² of itself."""
    D, dt, frames, pixel, defocus = 1.0, 0.01, 8, 0.1, 0.4
    spec = {"size_px": 64, "pixel_size_um": pixel, "photons": 200, "frames": frames, "substeps": substeps}
    images = stacks([D] * 800, 42, **PURE, **spec, defocus_um=defocus)[0]
    variance, s2 = photon_moments(images, pixel)[1], (0.25 / psfs.FWHM_OVER_SD) ** 2
    square = 2 * D * dt * (np.arange(frames) + 0.45)  # z is drawn at ten moments, from 0 at the first of them on
    blur = D * dt / 3 * (0.99 if substeps == 10 else 1)
    expected = s2 * (1 + square / defocus**2) + pixel**2 / 12 + blur
    deviate(variance.mean(axis=0), expected, variance.std(axis=0) / np.sqrt(len(variance)))


@pytest.mark.parametrize("substeps", [10, "continuous"])
def test_blinking_loses_light_for_as_long_as_a_telegraph_does(substeps):
    p, dark, dt, M = 0.3, 0.012, 0.01, 400
    spec = {"size_px": 32, "photons": M, "frames": 20, "substeps": substeps, "background": 0, "camera": QUIET}
    images = stacks([0.0] * 1500, 43, **spec, blinking={"dark_share": p, "dark_s": dark})[0]
    light = photon_sums(images) / M - (1 - p)
    rate = dt * (1 / dark + p / (1 - p) / dark)  # of both switches together, per frame
    decay = np.exp(-rate)
    variance = p * (1 - p) * 2 * (rate - 1 + decay) / rate**2 + (1 - p) / M
    first = p * (1 - p) * ((1 - decay) / rate) ** 2

    def mean(x, expected):  # over items, which are independent
        x = x.mean(axis=1)
        deviate(x.mean(), expected, x.std() / np.sqrt(len(x)))

    mean(light, 0)
    mean(light**2, variance)
    mean(light[:, 1:] * light[:, :-1], first)
    mean(light[:, 2:] * light[:, :-2], first * decay)
    mean(light[:, 10:] * light[:, :-10], first * decay**9)
    mean(light[:, :1], 0)  # stationary from the start


def test_background_rises_along_a_line():
    rise, b, size = 0.8, 3.0, 16
    settings = {"quantum_efficiency": 0.5, "read_noise": 1.0}
    spec = {"size_px": size, "background": b, "photons": 1e-9, "frames": 100, "camera": settings}
    images = stacks([0.0] * 40, 44, **spec, background_gradient=rise)[0]
    expected = b * 0.5 * (1 + rise * ((np.arange(size) + 0.5) / size - 0.5))
    n = images.size / size
    deviate(images.mean(axis=(0, 1, 2)) - 100, expected, np.sqrt((expected + 1 + 1 / 12) / n))
    variance = expected + 1 + 1 / 12
    deviate(images.var(axis=(0, 1, 2)), variance, np.sqrt((2 * variance**2 + expected) / n))
    deviate(images.mean(axis=(0, 1, 3)) - 100, expected.mean(), np.sqrt((expected.mean() + 1 + 1 / 12) / n))


@pytest.mark.parametrize("substeps", [10, "continuous"])
def test_a_second_molecule_is_like_the_first_and_independent(substeps):
    D, dt, M, frames, apart, pixel = 0.5, 0.01, 200, 10, 1.5, 0.1
    spec = {"size_px": 96, "pixel_size_um": pixel, "photons": M, "frames": frames, "substeps": substeps, **PURE}
    alone, path, _ = stacks([D] * 400, 45, **spec)
    both, first, _ = stacks([D] * 400, 45, **spec, second_molecule_um=apart)
    assert (first == path).all() and (both >= alone).all()  # the first molecule's photons, and others beside them
    other = both - alone + 100
    assert (photon_sums(other) == M).mean() > 0.99  # but for those that fell beside the field
    mean, variance = photon_moments(other, pixel)
    share = 0.99 if substeps == 10 else 1
    spot = (0.25 / psfs.FWHM_OVER_SD) ** 2 + pixel**2 / 12 + D * dt / 3 * share
    deviate(variance.mean(), spot, variance.std() / np.sqrt(variance.size))
    step, R = np.diff(mean, axis=1), share / 6
    v, c = 2 * D * dt * (1 - 2 * R) + 2 * spot / M, 2 * R * D * dt - spot / M
    deviate((step**2).mean(), v, np.sqrt((2 * v**2 + 4 * c**2) / step.size))
    of_first = np.diff(path.mean(axis=2, dtype=float), axis=1)
    deviate((step * of_first).mean(), 0, (step * of_first).std() / np.sqrt(step.size / 2))  # neighbours correlate
    start = mean[:, 0] - path[:, 0, 0]
    # From the start to the frame's mean: the molecule moves by 2/3 D t_E in the mean, and is localised to spot/M.
    square = (start**2).sum(axis=1)
    expected = apart**2 + 2 * (2 / 3 * D * dt + spot / M)
    deviate(square.mean(), expected, square.std() / 20)
    normal(start.mean(axis=0) / (apart / np.sqrt(2) / 20))  # anywhere around it


@pytest.mark.parametrize("substeps", [10, "continuous"])
def test_a_corral_holds_the_molecule(substeps):
    side, pixel, frames = 0.6, 0.05, 400
    spec = {"size_px": 32, "pixel_size_um": pixel, "photons": 20, "frames": frames, "substeps": substeps, **PURE}
    spec |= {"psf": {"kind": "gaussian", "fwhm_um": 0.01}}
    images, path, items = stacks([5.0] * 100, 46, **spec, corral_um=side)
    from_start = path - path[:, :1, :1]
    assert np.abs(from_start).max() <= side / 2 + 1e-6 and not items["left_field"].any()
    # Anywhere in the square after a while, so that two moments far apart differ by twice side²/12 per axis.
    late = from_start[:, 100::20].astype(float)  # mixing takes side²/(π² D), 0.7 frames
    deviate(
        (late**2).mean(axis=(2, 3)).mean(), side**2 / 12, (late**2).mean(axis=2).std() / np.sqrt(late[:, :, 0].size)
    )
    apart = (from_start[:, 120::40, 0] - from_start[:, 100:-20:40, 0]).astype(float)
    deviate((apart**2).mean(), side**2 / 6, (apart**2).std() / np.sqrt(apart.size))
    assert stats.kstest(late[:, :, 0].ravel(), stats.uniform(-side / 2, side).cdf).pvalue > CHANCE
    # Photons come from inside too: the PSF is 10 nm wide, the pixel 50 nm.
    at = np.argwhere(images.sum(axis=1) > 100 * frames)
    place = (at[:, 1:] + 0.5 - 16) * pixel - path[at[:, 0], 0, 0]
    assert np.abs(place).max() < side / 2 + pixel / 2 + 0.03


def test_a_corral_hardly_changes_what_is_far_from_its_walls():
    D = 0.1
    free, held = (stacks([D] * 200, 47, size_px=1, photons=0, **wrong)[1] for wrong in ({}, {"corral_um": 20.0}))
    assert held == pytest.approx(free, abs=1e-6)


def test_D_realised_in_a_corral_is_that_of_the_molecule():
    entry = {"imaging": {"size_px": 16, "frames": 4, "corral_um": 0.3}, "test_D_um2_s": [1], "stream": "corral"}
    entry["items"] = {"test": 20}
    for _, _, truth in dataset(entry, "test", 1).shards:
        expected = [realised(path, 0.01, 0.01) for path in truth["positions"]]
        assert truth["D_realised"] == pytest.approx(expected, rel=1e-4)
