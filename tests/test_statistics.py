"""Bootstrap, ranks and paired differences: closed forms, SciPy, coverage by simulation, edges."""

import warnings

import numpy as np
import pytest
from scipy import stats

from blurbench.scoring.statistics import (
    FEWEST,
    QUANTILES,
    paired_differences,
    percentiles,
    ranks,
    replicate,
    replicate_sums,
    resampling,
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
    "bias": np.mean,
    "mean_abs": lambda x: np.mean(np.abs(x)),
    "rms": lambda x: np.sqrt(np.mean(x**2)),
    "sd": lambda x: np.std(x, ddof=1),
    "median": np.median,
    "median_abs": lambda x: np.median(np.abs(x)),
    "quartile_1": lambda x: np.quantile(x, 0.25, method="averaged_inverted_cdf"),
    "quartile_3": lambda x: np.quantile(x, 0.75, method="averaged_inverted_cdf"),
}


@pytest.mark.parametrize("reduce", CLOSED)
def test_value_and_leave_one_out_are_the_closed_form(reduce):
    x = np.random.default_rng(1).normal(0.3, 1, 30)
    result = replicate(methods(x), reduce, resampling(30, 10, seed=1))
    assert result.value[0] == pytest.approx(CLOSED[reduce](x))
    if reduce not in QUANTILES:
        assert result.left_out[:, 0] == pytest.approx([CLOSED[reduce](np.delete(x, i)) for i in range(30)])


@pytest.mark.parametrize("reduce", CLOSED)
def test_replicates_are_the_statistic_of_resampled_items(reduce):
    x = np.random.default_rng(2).normal(0.3, 1, 25)
    draws = resampling(25, 40, seed=3)
    times = np.rint(draws.items * 24 / 25).astype(int)  # 24 of the 25 items are drawn
    assert (times.sum(axis=1) == 24).all()
    statistic = CLOSED[reduce]
    if reduce == "sd":  # of weights that sum to 25
        statistic = lambda x: np.sqrt(np.var(x) * 25 / 24)  # noqa: E731
    resampled = [statistic(np.repeat(x, row)) for row in times]
    assert replicate(methods(x), reduce, draws).resampled[:, 0] == pytest.approx(resampled)


def test_interval_of_a_mean_is_that_of_students_t():
    x = np.random.default_rng(4).normal(size=(3, 12))
    low, high = replicate(methods(*x), "mean", resampling(12, 40000, seed=1)).interval()
    for row, found in zip(x, zip(low, high)):
        # The standard error of 40,000 resamples is known to 1 / sqrt(80,000), twice that with their kurtosis.
        expected = stats.ttest_1samp(row, 0).confidence_interval()
        assert found == pytest.approx([*expected], abs=0.02 * (expected.high - expected.low))


@pytest.mark.parametrize("reduce", ["rms", "sd", "mean_abs"])
def test_interval_of_a_size_is_symmetric_in_its_logarithm_with_scipys_standard_error(reduce):
    x = np.random.default_rng(4).normal(0.5, 1, size=60)
    found = replicate(methods(x), reduce, resampling(60, 20000, seed=1))
    (low,), (high,) = found.interval()
    assert low * high == pytest.approx(found.value[0] ** 2)

    def statistic(a, axis):
        size = {"rms": np.mean(a**2, axis), "sd": np.var(a, axis), "mean_abs": np.mean(np.abs(a), axis) ** 2}[reduce]
        return np.log(size) / 2

    reference = stats.bootstrap((x,), statistic, n_resamples=20000, method="percentile", rng=5).standard_error
    expected = reference * np.sqrt(60 / 59) * stats.t(59).ppf(0.975)  # SciPy draws 60 of 60
    # Two standard errors of 20,000 resamples each, and of the order 1 / n in which the two schemes differ.
    assert np.log(high / low) / 2 == pytest.approx(expected, rel=0.03)


def test_a_stratified_mean_has_the_textbook_error():
    """Cochran 1977, eq. 5.12 and 5.16, with cells of unequal size and scatter."""
    rng, sizes = np.random.default_rng(15), np.array([2, 3, 5, 20])
    cells = np.repeat(np.arange(4), sizes)
    x = rng.normal(10 * cells, 1 + cells)
    draws = resampling(cells, 40000, seed=1)
    for cell in range(4):  # nothing passes from one cell to another
        assert draws.items[:, cells == cell].sum(axis=1) == pytest.approx(np.full(40000, sizes[cell]))
    found = replicate(methods(x), "mean", draws)
    variance = np.array([x[cells == cell].var(ddof=1) for cell in range(4)])
    parts = (sizes / 30) ** 2 * variance / sizes
    assert found.resampled.std() == pytest.approx(np.sqrt(parts.sum()), rel=0.015)  # 3 / sqrt(80,000)
    freedom = parts.sum() ** 2 / (parts**2 / (sizes + 1)).sum() - 2
    (low,), (high,) = found.interval()
    assert (high - low) / 2 == pytest.approx(stats.t(freedom).ppf(0.975) * np.sqrt(parts.sum()), rel=0.015)


def test_a_cell_of_one_item_makes_all_one_cell():
    cells = [0, 0, 1, 2, 2, 2, 2, 2, 2]
    assert (resampling(cells, 5, 1).cells == 0).all()
    assert np.array_equal(resampling(cells, 5, 1).items, resampling(9, 5, 1).items)


def test_some_whole_cells_keep_their_resamples():
    draws = resampling([0, 1, 0, 1, 2, 2], 50, 1)
    part = draws.take(np.array([False, True, False, True, True, True]))
    assert list(part.cells) == [0, 0, 1, 1] and np.array_equal(part.items, draws.items[:, [1, 3, 4, 5]])


def test_clusters_are_drawn_as_one():
    """Items in cells by scene: as if the sums of each scene were the items; the order of items does not matter."""
    rng = np.random.default_rng(30)
    x, scenes, cells = rng.normal(size=(10, 4)), *np.indices((10, 4))
    mixed = rng.permutation(40)
    found = replicate(
        methods(x.ravel()[mixed]), "mean", resampling(cells.ravel()[mixed], 500, 1, clusters=scenes.ravel()[mixed])
    )
    expected = replicate(methods(x.mean(axis=1)), "mean", resampling(10, 500, 1))
    np.testing.assert_allclose(found.resampled, expected.resampled)
    np.testing.assert_allclose(found.interval(), expected.interval())
    assert found.counted == 10


def test_clusters_of_the_same_cells_make_a_cell():
    draws = resampling([0, 1, 0, 1, 2, 2, 2], 20, 1, clusters=[5, 5, 6, 6, 7, 8, 9])
    assert np.array_equal(draws.cells == draws.cells[0], [True, True, False, False, False])
    part = draws.take(np.array([True, False, True, False, False, False, False]))  # a cell of the design
    assert np.array_equal(part.items, draws.items[:, :2]) and np.array_equal(part.clusters, [0, 1])


@pytest.mark.parametrize("reduce", ["mean", "median"])
@pytest.mark.parametrize("n", [10, 24])
def test_intervals_cover_where_every_cell_shows_the_same_scenes(reduce, n):
    """Seven cells of the same scenes, whose own part has four times the variance of the rest."""
    rng = np.random.default_rng([31, n])
    x = 2 * rng.normal(size=(MANY, n, 1)) + rng.normal(size=(MANY, n, 7))
    scenes, cells = (index.ravel() for index in np.indices((n, 7)))
    covered = []
    for clusters in (scenes, None):
        draws = resampling(cells, 600, 2, clusters=clusters)
        low, high = replicate(x.reshape(MANY, 1, -1), reduce, draws).interval()
        covered.append(np.mean((low < 0) & (high > 0)))
    # Bounds of the other tests; without clusters the variance of the mean is taken for 0.17 of what it is.
    assert 0.90 <= covered[0] <= 0.98 and covered[1] < 0.75


MANY = 2000  # data sets in the place of methods: 0.005 is the standard error of a coverage of 0.95
LAWS = {"normal": (lambda rng, size: rng.normal(size=size), 1.0)}
LAWS["t5"] = (lambda rng, size: rng.standard_t(5, size=size), np.sqrt(5 / 3))


def coverage(x, reduce, truth, cells, seeds=1):
    low, high = replicate(x, reduce, resampling(cells, 400, 1, seeds)).interval()
    return np.isfinite(low).mean(), np.mean((low <= truth) & (truth <= high))


@pytest.mark.parametrize("cells", [2, FEWEST, 20, 100, np.arange(32) % 16, np.arange(128) % 64], ids=np.size)
def test_intervals_cover_the_truth_as_often_as_they_say(cells):
    """At 2, 8, 20 and 100 items, in 16 and 64 cells of two: 92 to 97 % for normal errors wherever one is printed."""
    n = cells if np.ndim(cells) == 0 else len(cells)
    x = np.random.default_rng(6).normal(size=(MANY, 1, n))
    shift = np.zeros(n) if np.ndim(cells) == 0 else np.linspace(-2, 2, 16)[cells % 16]  # cells that differ
    for reduce, truth in (("mean", shift.mean()), ("rms", np.sqrt(1 + np.mean(shift**2)))):
        printed, covered = coverage(x + shift, reduce, truth, cells)
        assert printed == (n >= FEWEST)
        assert not printed or 0.92 <= covered <= 0.97, reduce


@pytest.mark.parametrize(("n", "lowest"), [(FEWEST, 0.87), (20, 0.86), (100, 0.88)])
def test_coverage_for_heavy_tails_is_what_the_documents_say(n, lowest):
    """t with 5 degrees of freedom: no estimate of an RMS from few items knows of the tail that it has not met."""
    x = np.random.default_rng(7).standard_t(5, size=(MANY, 1, n))
    assert 0.94 <= coverage(x, "mean", 0, n)[1] <= 0.97
    assert lowest <= coverage(x, "rms", np.sqrt(5 / 3), n)[1] <= 0.93


TRUE = {"median": 0.0, "median_abs": 0.6745, "quartile_1": -0.6745, "quartile_3": 0.6745}  # of a normal variable


@pytest.mark.parametrize("reduce", QUANTILES)
@pytest.mark.parametrize("n", [FEWEST, 20, 100])
def test_intervals_of_quantiles_cover(reduce, n):
    x = np.random.default_rng(8).normal(size=(400, 1, n))
    printed, covered = coverage(x, reduce, TRUE[reduce], n)
    assert printed == 1 and 0.92 <= covered <= 0.99


@pytest.mark.parametrize("reduce", ["median", "quartile_1"])
@pytest.mark.parametrize(("cells", "size"), [(3, 3), (5, 2)])
def test_intervals_of_quantiles_cover_where_cells_differ(cells, size, reduce):
    """Cells far apart: the few items of one or two of them say all of a quantile, and of how well it is known."""
    rng, shift = np.random.default_rng([32, cells]), np.linspace(-3, 3, cells)
    truth = np.quantile(rng.normal(size=(40000, cells)) + shift, QUANTILES[reduce][1])
    of = np.repeat(np.arange(cells), size)
    printed, covered = coverage(rng.normal(size=(400, 1, of.size)) + shift[of], reduce, truth, of)
    # With the degrees of freedom of all items 0.80 to 0.89 would hold it. Three standard errors are 0.036.
    assert printed == 1 and 0.90 <= covered <= 0.99


def test_a_quantile_has_the_degrees_of_freedom_of_the_cells_that_bear_on_it():
    x, cells = np.random.default_rng(33).normal(size=9), np.repeat([0, 1, 2], 3)
    found = replicate(methods(x + 100 * cells), "median", resampling(cells, 4000, 1))  # of the middle one's three
    (low,), (high,) = found.interval()
    assert (high - low) / 2 == pytest.approx(stats.t(2).ppf(0.975) * found.resampled.std(ddof=1), rel=0.01)
    seeds = np.array([-1.0, 0.0, 1.5])[:, None] + 0.001 * np.random.default_rng(34).normal(size=(3, 50))
    found = replicate(seeds[None], "median", resampling(50, 4000, 1, seeds=3))  # and of three training seeds
    (low,), (high,) = found.interval()
    assert (high - low) / 2 == pytest.approx(stats.t(2).ppf(0.975) * found.resampled.std(ddof=1), rel=0.01)


@pytest.mark.parametrize("sd", [0.0, 0.02, 0.05])
def test_intervals_over_training_seeds_cover(sd):
    """Three seeds whose errors differ in size by that much; of items alone, 73 % would hold the truth at 3 %."""
    rng = np.random.default_rng(9)
    items, own = rng.normal(size=(800, 1, 300)), rng.normal(size=(800, 3, 300))
    x = (0.9 * items + np.sqrt(0.19) * own) * (1 + sd * rng.normal(size=(800, 3, 1)))
    assert 0.92 <= coverage(x, "rms", np.sqrt(1 + sd**2), 300, seeds=3)[1] <= 0.98


def test_p_values_are_uniform_where_there_is_no_difference():
    """Two methods with errors of one size, in cells of two: the test of the difference of their RMS."""
    x = np.random.default_rng(10).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=(MANY, 64))
    draws = resampling(np.arange(64) % 32, 400, 1)
    a, b = (replicate(x[:, None, :, k], "rms", draws) for k in (0, 1))
    p = paired_differences(a, b, np.zeros(MANY, bool)).assign(p=a.combine(np.subtract, b).p_value())
    assert 0.03 <= np.mean(p.p < 0.05) <= 0.08
    assert ((p.p < 0.05) == ((p.ci_low > 0) | (p.ci_high < 0))).all()  # the test and the interval agree


def test_a_ratio_of_sums_is_that_of_resampled_items():
    a, b = np.random.default_rng(13).gamma(2, size=(2, 3, 20))  # three ratios, and their mean as a fourth statistic
    draws = resampling(20, 30, seed=3)

    def ratios(a, b):
        ratio = a / b
        return np.concatenate([ratio, ratio.mean(axis=-1, keepdims=True)], axis=-1)

    def of(items):
        return ratios(a[:, items].sum(axis=1), b[:, items].sum(axis=1))

    result = replicate_sums(np.stack([a, b]), ratios, draws)
    items = np.arange(20)
    np.testing.assert_allclose(result.value, of(items))
    np.testing.assert_allclose(
        result.resampled, [of(np.repeat(items, np.rint(row * 19 / 20).astype(int))) for row in draws.items]
    )
    np.testing.assert_allclose(result.left_out, [of(np.delete(items, i)) for i in items])


def test_error_of_a_ratio_agrees_with_scipy():
    a, b = np.random.default_rng(14).gamma(2, size=(2, 60))
    moments, draws = np.stack([a, b])[:, None], resampling(60, 20000, seed=1)
    (low,), (high,) = replicate_sums(moments, np.divide, draws).interval()

    def ratio(a, b, axis):
        return a.sum(axis=axis) / b.sum(axis=axis)

    error = stats.bootstrap((a, b), ratio, n_resamples=20000, paired=True, method="percentile", rng=5).standard_error
    assert (high - low) / 2 == pytest.approx(error * np.sqrt(60 / 59) * stats.t(59).ppf(0.975), rel=0.03)
    lone = replicate_sums(moments[..., :1], np.divide, resampling(1, 10, seed=1))
    assert lone.value == pytest.approx(a[0] / b[0]) and np.isnan(lone.interval()).all()


def test_equal_seeds_know_nothing_that_one_does_not_know():
    x = np.random.default_rng(7).normal(size=(1, 1, 50))
    for reduce in CLOSED:
        one = replicate(x, reduce, resampling(50, 500, seed=1))
        for seeds in (1, 3):  # not resampled, and resampled
            three = replicate(np.repeat(x, 3, axis=1), reduce, resampling(50, 500, seed=1, seeds=seeds))
            assert np.allclose([one.value, *one.interval()], [three.value, *three.interval()])


def test_seeds_are_an_outer_level_only_where_there_are_three():
    """Seeds that differ by far more than items: the interval is that of the mean of three numbers, or is too short."""
    rng = np.random.default_rng(8)
    x = 10.0 * np.arange(3)[None, :, None] + 0.01 * rng.normal(size=(1, 3, 200))
    (low,), (high,) = replicate(x, "mean", resampling(200, 20000, 1, seeds=3)).interval()
    # Standard deviation 10, two degrees of freedom; the resamples' own error is 0.5 %.
    assert (high - low) / 2 == pytest.approx(10 / np.sqrt(3) * stats.t(2).ppf(0.975), rel=0.02)
    for two in (x[:, :2], np.concatenate([x[:, :2], np.full((1, 1, 200), np.nan)], axis=1)):
        (low,), (high,) = replicate(two, "mean", resampling(200, 500, 1, seeds=two.shape[1])).interval()
        assert high - low < 0.01


def test_a_seed_that_is_absent_does_not_count():
    x = np.random.default_rng(8).normal(size=(1, 1, 50))
    padded = np.concatenate([x, np.full_like(x, np.nan)], axis=1)
    draws = resampling(50, 10, seed=1)
    for reduce in CLOSED:
        assert replicate(padded, reduce, draws).value == pytest.approx(replicate(x, reduce, draws).value)


@pytest.mark.parametrize("reduce", CLOSED)
def test_edges(reduce):
    nan, n = np.nan, FEWEST + 1
    known = np.arange(1.0, n)
    x = methods([nan] * n, [2, *[nan] * (n - 1)], [2] * n, [nan, *known], [nan, nan, *known[1:]])
    result = replicate(x, reduce, resampling(n, 200, seed=1))
    low, high = result.interval()
    assert np.isnan([result.value[0], low[0], high[0]]).all()  # nothing known
    assert np.isnan([low[1], high[1]]).all()  # one item has no interval
    assert np.isnan([low[2], high[2]]).all()  # nothing scatters
    assert low[3] < result.value[3] < high[3]
    assert result.value[3] == pytest.approx(CLOSED[reduce](known))
    assert np.isnan([low[4], high[4]]).all()  # one item too few
    lone = replicate(methods([3.0]), reduce, resampling(1, 10, seed=1))
    assert np.isnan(lone.interval()).all()


def test_failures_count_as_the_worst_value():
    nan = np.nan
    x, worst = methods([1, -1, nan, nan]), methods([nan, nan, 5, 5])
    draws = resampling(4, 10, seed=1)
    assert replicate(x, "rms", draws, worst).value == pytest.approx(np.sqrt((1 + 1 + 25 + 25) / 4))
    assert replicate(x, "mean_abs", draws, worst).value == pytest.approx(3)
    assert replicate(x, "median_abs", draws, worst).value == pytest.approx(3)
    # A method that always fails must not look precise for failing alike.
    assert replicate(methods([nan] * 4), "sd", draws, methods([5] * 4)).value > 5
    # What fails takes the side of the other errors: it must not look like the cure of a bias.
    for side in (-1, 1):
        assert replicate(side * methods([1, 1, nan, nan]), "bias", draws, worst).value == pytest.approx(side * 3)


def test_a_bound_does_not_scatter():
    x = np.random.default_rng(3).normal(size=(2, 1, 50))
    found = replicate(x, "rms", resampling(50, 100, 1))
    bound = found[[1]].without_scatter()
    assert np.isnan(bound.interval()).all()
    ratio = found.combine(np.divide, bound, log=True)
    assert ratio.interval()[0][0] == pytest.approx(found.interval()[0][0] / found.value[1])


def test_percentiles_are_values_that_occur():
    resampled = np.array([[1.0, 1, 2], [2, 3, 2], [4, np.inf, 2], [8, np.inf, 2]])
    low, high = percentiles(np.array([2.0, 3, 5]), resampled, level=0.5)
    assert list(low) == [1, 1, 2] and list(high) == [4, np.inf, 5]  # widened to hold the value itself
    assert np.isnan(percentiles(np.array([1.0]), np.full((4, 1), np.nan))).all()


def test_ranks_and_their_intervals():
    rng = np.random.default_rng(9)
    common = rng.normal(size=400)
    errors = methods(common, 0.99 * common + 0.1 * rng.normal(size=400), 3 * common, np.full(400, np.nan))
    rank, low, high = ranks(replicate(errors, "rms", resampling(400, 500, seed=1)))
    assert sorted(rank[:2]) == [1, 2] and rank[2] == 3 and np.isnan(rank[3])
    assert (low[0], high[0], low[1], high[1]) == (1, 2, 1, 2)  # these two cannot be told apart
    assert (low[2], high[2]) == (3, 3)
    assert np.isnan([low[3], high[3]]).all()


def test_equal_methods_share_a_rank():
    x = np.random.default_rng(10).normal(size=50)
    rank, *_ = ranks(replicate(methods(x, x, 2 * x), "rms", resampling(50, 100, seed=1)))
    assert list(rank) == [1, 1, 3]


def test_paired_differences():
    rng = np.random.default_rng(11)
    good = rng.normal(size=300)
    x = methods(good, 1.1 * good + 0.05 * rng.normal(size=300), good, np.full(300, np.nan))
    found = replicate(x, "rms", resampling(300, 1000, seed=1))
    table = paired_differences(found[[0, 0, 0]], found[[1, 2, 3]], [True, True, True])
    # Pairing: the interval excludes 0, though those of the two methods overlap.
    assert table.ci_low[0] < table.difference[0] < table.ci_high[0] < 0
    low, high = found.interval()
    assert high[0] > low[1]
    assert table.p_holm[0] < 1e-8
    assert table.difference[1] == 0 and np.isnan(table.p_holm[1])  # of two that answer alike there is no test
    assert np.isnan(table.p_holm[2]) and table.n_items[2] == 0


def test_holm_is_over_the_family_alone():
    x = np.random.default_rng(12).normal(size=(5, 1, 40))
    found = replicate(x, "rms", resampling(40, 200, 1))
    a, b = np.triu_indices(5, k=1)
    family = b == 4
    table = paired_differences(found[a], found[b], family)
    p = found[a].combine(np.subtract, found[b]).p_value()
    order = np.sort(p[family])
    holm = np.minimum(np.maximum.accumulate(order * [4, 3, 2, 1]), 1)
    assert np.sort(table.p_holm[family]) == pytest.approx(holm) and table.p_holm[~family].isna().all()


def test_the_same_seed_gives_the_same_resamples():
    a, b, c = (resampling(20, 5, seed, seeds=4) for seed in (1, 1, 2))
    assert np.array_equal(a.items, b.items) and np.array_equal(a.seeds, b.seeds)
    assert not np.array_equal(a.items, c.items) and not np.array_equal(a.seeds, c.seeds)
    assert a.items.sum(axis=1) == pytest.approx(20) and a.seeds.sum(axis=1) == pytest.approx(4)
