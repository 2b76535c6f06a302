"""The exact posterior: its likelihood against the plain formula, its law where that is known, its calibration."""

import numpy as np
import pytest
from scipy.special import gammaln, ndtr
from scipy.stats import kstest

from blurbench.diffusion import items
from blurbench.diffusion.estimators import blur_coefficient, path_log_likelihood
from blurbench.diffusion.intervals import from_densities
from blurbench.diffusion.path_sampler import Motion, features
from blurbench.diffusion.pixel_likelihood import log_likelihood, pixels
from blurbench.diffusion.posterior import NoModel, judge, posteriors
from blurbench.diffusion.simulate import imaging, render
from blurbench.microscopy.camera import dark_distribution, reading_law
from blurbench.microscopy.random_streams import key

CAMERA = imaging({})["camera"]


def made(D, spec, bounds=(0.05, 20), name="posterior"):
    """Stacks with their truth, one per D."""
    full = {"imaging": imaging(spec), "D_um2_s": list(bounds)}
    images, paths, table = render(np.asarray(D, float), full["imaging"], key(name))
    return [items.stack(image, row, full, path) for image, row, path in zip(images, table.itertuples(), paths)]


def moments(density, bounds=(0.05, 20)):
    """Mean and SD of ln D."""
    width = np.log(bounds[1] / bounds[0]) / len(density)
    at = np.log(bounds[0]) + (np.arange(len(density)) + 0.5) * width
    mean = density @ at
    return mean, np.sqrt(density @ (at - mean) ** 2)


# Likelihood


@pytest.mark.parametrize("gain", [1.0, 2.3])
def test_the_law_of_a_grey_value_is_that_of_dark_pixels(gain):
    settings = {**CAMERA, "gain": gain, "laplace_noise": 0.4}
    first, p = dark_distribution(settings, 3.0)
    n = np.arange(40)
    law = reading_law(first + np.arange(len(p)), n, settings) @ np.exp(n * np.log(3.0) - 3.0 - gammaln(n + 1))
    assert law == pytest.approx(p, abs=1e-13)


def test_the_law_of_a_grey_value_behind_an_em_register():
    settings = {**CAMERA, "em_gain": 30.0, "read_noise": 8.0}
    grey, n = np.arange(2000), np.array([0, 1, 4])
    law = reading_law(grey, n, settings)
    mean = grey @ law
    assert law.sum(axis=0) == pytest.approx(1, abs=1e-9)
    assert mean == pytest.approx(100 + 30 * n, abs=0.01)
    assert grey**2 @ law - mean**2 == pytest.approx(n * 30.0**2 + 8**2 + 1 / 12, rel=0.003)  # noise: 64 cells


@pytest.mark.parametrize("D", [0.1, 10])
@pytest.mark.parametrize("background", [0.05, 2.0])
def test_likelihood_and_its_slope(D, background):
    (stack,) = made([D], {"background": background, "frames": 4})
    grey, sd = np.rint(stack.photons + 100).astype(int), stack.psf_sd_um / stack.pixel_um
    path = stack.truth.path.astype(float) / stack.pixel_um + 32
    path[0] -= 32.3  # over the corner of the field
    given, slope = pixels(grey, 100, background, sd, CAMERA, 10), np.empty_like(path)

    edges = np.arange(65)
    share = np.diff(ndtr((edges - path[..., None]) / sd), axis=-1)
    mean = background + 10 * np.einsum("tky,tkx->tyx", share[:, :, 0], share[:, :, 1])
    n, values = np.arange(150), np.unique(grey)
    reading = reading_law(values, n, CAMERA)[np.searchsorted(values, grey)]

    def plain(mean):
        return np.log((reading * np.exp(n * np.log(mean[..., None]) - mean[..., None] - gammaln(n + 1))).sum(axis=-1))

    expected = (plain(mean) - plain(np.full_like(mean, background))).sum()
    # Interpolated laws (1e-6 a pixel), and a PSF that is cut at 5 SD.
    assert log_likelihood(path, given, slope, True) == pytest.approx(expected, abs=2e-3)
    h = 1e-4
    for at in [(0, 0, 0), (0, 5, 1), (1, 9, 1), (3, 4, 0)]:
        up, down = path.copy(), path.copy()
        up[at] += h
        down[at] -= h
        numeric = (log_likelihood(up, given, up, False) - log_likelihood(down, given, down, False)) / (2 * h)
        assert slope[at] == pytest.approx(numeric, abs=1e-3)


# Sampler


def test_what_features_leave_of_a_path_is_independent_of_them():
    durations = np.full(29, 0.001)
    durations[5::6] += 0.004  # five frames of six sub-positions, and dead time
    motion = Motion(durations, 1, np.zeros(2), 1.0, 1.0, 1.0, 1.0)
    steps = np.tril(np.ones((30, 29)), -1) * np.sqrt(durations)
    path = steps - steps[1] + 0.0  # one unit of noise a column, from the anchor on
    for block, modes in ((4, 1), (1, 1), (1, 3)):
        held = features(5, 6, motion, block, modes)
        seen = np.zeros((len(held.first), 30))
        for row, weights, first in zip(seen, held.weights, held.first):
            row[first : first + len(weights)] = weights[: 30 - first]
        rest = path - held.paths.T @ (seen @ path)
        assert np.abs(rest @ (seen @ path).T).max() < 1e-12
        assert held.paths.T @ seen @ np.ones(30) == pytest.approx(np.ones(30))  # a shift is all of it held


@pytest.mark.parametrize("spec", [{}, {"substeps": 1}, {"exposure_s": 0.004}])
def test_without_photons_the_posterior_is_the_prior(spec):
    (stack,) = made([1.0], {"photons": 1e-3, "frames": 4, "substeps": 4, "size_px": 16, **spec})
    chains = posteriors(stack, 4, 200, 2000, 2000)
    mean, sd = np.transpose([moments(density) for density in chains])
    width = np.log(20 / 0.05)
    assert mean.mean() == pytest.approx(np.log(1.0), abs=max(5 * mean.std() / 2, 0.1))
    assert sd.mean() == pytest.approx(width / np.sqrt(12), rel=0.06)


@pytest.mark.parametrize("substeps", [1, 10])
def test_posterior_of_a_path_that_is_all_there_is(substeps):
    # No background, no read noise, fine pixels, and motion so small against the PSF that only the centres tell of it:
    # a frame is its centroid, of variance s²/N beyond the blurred motion, and the posterior that of the path.
    spec = {"substeps": substeps, "pixel_size_um": 0.05, "size_px": 48, "photons": 400, "background": 0, "frames": 12}
    spec |= {"camera": {"read_noise": 0.0}, "start_spread_px": 6.0}
    bounds = (1e-4, 1.0)
    (stack,) = made([0.02], spec, bounds)
    light = stack.photons.sum(axis=(1, 2))
    grid = (np.arange(48) + 0.5 - 24) * stack.pixel_um
    centres = np.stack([np.einsum("tyx,y->t", stack.photons, grid), np.einsum("tyx,x->t", stack.photons, grid)])
    variance = (stack.psf_sd_um**2 + stack.pixel_um**2 / 12) / light.mean()
    at = np.linspace(np.log(bounds[0]), np.log(bounds[1]), 2001)
    blur = blur_coefficient(stack.exposure_s, stack.frame_time_s, substeps)
    law = path_log_likelihood((centres / light).T, stack.frame_time_s, np.exp(at), variance, blur)
    law = np.exp(law - law.max())
    law /= law.sum()
    expected = law @ at
    mean, sd = np.transpose([moments(density, bounds) for density in posteriors(stack, 3, 150, 600, 600)])
    # Chance, and a tenth of the SD for what the widths of the spots still tell.
    assert mean.mean() == pytest.approx(expected, abs=0.1 * sd.mean() + 5 * mean.std(ddof=1) / np.sqrt(3))
    assert sd.mean() == pytest.approx(np.sqrt(law @ (at - expected) ** 2), rel=0.15)


def test_ranks_of_the_truth_are_uniform():
    """Simulation-based calibration (Talts et al. 2018): over the prior, the truth is a draw from its posterior."""
    bounds, n = (0.1, 10), 120
    D = bounds[0] * (bounds[1] / bounds[0]) ** ((np.random.default_rng(1).permutation(n) + 0.5) / n)
    spec = {"frames": 4, "substeps": 3, "size_px": 20, "photons": 60, "start_spread_px": 1.0, "exposure_s": 0.008}
    ranks, found = [], []
    for value, stack in zip(D, made(D, spec, bounds)):
        density = posteriors(stack, 1, 150, 300, 300)[0]
        edges = np.linspace(0, 1, len(density) + 1) * np.log(bounds[1] / bounds[0])
        ranks.append(np.interp(np.log(value / bounds[0]), edges, np.concatenate([[0], np.cumsum(density)])))
        found.append(moments(density, bounds))
    assert kstest(ranks, "uniform").pvalue > 1e-3  # seeds are fixed
    mean, sd = np.transpose(found)
    error = (mean - np.log(D)) / np.sqrt(np.mean(sd**2))
    assert np.mean(error**2) == pytest.approx(1, abs=5 * np.sqrt(3 / n))  # its variance is its mean square error


def test_chains_that_begin_apart_agree_wherever_the_molecule_is():
    """R-hat (Gelman & Rubin 1992) by the means of the chains; the same images in another corner of the field."""
    for stack in made([0.1, 1, 10], {"size_px": 40, "start_spread_px": 8.0, "frames": 8}):
        shifted = stack._replace(photons=np.roll(stack.photons, (3, -2), axis=(1, 2)))
        mean, sd = np.transpose([moments(d) for s in (stack, shifted) for d in posteriors(s, 2, 200, 500, 500)])
        assert 1 + np.var(mean, ddof=1) / np.mean(sd**2) < 1.1**2


def test_continuous_paths_need_no_more_positions():
    (stack,) = made([3.0], {"frames": 4, "size_px": 32})
    stack = stack._replace(spec={**stack.spec, "imaging": {**stack.imaging, "substeps": "continuous"}})
    answers = [posteriors(stack, 2, 150, 600, 600, positions) for positions in (30, 50)]
    few, many = (np.transpose([moments(density) for density in answer]) for answer in answers)
    assert few[0].mean() == pytest.approx(many[0].mean(), abs=0.2 * many[1].mean())


@pytest.mark.parametrize(
    "change, found",
    [({"psf": {"kind": "airy", "na": 1.4, "wavelength_um": 0.6}}, "airy"), ({"blinking": {}}, "blinking")],
)
def test_images_of_another_model_are_refused(change, found):
    with pytest.raises(NoModel, match=found):
        judge({"imaging": {**imaging({}), **change}})


@pytest.mark.parametrize("other", [{"cue": "no_shape"}, {"mistakes": {"corral": {}}}])
def test_images_of_another_path_are_refused(other):
    with pytest.raises(NoModel, match=r"no_shape|corral"):
        judge({"imaging": imaging({}), **other})


def test_a_grey_value_that_cannot_be_is_refused():
    (stack,) = made([1.0], {"size_px": 16, "frames": 2})
    with pytest.raises(ValueError, match="grey value 0"):
        posteriors(stack._replace(photons=stack.photons * 0 - 100))


def test_answers_of_a_known_density():
    at = np.log(0.05) + (np.arange(4000) + 0.5) / 4000 * np.log(400)
    density = np.exp(-0.5 * ((at - np.log(2)) / 0.3) ** 2)
    row = from_densities([density / density.sum()], 0.05, 20).iloc[0]
    for column, z in (("D", 0), ("D_lo68", -0.99446), ("D_hi68", 0.99446), ("D_lo95", -1.95996), ("D_hi95", 1.95996)):
        assert row[column] == pytest.approx(2 * np.exp(0.3 * z), rel=1e-4)
