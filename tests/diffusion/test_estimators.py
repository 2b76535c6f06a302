"""Estimators of D and their theory: tables worked out elsewhere, simulated paths, symmetries, degenerate input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import deviate
from scipy.optimize import minimize

from blurbench.diffusion.bounds import efficient, mortensen
from blurbench.diffusion.estimators import (
    _position_covariance,
    _slope_form,
    blur_coefficient,
    cramer_rao,
    cve,
    cve_sd,
    cve_sigma,
    mle,
    mle_fit,
    msd,
    msd_sd,
    msd_slope,
    optimal_lags,
    path_log_likelihood,
)
from blurbench.diffusion.simulate import photon_stacks

DT, FRAMES, R = 0.01, 16, 1 / 6
# Relative SD of D with 16 frames in two dimensions at σ²/(DΔt): Cramér-Rao with σ unknown and known, CVE with σ unknown
# and known, all-lag MSD through the origin (facts of the project, section 3.2; derived there, three decimals).
TABLE = {
    0: (0.383, 0.258, 0.409, 0.273, 0.818),
    0.1: (0.411, 0.303, 0.422, 0.303, 0.820),
    1 / 3: (0.458, 0.367, 0.458, 0.387, 0.825),
    1: (0.541, 0.466, 0.587, 0.669, 0.839),
    10: (0.957, 0.892, 2.96, 4.86, None),
}


def measured(D, sigma, frames, n, seed, substeps=10):
    """Positions (n, frames, 2) of the simulator's paths: mean of each exposure, and a normal localisation error."""
    # One long path; between two pieces a frame is left out, so that no displacement is shared and all are independent.
    long = {"frames": n * (frames + 1), "size_px": 1, "photons": 0, "substeps": substeps}
    centres = photon_stacks([D], long, seed)[1][0].astype(float).mean(axis=1).reshape(n, frames + 1, 2)[:, :frames]
    return centres + sigma * np.random.default_rng(seed).normal(size=centres.shape)


def sigma_at(x, D=1.0):
    return np.sqrt(x * D * DT)


# Theory


@pytest.mark.parametrize("x", TABLE)
def test_published_values(x):
    D, sigma = 0.7, sigma_at(x, 0.7)
    unknown, known, cve_unknown, cve_known, all_lags = TABLE[x]
    # Half a unit of the last digit. Those of CVE are exact; its published formula leaves out a term of order 1/N².
    assert cramer_rao(D, sigma, DT, FRAMES) == pytest.approx(unknown, abs=6e-4)
    assert cramer_rao(D, sigma, DT, FRAMES, sigma_known=True) == pytest.approx(known, abs=6e-4)
    assert cve_sd(D, sigma, DT, FRAMES) / D == pytest.approx(cve_unknown, rel=0.004)
    assert cve_sd(D, sigma, DT, FRAMES, sigma_known=True) / D == pytest.approx(cve_known, rel=0.01)
    if all_lags:
        assert msd_sd(D, sigma, DT, FRAMES, "all") / D == pytest.approx(all_lags, abs=6e-4)


def test_a_bound_has_its_error_on_a_grid_of_D_and_where_D_is_drawn():
    drawn = np.exp(np.random.default_rng(1).uniform(-3, 3, 500))
    items = pd.DataFrame({"D": [*drawn, *np.repeat([1.0, 2.0], 50)]})
    error = np.log(efficient(items, np.full(600, 0.3))["D"] / items["D"])
    for rows in (slice(0, 500), slice(500, 550), slice(550, 600)):
        assert np.sqrt(np.mean(error[rows] ** 2)) == pytest.approx(0.3)
    # Nor does it depend on D: a correlation of 500 independent pairs has the SD 1/√500; four of them.
    assert abs(np.corrcoef(error[:500], np.log(drawn))[0, 1]) < 4 / np.sqrt(500)


def test_bounds_of_long_paths():
    sigma = sigma_at(1 / 3)
    assert cramer_rao(1.0, sigma, DT, 101) == pytest.approx(0.174, abs=6e-4)
    assert cramer_rao(1.0, sigma, DT, 1001) == pytest.approx(0.0548, abs=6e-5)
    assert cve_sd(1.0, sigma, DT, 1001) == pytest.approx(0.0548, rel=0.002)  # CVE attains the bound where ε = 0
    for e in (-0.2, 0.5, 3):
        large = np.sqrt(2 / (2 * 10_000) * (1 + 2 * np.sqrt(1 + 2 * e)))
        assert cramer_rao(1.0, np.sqrt((e + 2 * R) * DT), DT, 10_001) == pytest.approx(large, rel=0.002)


def test_bound_of_a_perfect_path():
    assert cramer_rao(2.0, 0.0, DT, FRAMES, blur=0, sigma_known=True) == pytest.approx(np.sqrt(2 / (2 * 15)))
    assert cramer_rao(2.0, 0.0, DT, FRAMES, dims=1, blur=0, sigma_known=True) == pytest.approx(np.sqrt(2 / 15))


def test_bound_of_many_at_once():
    D, sigma = np.array([0.1, 1, 10]), np.array([0.02, 0.03, 0.05])
    assert cramer_rao(D, sigma, DT, FRAMES) == pytest.approx([cramer_rao(*p, DT, FRAMES) for p in zip(D, sigma)])
    assert cramer_rao(D, 0.02, DT, FRAMES) == pytest.approx([cramer_rao(d, 0.02, DT, FRAMES) for d in D])


def test_blur_coefficient():
    assert blur_coefficient(0.01, 0.01) == pytest.approx(1 / 6)
    assert blur_coefficient(0.002, 0.01) == pytest.approx(1 / 30)
    assert blur_coefficient(0.01, 0.01, 10) == pytest.approx(0.99 / 6)
    assert blur_coefficient(0.01, 0.01, 1) == 0


@pytest.mark.parametrize("M, b2, nm", [(100, 1, 12.10), (1000, 1, 3.27), (183, 8, 11.60)])
def test_localisation_bound(M, b2, nm):
    assert 1000 * np.sqrt(mortensen(0.0943**2, 0.1, M, b2)) == pytest.approx(nm, abs=0.006)
    sa2, tau = 0.0943**2 + 0.1**2 / 12, 2 * np.pi * (0.0943**2 + 0.1**2 / 12) * b2 / (M * 0.01)
    rieger_stallinga = sa2 / M * (1 + 4 * tau + np.sqrt(2 * tau / (1 + 4 * tau)))
    assert mortensen(0.0943**2, 0.1, M, b2) == pytest.approx(rieger_stallinga, rel=0.06)


def test_localisation_bound_without_background():
    assert mortensen(0.01, 0.1, 100, 0) == pytest.approx((0.01 + 0.01 / 12) / 100)


# Simulated paths


@pytest.mark.parametrize("x", [0, 1 / 3, 1])
def test_cve_has_the_mean_and_variance_of_theory(x):
    # The variance over n paths has a relative standard error of sqrt((kurtosis - 1)/n), with kurtosis near 4 at 16
    # frames: 40,000 paths give 0.9 %, so that the 3 % asked for are three and a half standard errors.
    D, n = 1.0, 40_000
    estimates = np.array([cve(p, DT) for p in measured(D, sigma_at(x), FRAMES, n, 1)])
    blur = blur_coefficient(DT, DT, 10)
    expected = cve_sd(D, sigma_at(x), DT, FRAMES, blur=blur)
    deviate(estimates.mean(), D, expected / np.sqrt(n))
    assert estimates.var() / expected**2 == pytest.approx(1, abs=0.03)


def test_cve_of_known_error_and_the_error_itself():
    D, sigma, n, blur = 1.0, 0.06, 10_000, blur_coefficient(DT, DT, 10)
    paths = measured(D, sigma, FRAMES, n, 2)
    estimates = np.array([cve(p, DT, sigma, blur) for p in paths])
    expected = cve_sd(D, sigma, DT, FRAMES, blur=blur, sigma_known=True)
    deviate(estimates.mean(), D, expected / np.sqrt(n))
    assert estimates.var() / expected**2 == pytest.approx(1, abs=0.08)  # five standard errors of 1.6 %
    long = measured(D, sigma, 20_000, 1, 3)[0]
    assert cve_sigma(long, blur) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize("sigma_known", [False, True])
@pytest.mark.parametrize("x", [0.1, 1])
def test_mle_attains_the_bound_of_long_paths(x, sigma_known):
    # The bound binds where positivity of σ² and skewness do not matter: 300 displacements. The SD over 2,500 paths has
    # a relative standard error of 1.4 %: 5 % are three and a half of them.
    D, sigma, n, frames, blur = 1.0, sigma_at(x), 2500, 301, blur_coefficient(DT, DT, 10)
    paths = measured(D, sigma, frames, n, 4)
    estimates = np.array([mle(p, DT, sigma if sigma_known else None, blur) for p in paths])
    bound = float(cramer_rao(D, sigma, DT, frames, blur=blur, sigma_known=sigma_known))
    assert estimates.std() / (D * bound) == pytest.approx(1, abs=0.05)
    # A maximum-likelihood estimate is biased by terms of the order of its variance.
    assert abs(estimates.mean() - D) < 5 * D * bound / np.sqrt(n) + D * bound**2


@pytest.mark.parametrize("lags", ["all", "optimal", 2, 4])
@pytest.mark.parametrize("x", [0, 1])
def test_msd_has_the_standard_error_of_theory(lags, x):
    D, sigma, n, blur = 1.0, sigma_at(x), 4000, blur_coefficient(DT, DT, 10)
    chosen = optimal_lags(x - 2 * blur, FRAMES) if lags == "optimal" else lags  # fixed: the choice has no scatter here
    estimates = np.array([msd_slope(p, DT, chosen) for p in measured(D, sigma, FRAMES, n, 5)])
    expected = msd_sd(D, sigma, DT, FRAMES, lags, blur=blur)
    # Kurtosis of the all-lag slope, which hangs on a single degree of freedom or two: about 6.
    assert estimates.std() / expected == pytest.approx(1, abs=5 * np.sqrt(5 / n) / 2)
    if lags != "all":  # through the origin, localisation error and blur are a bias
        deviate(estimates.mean(), D, expected / np.sqrt(n))


def test_iterated_optimal_lags_do_not_cost_much():
    D, n = 1.0, 3000
    paths = measured(D, sigma_at(1), FRAMES, n, 6)
    iterated = np.array([msd_slope(p, DT) for p in paths])
    assert iterated.std() < 1.25 * msd_sd(D, sigma_at(1), DT, FRAMES)
    assert abs(iterated.mean() - D) < 0.1


@pytest.mark.parametrize("frames, slack", [(10, 1), (16, 1), (100, 2)])
@pytest.mark.parametrize("x", [0, 0.1, 0.5, 1, 3, 10, 30, 100])
def test_optimal_lags_against_brute_force(frames, slack, x):
    covariance = _position_covariance(1.0, np.sqrt(x), 1.0, frames, 0.0)
    variances = {}
    for p in range(2, int(0.8 + 0.564 * frames) + 1):
        M = _slope_form(frames, p, False) @ covariance
        variances[p] = np.trace(M @ M)
    best, chosen = min(variances, key=variances.get), optimal_lags(x, frames)
    # At 100 frames the rule keeps to ±2 for x >= 30 only; the variance is flat there, and that is what it is for.
    assert abs(best - chosen) <= slack or (frames == 100 and variances[chosen] < 1.05 * variances[best])


def test_optimal_lags_have_their_ends():
    assert optimal_lags(np.inf, 16) == 9 and optimal_lags(-3, 16) == 2 and optimal_lags(np.nan, 16) == 9
    assert optimal_lags(5, 2) == 2


def test_mean_square_displacement_by_hand():
    path = np.array([[0, 0], [1, 0], [1, 2], [np.nan, 0], [4, 2]])
    assert msd(path, [1, 2, 3, 4]) == pytest.approx([(1 + 4) / 2, (5 + 9) / 2, 13, 20])
    assert np.isnan(msd(path[2:4], [1]))[0]


@pytest.mark.parametrize("x", [0, 0.2, 3])
def test_fit_is_not_below_scipys(x):
    blur = blur_coefficient(DT, DT, 10)
    for path in measured(1.0, sigma_at(x), FRAMES, 12, 7):
        D, sigma = mle_fit(path, DT, blur=blur)
        found = path_log_likelihood(path, DT, D, sigma**2, blur)

        def loss(p, path=path):
            return -path_log_likelihood(path, DT, np.exp(p[0]), np.exp(p[1]) * DT, blur)

        starts = [(0, -4), (0, 0), (-2, 0), (1, -8)]
        best = -min(minimize(loss, s, method="Nelder-Mead", options={"maxiter": 800}).fun for s in starts)
        assert found > best - 1e-3
        given = 0.7 * sigma_at(x) + 0.01
        D = mle(path, DT, given, blur)
        grid = np.geomspace(D / 1.5 + 1e-6, D * 1.5 + 1e-3, 400)
        assert (
            path_log_likelihood(path, DT, D, given**2, blur)
            > path_log_likelihood(path, DT, grid, given**2, blur).max() - 1e-3
        )


def test_likelihood_is_that_of_the_displacements_covariance():
    path, D, variance = measured(1.0, 0.05, 9, 1, 8)[0], 0.8, 0.003
    step = np.diff(path, axis=0)
    covariance = (2 * D * DT * (1 - 2 * R) + 2 * variance) * np.eye(8)
    covariance += (2 * R * D * DT - variance) * (np.eye(8, k=1) + np.eye(8, k=-1))
    direct = -0.5 * (2 * np.linalg.slogdet(covariance)[1] + (step * np.linalg.solve(covariance, step)).sum())
    assert path_log_likelihood(path, DT, D, variance, R) == pytest.approx(direct, abs=1e-8)


# Gaps


def test_gaps_leave_the_estimates_unbiased():
    D, sigma, n, blur = 1.0, 0.05, 4000, blur_coefficient(DT, DT, 10)
    paths = measured(D, sigma, FRAMES, n, 9)
    rng = np.random.default_rng(9)
    lost = rng.random(paths.shape[:2]) < 0.15
    paths[lost] = np.nan
    for estimate in (lambda p: cve(p, DT), lambda p: cve(p, DT, sigma, blur), lambda p: msd_slope(p, DT, 3)):
        D_hat = np.array([estimate(p) for p in paths])
        D_hat = D_hat[np.isfinite(D_hat)]
        assert len(D_hat) > 0.98 * n
        deviate(D_hat.mean(), D, D_hat.std() / np.sqrt(len(D_hat)))
    long = measured(D, sigma, 4000, 1, 10)[0]
    long[::7] = np.nan
    assert mle(long, DT, blur=blur) == pytest.approx(D, rel=0.15)
    assert mle(long, DT, sigma, blur) == pytest.approx(D, rel=0.15)


def test_gaps_at_the_ends_do_not_count():
    path = measured(1.0, 0.05, 12, 1, 11)[0]
    padded = np.vstack([np.full((2, 2), np.nan), path, np.full((3, 2), np.nan)])
    for estimate in (cve, mle, lambda p, dt: cve(p, dt, 0.05), lambda p, dt: msd_slope(p, dt, 3)):
        assert estimate(padded, DT) == pytest.approx(estimate(path, DT), rel=1e-6)


# Symmetries


ESTIMATORS = {
    "cve": cve,
    "mle": mle,
    "all_lags": lambda p, dt: msd_slope(p, dt, "all"),
    "optimal_lags": lambda p, dt: msd_slope(p, dt),
}
PATHS = st.tuples(st.integers(0, 2**31), st.integers(5, 30), st.floats(0, 2))


def path_of(seed, frames, noise):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(frames, 2)), axis=0) + noise * rng.normal(size=(frames, 2))


@pytest.mark.parametrize("name", ESTIMATORS)
@given(
    path=PATHS,
    angle=st.floats(0, 7),
    shift=st.floats(-100, 100),
    scale=st.floats(0.01, 100),
    slower=st.floats(0.01, 100),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_symmetries(name, path, angle, shift, scale, slower):
    estimate, positions = ESTIMATORS[name], path_of(*path)
    D = estimate(positions, DT)
    c, s = np.cos(angle), np.sin(angle)
    # The fit's ascent stops when its steps are small: some 1e-4 of the scale of D is left over.
    close = {"rel": 1e-4, "abs": 1e-6 * np.square(positions).mean() / DT}
    for turned in (positions @ [[c, s], [-s, c]], positions[:, ::-1], -positions, positions[::-1], positions + shift):
        assert estimate(turned, DT) == pytest.approx(D, **close)
    assert estimate(scale * positions, DT) == pytest.approx(scale**2 * D, rel=1e-3, abs=scale**2 * close["abs"])
    assert estimate(positions, slower * DT) == pytest.approx(D / slower, rel=1e-3, abs=close["abs"] / slower)


@given(path=PATHS, scale=st.floats(0.01, 100))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_fitted_error_scales_with_the_path(path, scale):
    positions = path_of(*path)
    sigma = mle_fit(positions, DT)[1]
    # An error that goes to 0 is approached, not reached: compared with the size of a step.
    assert mle_fit(scale * positions, DT)[1] == pytest.approx(scale * sigma, rel=1e-3, abs=0.02 * scale)
    assert cve_sigma(scale * positions) == pytest.approx(scale * cve_sigma(positions), rel=1e-6, abs=1e-6 * scale)


# Degenerate input


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_too_few_positions(frames):
    path = measured(1.0, 0.0, 5, 1, 12)[0][:frames]
    assert np.isnan(msd_slope(path, DT)) and np.isnan(msd_slope(path, DT, "all")) and np.isnan(mle(path, DT))
    assert np.isnan(cve(path, DT)) and np.isnan(cve_sigma(path))
    known = cve(path, DT, 0.0)
    assert np.isnan(known) if frames < 2 else known > 0  # one displacement tells D where the error is known


@pytest.mark.parametrize("keep", [[], [0], [0, 5], [0, 2, 4, 6, 8]])
def test_lost_positions(keep):
    path = np.full((10, 2), np.nan)
    path[keep] = np.random.default_rng(1).normal(size=(len(keep), 2))
    assert np.isnan(cve(path, DT)) and np.isnan(mle(path, DT)) and np.isnan(cve(path, DT, 0.1))
    assert np.isnan(cve_sigma(path)) and not np.isinf(msd_slope(path, DT))


def test_a_molecule_that_does_not_move():
    path = np.ones((8, 2))
    for estimate in (*ESTIMATORS.values(), lambda p, dt: mle(p, dt, 0.0), lambda p, dt: cve(p, dt, 0.0)):
        assert estimate(path, DT) == pytest.approx(0, abs=1e-12)
    assert cve(path, DT, 0.1) < 0  # unbiased: known error without any scatter
    assert mle_fit(path, DT, 0.1) == (0.0, 0.1)


def test_standard_errors_at_no_motion_are_finite():
    for D in (0.0, -1.0):
        assert 0 <= cve_sd(D, 0.02, DT, FRAMES) < 1 and 0 <= msd_sd(D, 0.02, DT, FRAMES) < 1
    assert 0 <= msd_sd(0.0, 0.0, DT, FRAMES, "all") < 1e-9
