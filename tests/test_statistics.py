"""Bootstrap, ranks and paired differences against closed forms, SciPy, and what they must do at the edges."""

import warnings

import numpy as np
import pytest
from scipy import stats

from blurbench.scoring.statistics import (
    paired_differences,
    percentiles,
    ranks,
    replicate,
    replicate_sums,
    resampling_weights,
)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what another test left to be collected
        yield


def methods(*rows):
    """(m, 1, n) from one row of item values per method."""
    return np.array(rows, float)[:, None]


CLOSED = {
    "mean": np.mean,
    "mean_abs": lambda x: np.mean(np.abs(x)),
    "rms": lambda x: np.sqrt(np.mean(x**2)),
    "sd": lambda x: np.std(x, ddof=1),
    "median": np.median,
    "median_abs": lambda x: np.median(np.abs(x)),
}


@pytest.mark.parametrize("reduce", CLOSED)
def test_value_and_leave_one_out_are_the_closed_form(reduce):
    x = np.random.default_rng(1).normal(0.3, 1, 30)
    result = replicate(methods(x), reduce, resampling_weights(30, 10, seed=1))
    assert result.value[0] == pytest.approx(CLOSED[reduce](x))
    if not reduce.startswith("median"):
        assert result.left_out[:, 0] == pytest.approx([CLOSED[reduce](np.delete(x, i)) for i in range(30)])


@pytest.mark.parametrize("reduce", CLOSED)
def test_replicates_are_the_statistic_of_resampled_items(reduce):
    x = np.random.default_rng(2).normal(0.3, 1, 25)
    weights = resampling_weights(25, 40, seed=3)
    resampled = [CLOSED[reduce](np.repeat(x, row.astype(int))) for row in weights]
    assert replicate(methods(x), reduce, weights).resampled[:, 0] == pytest.approx(resampled)


@pytest.mark.parametrize("reduce", ["mean", "rms", "sd"])
def test_interval_agrees_with_scipy(reduce):
    x = np.random.default_rng(4).gamma(2, size=80)  # skewed, so that bias and acceleration matter
    low, high = replicate(methods(x), reduce, resampling_weights(80, 20000, seed=1)).interval()

    def statistic(a, axis):
        return {"mean": np.mean(a, axis), "rms": np.sqrt(np.mean(a**2, axis)), "sd": np.std(a, axis, ddof=1)}[reduce]

    reference = stats.bootstrap((x,), statistic, n_resamples=20000, method="BCa", rng=5).confidence_interval
    width = reference.high - reference.low
    assert abs(low[0] - reference.low) < 0.03 * width
    assert abs(high[0] - reference.high) < 0.03 * width


@pytest.mark.parametrize(
    ("reduce", "truth"), [("mean", 0.0), ("rms", 1.0), ("sd", 1.0), ("median", 0.0), ("median_abs", 0.6745)]
)
def test_intervals_cover_the_truth_as_often_as_they_say(reduce, truth):
    # 400 independent data sets in the place of methods.
    x = np.random.default_rng(6).normal(size=(400, 1, 100))
    low, high = replicate(x, reduce, resampling_weights(100, 1000, seed=1)).interval()
    assert 0.91 < np.mean((low <= truth) & (truth <= high)) < 0.98


def test_a_ratio_of_sums_is_that_of_resampled_items():
    a, b = np.random.default_rng(13).gamma(2, size=(2, 3, 20))  # three ratios, and their mean as a fourth statistic
    weights = resampling_weights(20, 30, seed=3)

    def ratios(a, b):
        ratio = a / b
        return np.concatenate([ratio, ratio.mean(axis=-1, keepdims=True)], axis=-1)

    def of(items):
        return ratios(a[:, items].sum(axis=1), b[:, items].sum(axis=1))

    result = replicate_sums(np.stack([a, b]), ratios, weights)
    items = np.arange(20)
    np.testing.assert_allclose(result.value, of(items))
    np.testing.assert_allclose(result.resampled, [of(np.repeat(items, row.astype(int))) for row in weights])
    np.testing.assert_allclose(result.left_out, [of(np.delete(items, i)) for i in items])


def test_interval_of_a_ratio_agrees_with_scipy():
    a, b = np.random.default_rng(14).gamma(2, size=(2, 60))
    moments, weights = np.stack([a, b])[:, None], resampling_weights(60, 20000, seed=1)
    (low,), (high,) = replicate_sums(moments, np.divide, weights).interval()

    def ratio(a, b, axis):
        return a.sum(axis=axis) / b.sum(axis=axis)

    reference = stats.bootstrap((a, b), ratio, n_resamples=20000, paired=True, rng=5).confidence_interval
    assert [low, high] == pytest.approx([*reference], abs=0.03 * (reference.high - reference.low))
    lone = replicate_sums(moments[..., :1], np.divide, resampling_weights(1, 10, seed=1))
    assert lone.value == pytest.approx(a[0] / b[0]) and np.isnan(lone.interval()).all()


def test_seeds_are_nested_in_items():
    # Three equal seeds know nothing that one does not know.
    x = np.random.default_rng(7).normal(size=(1, 1, 50))
    weights = resampling_weights(50, 500, seed=1)
    for reduce in CLOSED:
        one, three = replicate(x, reduce, weights), replicate(np.repeat(x, 3, axis=1), reduce, weights)
        assert np.allclose([one.value, *one.interval()], [three.value, *three.interval()])


def test_a_seed_that_is_absent_does_not_count():
    x = np.random.default_rng(8).normal(size=(1, 1, 50))
    padded = np.concatenate([x, np.full_like(x, np.nan)], axis=1)
    weights = resampling_weights(50, 10, seed=1)
    for reduce in CLOSED:
        assert replicate(padded, reduce, weights).value == pytest.approx(replicate(x, reduce, weights).value)


@pytest.mark.parametrize("reduce", CLOSED)
def test_edges(reduce):
    nan = np.nan
    x = methods([nan] * 4, [2, nan, nan, nan], [2, 2, 2, 2], [1, 2, nan, 4])
    result = replicate(x, reduce, resampling_weights(4, 200, seed=1))
    low, high = result.interval()
    assert np.isnan([result.value[0], low[0], high[0]]).all()  # nothing known
    assert np.isnan([low[1], high[1]]).all()  # one item has no interval
    assert low[2] == pytest.approx(result.value[2]) and high[2] == pytest.approx(result.value[2])
    assert low[3] <= result.value[3] <= high[3]
    assert result.value[3] == pytest.approx(CLOSED[reduce](np.array([1, 2, 4])))
    lone = replicate(methods([3.0]), reduce, resampling_weights(1, 10, seed=1))
    assert np.isnan(lone.interval()).all()


def test_failures_count_as_the_worst_value():
    nan = np.nan
    x, worst = methods([1, -1, nan, nan]), methods([nan, nan, 5, 5])
    weights = resampling_weights(4, 10, seed=1)
    assert replicate(x, "rms", weights, worst).value == pytest.approx(np.sqrt((1 + 1 + 25 + 25) / 4))
    assert replicate(x, "mean_abs", weights, worst).value == pytest.approx(3)
    assert replicate(x, "median_abs", weights, worst).value == pytest.approx(3)
    # A method that always fails must not look precise for failing alike.
    assert replicate(methods([nan] * 4), "sd", weights, methods([5] * 4)).value > 5


def test_percentiles_are_values_that_occur():
    resampled = np.array([[1.0, 1, 2], [2, 3, 2], [4, np.inf, 2], [8, np.inf, 2]])
    low, high = percentiles(np.array([2.0, 3, 5]), resampled, level=0.5)
    assert list(low) == [1, 1, 2] and list(high) == [4, np.inf, 5]  # widened to hold the value itself
    assert np.isnan(percentiles(np.array([1.0]), np.full((4, 1), np.nan))).all()


def test_ranks_and_their_intervals():
    rng = np.random.default_rng(9)
    common = rng.normal(size=400)
    errors = methods(common, 0.99 * common + 0.1 * rng.normal(size=400), 3 * common, np.full(400, np.nan))
    rank, low, high = ranks(replicate(errors, "rms", resampling_weights(400, 500, seed=1)))
    assert sorted(rank[:2]) == [1, 2] and rank[2] == 3 and np.isnan(rank[3])
    assert (low[0], high[0], low[1], high[1]) == (1, 2, 1, 2)  # these two cannot be told apart
    assert (low[2], high[2]) == (3, 3)
    assert np.isnan([low[3], high[3]]).all()


def test_equal_methods_share_a_rank():
    x = np.random.default_rng(10).normal(size=50)
    rank, *_ = ranks(replicate(methods(x, x, 2 * x), "rms", resampling_weights(50, 100, seed=1)))
    assert list(rank) == [1, 1, 3]


def test_paired_differences():
    rng = np.random.default_rng(11)
    good = rng.normal(size=300)
    x = methods(good, 1.1 * good, good, np.full(300, np.nan))
    replicates = replicate(x, "rms", resampling_weights(300, 1000, seed=1))
    table = paired_differences(replicates, np.abs(x[:, 0]), ["good", "bad", "same", "none"])
    table = table.set_index(["method_a", "method_b"])
    better = table.loc["good", "bad"]
    # Pairing: the interval excludes 0, though those of the two methods overlap.
    assert better.ci_low < better.difference < better.ci_high < 0
    low, high = replicates.interval()
    assert high[0] > low[1]
    assert better.p_holm < 1e-10
    equal = table.loc["good", "same"]
    assert (equal.difference, equal.ci_low, equal.ci_high, equal.p_holm) == (0, 0, 0, 1)
    assert np.isnan(table.loc["good", "none"].p_holm) and table.loc["good", "none"].n_items == 0


def test_holm_is_not_less_than_the_single_test():
    rng = np.random.default_rng(12)
    x = rng.normal(size=(5, 1, 40))
    table = paired_differences(replicate(x, "rms", resampling_weights(40, 50, 1)), np.abs(x[:, 0]), list("abcde"))
    single = stats.wilcoxon(np.abs(x[0, 0]), np.abs(x[1, 0])).pvalue
    assert single <= table.p_holm[0] <= min(1, 10 * single)


def test_the_same_seed_gives_the_same_weights():
    a, b, c = (resampling_weights(20, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert (a.sum(axis=1) == 20).all()
