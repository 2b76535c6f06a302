"""Spots found by maximum likelihood: against their Cramér-Rao bound, at the edges, and where there is none."""

import numpy as np
import pytest
from sampling import SIGMAS, deviate
from scipy.special import ndtr

from blurbench.diffusion import items
from blurbench.diffusion.blur_likelihood import blur_variance, calibration, joint_log_likelihood, width_D
from blurbench.diffusion.bounds import localisation_sd
from blurbench.diffusion.estimators import path_log_likelihood
from blurbench.diffusion.localise import Spots, ellipse_centres, localise
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.diffusion.simulate import imaging, render
from blurbench.microscopy.random_streams import key


def made(D, seed, bounds=(0.1, 10), **spec):
    """The items as Stacks, and their true mean positions (item, t, 2)."""
    full = imaging(spec)
    images, positions, table = render(np.asarray(D, float), full, key(seed))
    entry = {"imaging": full, "D_um2_s": list(bounds)}
    made = zip(images, table.itertuples(), positions)
    return [items.stack(image, row, entry, path) for image, row, path in made], positions.mean(axis=2, dtype=float)


def fitted(stacks):
    return [localise(stack) for stack in stacks]


@pytest.mark.parametrize("photons", [100, 1000])
@pytest.mark.parametrize("pixel", [0.1, 0.2])
def test_position_error_of_a_resting_molecule_is_near_its_bound(photons, pixel):
    spec = {"photons": photons, "pixel_size_um": pixel, "size_px": 32, "start_spread_px": 1.0}
    stacks, truth = made([1e-9] * 150, 1, bounds=(0.05, 5), **spec)
    spots = fitted(stacks)
    error = np.array([s.positions for s in spots]) - truth
    assert np.isfinite(error).mean() > 0.999
    rms = np.sqrt(np.nanmean(error**2))
    # The bound takes the pixel for a Gaussian's excess variance a²/12, which at 0.2 µm is coarse: hence 10 % both ways.
    # 4,800 errors: a standard error of 1 %.
    assert rms / localisation_sd(stacks[0]) == pytest.approx(1, abs=0.1)
    claimed = np.sqrt(np.mean([np.mean(s.sigma**2) for s in spots]))
    assert claimed / rms == pytest.approx(1, abs=0.1)
    deviate(np.nanmean(error, axis=(0, 1)), 0, rms / np.sqrt(error[..., 0].size))


def test_no_sub_pixel_bias():
    stacks, truth = made([1e-9] * 200, 2, photons=1000, size_px=24, start_spread_px=1.0)
    error = np.array([s.positions for s in fitted(stacks)]) - truth
    phase = 2 * np.pi * truth / 0.2
    for wave in (np.sin(phase), np.cos(phase)):
        deviate((error * wave).mean(), 0, (error * wave).std() / np.sqrt(error.size))
    assert np.abs(error.mean(axis=1)).max() < SIGMAS * error.std() / np.sqrt(16)


def test_photons_and_background_are_unbiased():
    for background, photons in ((2, 100), (0, 300), (20, 1000)):
        stacks, _ = made([0.2] * 150, 3, photons=photons, background=background)
        spots = fitted(stacks)
        b = np.array([s.background for s in spots])
        deviate(b.mean(), background, b.std() / np.sqrt(len(b)))
        # Tails beyond the window belong to the background, and a blurred spot is no Gaussian: within 2 %.
        assert np.mean([s.photons.mean() for s in spots]) == pytest.approx(photons, rel=0.02)


@pytest.mark.parametrize("changes", [
    {"camera": {"gain": 2.3, "offset": 250, "quantum_efficiency": 0.8}},
    {"camera": {"em_gain": 100.0, "read_noise": 30.0, "offset": 400}, "photons": 300},
    {"camera": {"laplace_noise": 1.0}},
])  # fmt: skip
def test_other_cameras(changes):
    stacks, truth = made([1e-9] * 150, 4, bounds=(0.05, 5), size_px=32, **changes)
    spots = fitted(stacks)
    rms = np.sqrt(np.nanmean((np.array([s.positions for s in spots]) - truth) ** 2))
    assert rms / localisation_sd(stacks[0]) == pytest.approx(1, abs=0.12)
    claimed = np.sqrt(np.mean([np.mean(s.sigma**2) for s in spots]))
    assert claimed / rms == pytest.approx(1, abs=0.12)


# Width


@pytest.mark.parametrize("D", [0.5, 1, 2])
@pytest.mark.parametrize("photons", [100, 1000])
def test_D_of_the_width_is_unbiased(D, photons):
    n = 500
    stacks, _ = made([D] * n, 5, photons=photons)
    found, error = np.array([width_D(*both) for both in zip(fitted(stacks), stacks)]).T
    # A relative SD of 0.16 to 0.42: 500 stacks know the mean to 1 %, the calibration its own 600 stacks to 1.5 %.
    assert found.mean() / D == pytest.approx(1, abs=0.06)
    bound = np.sqrt(0.8 / 32)  # of 16 frames and two axes: all that blur can tell
    assert bound * 0.85 < found.std() / D < 3 * bound
    assert np.mean(error) / found.std() == pytest.approx(1, abs=0.25)


def test_width_of_a_resting_molecule_is_that_of_the_psf():
    stacks, _ = made([1e-9] * 300, 6, bounds=(0.05, 5), photons=300)
    variance = np.array([s.variance for s in fitted(stacks)])
    s2 = (0.25 / FWHM_OVER_SD) ** 2
    assert variance.mean() / s2 == pytest.approx(1, abs=0.02)
    claimed = np.mean([s.variance_sd for s in fitted(stacks[:50])])
    assert claimed / variance.std() == pytest.approx(1, abs=0.2)


def test_calibration_is_small_where_the_blur_is():
    stack = made([1.0], 7)[0][0]
    shrink, stray = calibration(stack.spec)
    assert shrink(0) == 1 and stray(0) == 0
    Q = np.geomspace(1e-3, 100, 50)
    assert (shrink(Q) > 0.2).all() and (shrink(Q) < 1.3).all() and (stray(Q) >= 0).all() and (stray(Q) < 1).all()
    assert shrink(0.01) == pytest.approx(1, abs=0.02)
    assert blur_variance(3.0, stack) == pytest.approx(3.0 * 0.01 / 3 * 0.99)
    continuous = made([1.0], 7, substeps="continuous")[0][0]
    assert blur_variance(3.0, continuous) == pytest.approx(3.0 * 0.01 / 3)
    assert (stack.motion_blur, continuous.motion_blur) == pytest.approx((0.99 / 6, 1 / 6))


def test_joint_likelihood_peaks_near_the_truth():
    grid = np.geomspace(0.03, 30, 200)
    for D in (0.2, 1, 5):
        stacks, _ = made([D] * 60, 8)
        best = [grid[joint_log_likelihood(grid, *both).argmax()] for both in zip(fitted(stacks), stacks)]
        assert np.median(best) == pytest.approx(D, rel=0.15)


def test_a_width_that_is_hardly_known_leaves_the_path_alone():
    """Told a width wrong by a third, the joint likelihood is then that of the path within a few per cent of ln D."""
    grid = np.geomspace(0.03, 30, 200)
    stacks, _ = made([1.0] * 60, 9)
    for exact, spots in zip(stacks, fitted(stacks)):
        psf = {**exact.imaging["psf"], "known_to": 1.0}
        stack = exact._replace(spec={**exact.spec, "imaging": {**exact.imaging, "psf": psf}})
        _, stray = calibration(stack.spec)
        V = blur_variance(grid, stack)
        variance = np.mean(spots.sigma**2) + stray(V / stack.psf_sd_um**2) * V
        path = path_log_likelihood(spots.positions, stack.frame_time_s, grid, variance, 0.165)
        joint = joint_log_likelihood(grid, spots, stack._replace(fwhm_um=stack.fwhm_um * 1.33))
        assert abs(np.log(grid[joint.argmax()] / grid[path.argmax()])) < 0.25
        assert width_D(spots, stack)[1] > 5 * width_D(spots, exact)[1]


# Lost spots and edges


def test_a_frame_without_a_molecule_is_lost():
    stacks, _ = made([0.2] * 40, 9)
    dark = made([0.2] * 40, 10, photons=1e-9)[0]
    found, spurious = [], []
    for stack, empty in zip(stacks, dark):
        mixed = np.where((np.arange(16) % 4 == 1)[:, None, None], empty.photons, stack.photons)
        there = np.isfinite(localise(stack._replace(photons=mixed)).positions).all(axis=1)
        spurious.append(there[1::4])
        found.append(np.delete(there, np.s_[1::4]))
    # The brightest of some hundred places that hold noise alone passes three standard deviations now and then.
    assert np.mean(found) > 0.99 and np.mean(spurious) < 0.5


def test_an_empty_stack_gives_nothing_to_go_by():
    for photons, background, read_noise in ((1e-9, 2, 1.0), (1e-9, 0, 0.0)):
        stacks, _ = made([0.2] * 10, 11, photons=photons, background=background, camera={"read_noise": read_noise})
        for stack in stacks:
            spots = localise(stack)
            assert isinstance(spots, Spots) and np.isfinite(spots.positions).all(axis=1).mean() <= 0.7
            width_D(spots, stack)
            ellipse_centres(stack)


@pytest.mark.parametrize("value", [0, 100, 65535])
def test_a_stack_of_one_value(value):
    stack = made([0.2], 12)[0][0]
    stack = stack._replace(photons=np.full_like(stack.photons, value - 100))  # 100 ADU is dark
    assert np.isnan(localise(stack).positions).all()
    assert np.isnan(ellipse_centres(stack)).all()
    assert np.isnan(width_D(localise(stack), stack)[0])


@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.5, 15.5), (15.6, 15.2), (7, 0.3), (15.9, 8), (1.5, 14)])
def test_spots_at_the_edge_of_the_field(centre):
    stacks, truth = made([1e-9] * 20, 13, bounds=(0.05, 5), size_px=16, photons=2000, start_spread_px=0)
    share = np.diff(ndtr((np.arange(17) - np.array(centre)[:, None]) / (0.25 / FWHM_OVER_SD / 0.2)))
    mean = 2 + 2000 * np.outer(*share)  # part of the spot is cut off
    rng = np.random.default_rng(13)
    edge, middle, widths = [], [], []
    for stack in stacks:
        stack.photons[::4] = np.rint(rng.poisson(mean, (4, 16, 16)) + rng.normal(size=(4, 16, 16)))
        spots = localise(stack)
        edge.append(spots.positions[::4] / 0.2 + 8)
        middle.append(np.delete(spots.positions, np.s_[::4], axis=0))
        widths.append(spots.variance)
        assert np.isfinite(ellipse_centres(stack)).any()
    error = np.array(edge) - centre
    assert np.isfinite(error).all() and np.abs(error.mean(axis=(0, 1))).max() < 0.02 and error.std() < 0.1  # pixels
    assert np.abs(middle).max() < 0.02  # µm: what is cut off does not spoil the other frames
    assert np.mean(widths) / (0.25 / FWHM_OVER_SD) ** 2 == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("D", [30, 300])
def test_a_molecule_that_leaves_the_field(D):
    stacks, truth = made([D] * 20, 14, bounds=(0.1, 300), size_px=16)
    for stack, centres in zip(stacks, truth):
        spots = localise(stack)
        assert spots.positions.shape == (16, 2) and not np.isinf(spots.positions).any()
        assert np.nanmax(np.abs(spots.positions), initial=0) < 1.6 + 0.2 * 1.5
        assert np.isfinite(centres).all()


def test_the_smallest_fields():
    for size in (8, 9):
        stacks, truth = made([0.2] * 10, 15, size_px=size, photons=500)
        assert 2 * stacks[0].window + 1 <= size
        error = np.array([s.positions for s in fitted(stacks)]) - truth
        assert np.nanmedian(np.abs(error)) < 0.03


def test_drawn_frames_give_as_many_positions():
    stacks, truth = made([0.5] * 20, 16, frames=[4, 9], size_px=24)
    assert len({stack.frames for stack in stacks}) > 3
    for stack, centres in zip(stacks, truth):
        assert localise(stack).positions.shape == (stack.frames, 2)
        assert np.isnan(centres[stack.frames :]).all() and np.isfinite(centres[: stack.frames]).all()


# Elliptical fits


def test_ellipse_centres_have_the_error_of_least_squares():
    stacks, truth = made([1e-9] * 150, 17, bounds=(0.05, 5), size_px=32, pixel_size_um=0.1, photons=300)
    error = np.array([ellipse_centres(stack) for stack in stacks]) - truth
    assert np.isfinite(error).mean() > 0.98
    M, b2, a, sa2 = 300, 2 + 1 + 1 / 12, 0.1, (0.25 / FWHM_OVER_SD) ** 2 + 0.01 / 12
    least_squares = np.sqrt(sa2 / M * (16 / 9 + 8 * np.pi * sa2 * b2 / (M * a**2)))  # Mortensen et al. 2010, eq. 6
    rms = np.sqrt(np.nanmean(error**2))
    assert rms / least_squares == pytest.approx(1, abs=0.1)
    assert rms > np.sqrt(np.nanmean((np.array([s.positions for s in fitted(stacks)]) - truth) ** 2))
    deviate(np.nanmean(error, axis=(0, 1)), 0, rms / np.sqrt(error[..., 0].size))


def test_ellipse_centres_follow_a_moving_molecule():
    stacks, truth = made([2.0] * 60, 18, photons=1000)
    error = np.array([ellipse_centres(stack) for stack in stacks]) - truth
    assert np.isfinite(error).mean() > 0.95 and np.nanmedian(np.abs(error)) < 0.05
