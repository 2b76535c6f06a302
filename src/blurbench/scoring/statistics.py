"""Bootstrap within the cells of the design, ranks and paired differences, for all methods at once.

Almost every published number is a function of sums over items, so one matrix product of resampling weights and item
moments gives all replicates of all methods. `scipy.stats.bootstrap` gathers resampled copies of the data instead,
which for 28 methods, 7000 items and 14 metrics means gigabytes and minutes, and it knows no cells. All methods share
the resamples, so the same replicates serve intervals, tests, ranks, ratios and paired differences.

Items are drawn within the cells of the design, n - 1 of the n of a cell, each with the weight n / (n - 1): so the
variance is right however few a cell holds, where n of n would give (n - 1) / n of it, of two items a half (Rao and Wu
1988, J. Am. Stat. Assoc. 83:231). Training seeds, three or more, are an outer level drawn likewise. Replicates tell
how large the standard error is, and the interval is Student's, on the scale of the number's logarithm where it is a
size or a spread, whose law is skewed; its degrees of freedom are those of the cells and seeds that bear on it
(Satterthwaite 1946, Biometrics Bull. 2:110), as the jackknife tells. That of a quantile is inconsistent: how far a unit
moves it is told to first order, by how much of the unit lies below the quantiles of the resamples. Percentiles of the
replicates, BCa included, cover too rarely with few items, and cannot reach beyond the training seeds at hand.

Items are clusters where they share what makes them differ, as the images of one scene in all cells of the design: a
cluster is drawn as a whole, and counts once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

LEVEL = 0.95
FEWEST = 8  # items behind an interval: from here on those of skewed values, too, cover in nine cases of ten
SEEDS = 3  # fewer say next to nothing of how training seeds differ
ROUNDING = 1e-12  # of a standard error relative to its number
NUMBERS = ("value", "resampled", "left_out", "seed_left_out")  # of `Replicates`, each by method


class Resampling(NamedTuple):
    """How much each item, and each training seed, weighs in each of b resamples.

    items : (b, c), by cluster; an item that shares nothing with others is a cluster of its own
    cells : int (c,), the cell of each cluster, from 0
    seeds : (b, s); s is 0 where seeds are no level of their own
    clusters : int (n,), the cluster of each item
    fewest : clusters behind an interval
    """

    items: np.ndarray
    cells: np.ndarray
    seeds: np.ndarray
    clusters: np.ndarray
    fewest: int = FEWEST

    def take(self, items) -> "Resampling":
        """The same resamples of some whole cells, given as a mask or an index of their items."""
        kept, clusters = np.unique(self.clusters[items], return_inverse=True)
        cells = np.unique(self.cells[kept], return_inverse=True)[1]
        return Resampling(self.items[:, kept], cells, self.seeds, clusters, self.fewest)

    def summed(self, moments) -> np.ndarray:
        """Sums (..., c) over the items of each cluster, of numbers (..., n)."""
        if np.array_equal(self.clusters, np.arange(len(self.clusters))):
            return moments
        member = self.clusters[:, None] == np.arange(len(self.cells))
        return moments @ member.astype(float)


def resampling(cells, resamples, seed, seeds=1, clusters=None, fewest=FEWEST) -> Resampling:
    """Resamples of items within their cells, and of training seeds.

    Parameters
    ----------
    cells : (n,), what the items of a cell have in common; or a number of items, all of one cell. Where a cell holds a
        single item, which says nothing of the scatter within it, all are one cell
    resamples : how many
    seed : of the random numbers
    seeds : training seeds of a method that has all of them; fewer than SEEDS are not resampled
    clusters : (n,), optional, what items that are drawn together have in common; clusters whose items lie in the same
        cells make a cell
    fewest : clusters behind an interval, FEWEST where these may be skewed
    """
    cells = np.zeros(cells, int) if np.ndim(cells) == 0 else np.unique(cells, return_inverse=True)[1]
    clusters = np.arange(len(cells)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    cells = _cells(cells, clusters)
    sizes = np.bincount(cells)
    if sizes.min(initial=2) < 2:
        cells, sizes = np.zeros_like(cells), np.array([len(cells)])
    rng, items = np.random.default_rng([seed, 0]), np.empty((resamples, len(cells)))
    for cell, size in enumerate(sizes):
        items[:, cells == cell] = _weights(rng, size, resamples)
    drawn_seeds = _weights(np.random.default_rng([seed, 1]), seeds if seeds >= SEEDS else 0, resamples)
    return Resampling(items, cells, drawn_seeds, clusters, fewest)


def _cells(cells, clusters):
    """The cell (c,) of each cluster, of the cells (n,) of items."""
    lies_in = np.zeros((clusters.max(initial=-1) + 1, cells.max(initial=0) + 1), bool)
    lies_in[clusters, cells] = True
    return np.unique(lies_in, axis=0, return_inverse=True)[1] if len(clusters) > len(lies_in) else cells


def _weights(rng, n, resamples):
    """Weights (resamples, n) of n - 1 draws from n, of mean 1."""
    if n < 2:
        return np.ones((resamples, n))
    return rng.multinomial(n - 1, np.full(n, 1 / n), size=resamples) * n / (n - 1)


@dataclass(frozen=True)
class Replicates:
    """A statistic of m methods.

    Parameters
    ----------
    value : (m,)
    resampled : (b, m), on b resamples
    left_out : (c, m), with one cluster of items left out; to first order for a quantile
    seed_left_out : (s, m), likewise one training seed; the value where a method's seeds are not resampled
    counted : (m,), how many clusters of items bear on it
    cells : int (c,), the cell of each
    log : whether intervals are symmetric in its logarithm
    fewest : clusters behind an interval
    """

    value: np.ndarray
    resampled: np.ndarray
    left_out: np.ndarray
    seed_left_out: np.ndarray
    counted: np.ndarray
    cells: np.ndarray
    log: bool = False
    fewest: int = FEWEST

    def combine(self, function, other, log=False) -> "Replicates":
        """`function(self, other)`, replicate by replicate: paired differences, ratios; `log` as above."""
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers: dict[str, Any] = {name: function(getattr(self, name), getattr(other, name)) for name in NUMBERS}
        return replace(self, **numbers, counted=np.minimum(self.counted, other.counted), log=log)

    def less(self, other) -> "Replicates":
        """`self - other`, of other items: resamples must be independent, and each unit left out moves one alone."""
        moved: dict[str, Any] = {name: _moved(self, other, name) for name in NUMBERS[2:]}
        cells = np.concatenate([self.cells, other.cells + self.cells.max(initial=-1) + 1])
        value, resampled = self.value - other.value, self.resampled - other.resampled
        enough = (self.counted >= self.fewest) & (other.counted >= other.fewest)
        counted = np.where(enough, self.counted + other.counted, 0)
        return replace(self, value=value, resampled=resampled, **moved, counted=counted, cells=cells, log=False)

    def __getitem__(self, methods) -> "Replicates":
        return replace(self, **{name: getattr(self, name)[..., methods] for name in (*NUMBERS, "counted")})

    def without_scatter(self) -> "Replicates":
        """As if the value were known exactly: of a bound, which no sample is behind."""
        constant: dict[str, Any] = {name: np.broadcast_to(self.value, getattr(self, name).shape) for name in NUMBERS}
        return replace(self, **constant)

    def interval(self, level=LEVEL):
        """(low, high), each (m,); NaN with fewer than `fewest` items, without a value and where nothing scatters."""
        error, freedom = self._error()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            reach = stdtrit(freedom, (1 + level) / 2) * error
            if self.log:
                return self.value * np.exp(-reach), self.value * np.exp(reach)
            return self.value - reach, self.value + reach

    def chance(self, level=LEVEL) -> np.ndarray:
        """In which resamples a value that is 0 would lie beyond its interval, bool (b, m); in none without interval.

        Numbers of the same items do so together.
        """
        error, freedom = self._error()
        return np.abs(_away(self.resampled)[0]) > stdtrit(freedom, (1 + level) / 2) * error

    def p_value(self) -> np.ndarray:
        """Of the test whether the value is 0, two-sided, (m,): below 1 - level where the interval leaves out 0."""
        if self.log:
            raise ValueError("found a number with intervals in its logarithm, expected one that may be 0")
        error, freedom = self._error()
        return 2 * stdtr(freedom, -np.abs(self.value) / error)

    def _error(self):
        """Standard error on the scale of the interval, NaN where there is none, and its degrees of freedom; (m,)."""
        away, n = _away(self._scaled(self.resampled))
        error = np.sqrt((away**2).sum(axis=0) / (n - 1))
        scatters = error > ROUNDING * (1 if self.log else np.abs(self.value))
        printed = (self.counted >= self.fewest) & scatters & np.isfinite(self.value)
        return np.where(printed, error, np.nan), self._freedom()

    def _scaled(self, numbers):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(numbers) if self.log else numbers

    def _freedom(self):
        """Degrees of freedom of the squared standard error, (m,).

        Satterthwaite's, of the jackknife's variances. The cells are small: of the square of a variance v with ν degrees
        of freedom v² ν / (ν + 2) is the unbiased estimate.
        """
        seeds = np.zeros(len(self.seed_left_out), int)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self._scaled(self.value)
            parts = ((self.left_out, self.cells), (self.seed_left_out, seeds))
            found = [_variances(self._scaled(numbers) - value, cells) for numbers, cells in parts]
            variance, freedom = (np.concatenate(part) for part in zip(*found))
            return variance.sum(axis=0) ** 2 / (variance**2 / (freedom + 2)).sum(axis=0) - 2


def _moved(first, second, name):
    """A difference of two statistics with one unit of the first, then of the second left out."""
    return np.concatenate([getattr(first, name) - second.value, first.value - getattr(second, name)])


def _variances(moved, cells):
    """What every cell adds to a statistic's variance, (c, m), and the degrees of freedom (c, 1) of that estimate.

    moved : (n, m), by how much the statistic moves as one of its units is left out
    """
    n = np.bincount(cells)[:, None]
    member = (np.arange(len(n))[:, None] == cells).astype(float)
    spread = np.maximum(member @ moved**2 - (member @ moved) ** 2 / n, 0)
    return n / (n - 1) * (1 - 1 / max(len(cells), 1)) ** 2 * spread, n - 1


def replicate(values, reduce, draws: Resampling, worst=None) -> Replicates:
    """Replicates of one statistic for all methods.

    Parameters
    ----------
    values : (m, s, n) by method, seed and item; NaN does not count
    reduce : a name of REDUCTIONS or QUANTILES
    draws : of `resampling`; its seeds, if it has any, are the s of the values
    worst : (m, s, n), optional: what a failed item counts as, NaN where it did not fail or does not count

    Returns
    -------
    Replicates; NaN where no value counts. Seeds are an outer level for a method that has all of those in `draws`; else
    an item brings the predictions of all its seeds along.
    """
    if reduce in QUANTILES:
        transform, share, log = QUANTILES[reduce]
        counted = transform(values if worst is None else np.where(np.isnan(worst), values, worst))
        return _replicate_quantile(counted, share, draws, log)
    transform, function, log = REDUCTIONS[reduce]
    moments = draws.summed(_moments(transform(values), None if worst is None else transform(worst), reduce))
    present = moments[0].any(axis=-1)  # some methods have fewer seeds than others
    pooled = moments.sum(axis=2) / np.maximum(present.sum(axis=1), 1)[:, None]
    found = _replicate_sums(pooled, function, draws, log)
    found.counted[:] = (pooled[0] > 0).sum(axis=-1)
    if (several := draws.seeds.shape[1]) and (seeded := np.flatnonzero(present.all(axis=1))).size:
        runs = moments[:, seeded].swapaxes(1, 2)  # (3, s, m, n)
        sums = [draws.seeds[:, [j]] * (draws.items @ runs[:, j].swapaxes(1, 2)) for j in range(several)]
        totals = runs.sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.resampled[:, seeded] = function(*(sum(sums) / several))
            found.seed_left_out[:, seeded] = function(*(totals.sum(axis=1, keepdims=True) - totals) / (several - 1))
    return found


def replicate_sums(moments, function, draws: Resampling, log=False) -> Replicates:
    """Replicates of any function of sums over items, such as a ratio of two.

    Parameters
    ----------
    moments : (k, m, n), k numbers of each item by method
    function : of k arrays (..., m), the sums over items; it may return another number of columns than m
    draws : of `resampling`, whose seeds play no part
    log : whether intervals are to be symmetric in the logarithm
    """
    return _replicate_sums(draws.summed(moments), function, draws, log)


def _replicate_sums(moments, function, draws, log):
    """Likewise of the sums (k, m, c) over each cluster."""
    total = moments.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = function(*total)
        resampled = function(*(draws.items @ moments.swapaxes(1, 2)))
        left_out = function(*(total[..., None] - moments).swapaxes(1, 2))
    seeds = np.tile(value, (draws.seeds.shape[1], 1))
    counted = np.full(len(value), len(draws.cells))
    return Replicates(value, resampled, left_out, seeds, counted, draws.cells, log, draws.fewest)


def _moments(values, worst, reduce):
    """Of every item and seed: whether it counts, the value, its square; (3, m, s, n)."""
    first, second = values, values**2
    if worst is not None:
        failed = ~np.isnan(worst)
        first, second = np.where(failed, (worst, worst**2), (first, second))
        if reduce == "sd":  # the sign of a failure is unknown: it adds to the spread and not to the mean
            first = np.where(failed, 0, first)
        if reduce == "bias":  # it takes the side of the other errors, lest it hide a bias
            side = np.where(np.nansum(values, axis=(1, 2), keepdims=True) < 0, -1, 1)
            first = np.where(failed, side * first, first)
    counts = np.isfinite(first) & np.isfinite(second)
    return np.stack([np.where(counts, x, 0) for x in (np.ones_like(values), first, second)])


def _mean(n, first, second):
    return first / n


def _sd(n, first, second):
    squares = second - first**2 / n
    squares = np.where(squares > 1e-12 * second, squares, 0)  # equal values leave nothing but rounding
    return np.sqrt(squares / np.where(n > 1, n - 1, np.nan))


def _same(x):
    return x


# Transform of the item values, function of (number, sum, sum of squares), whether intervals are in the logarithm.
REDUCTIONS: dict[str, tuple[Callable, Callable, bool]] = {
    "mean": (_same, _mean, False),
    "bias": (_same, _mean, False),  # a mean of signed errors
    "mean_abs": (np.abs, _mean, True),
    "rms": (_same, lambda n, first, second: np.sqrt(second / n), True),
    "sd": (_same, _sd, True),
}
# Transform of the item values, the share of them that lies below, whether intervals are in the logarithm.
QUANTILES: dict[str, tuple[Callable, float, bool]] = {
    "median": (_same, 0.5, False),
    "median_abs": (np.abs, 0.5, True),
    "quartile_1": (_same, 0.25, False),
    "quartile_3": (_same, 0.75, False),
}


def _replicate_quantile(values, share, draws, log):
    value, resampled = np.full(len(values), np.nan), np.full((len(draws.items), len(values)), np.nan)
    counted = (draws.summed(np.isfinite(values).any(axis=1)) > 0).sum(axis=-1)
    several = draws.seeds.shape[1]
    under = [np.zeros((units, len(values))) for units in (len(draws.cells), several)]
    for m, runs in enumerate(values):
        seed, item = np.nonzero(np.isfinite(runs))
        if not len(item):
            continue
        x = runs[seed, item]
        value[m] = np.quantile(x, share, method="averaged_inverted_cdf")
        order = np.argsort(x)
        weights = draws.items[:, draws.clusters[item[order]]]
        if seeded := several and len(set(seed)) == several:
            weights = weights * draws.seeds[:, seed[order]]
        cumulated = np.cumsum(weights, axis=1)
        below = cumulated[:, -1:] * share * [1 - ROUNDING, 1 + ROUNDING]
        lower, upper = (x[order][np.argmax(cumulated >= below[:, [end]], axis=1)] for end in (0, 1))
        resampled[:, m] = np.where(cumulated[:, -1] > 0, (lower + upper) / 2, np.nan)
        passed = [np.searchsorted(np.sort(resampled[:, m]), x, side) for side in ("left", "right")]
        lies_under = 1 - np.mean(passed, axis=0) / len(resampled)  # in how many of the resamples
        under[0][:, m] = np.bincount(draws.clusters[item], lies_under, len(draws.cells))
        if seeded:
            under[1][:, m] = np.bincount(seed, lies_under, several)
    parts = list(zip(under, (draws.cells, np.zeros(several, int))))
    left_out, seed_left_out = _left_out(value, resampled, parts, log)
    return Replicates(value, resampled, left_out, seed_left_out, counted, draws.cells, log, draws.fewest)


def _left_out(value, resampled, parts, log):
    """A quantile (m,) with one unit left out, to first order: it rises by what lay under it.

    The scale of that is the density, which is not known: the units together are given the variance of the resamples.

    Parameters
    ----------
    resampled : (b, m)
    parts : of items and of seeds, how much of each unit lies under the quantile, (u, m), and the cells of the units
    log : whether it rises on the scale of its logarithm
    """
    moved = []
    for under, cells in parts:
        member = (np.arange(cells.max(initial=-1) + 1)[:, None] == cells).astype(float)
        mean = member @ under / member.sum(axis=1, keepdims=True)
        moved.append((under - mean[cells]) / (1 - 1 / max(len(cells), 2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        away, n = _away(np.log(resampled) if log else resampled)
        variance = sum(np.nansum(_variances(one, cells)[0], axis=0) for one, (_, cells) in zip(moved, parts))
        scale = np.where(variance > 0, np.sqrt((away**2).sum(axis=0) / (n - 1) / variance), 0)
    return [value * np.exp(scale * one) if log else value + scale * one for one in moved]


def _away(resampled):
    """Replicates (b, m) less their mean, 0 where there is none, and how many there are, (m,)."""
    known = np.isfinite(resampled)
    n = np.maximum(known.sum(axis=0), 2)
    resampled = np.where(known, resampled, 0)
    return np.where(known, resampled - resampled.sum(axis=0) / n, 0), n


def percentiles(value, resampled, level=LEVEL):
    """Percentile interval of what has no neighbours to interpolate to: ranks, or sizes of which one is "none".

    Parameters
    ----------
    value : (...,)
    resampled : (b, ...); NaN makes the interval NaN

    Returns
    -------
    low, high : (...,), each one of the resampled values, widened if need be to hold the value itself
    """
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(resampled, ends, axis=0, method="inverted_cdf")
    return np.minimum(low, value), np.maximum(high, value)


def ranks(badness: Replicates, level=LEVEL):
    """Rank of each method, 1 is the best, and the interval of its rank over the resamples: three arrays (m,).

    Ties share the better rank. NaN for a method whose value is NaN; the interval also where there are fewer than FEWEST
    items in all.
    """
    from scipy.stats import rankdata  # half a second that no figure waits for

    known = np.isfinite(badness.value)
    rank, low, high = np.full((3, len(known)), np.nan)
    if known.any():
        resampled = np.nan_to_num(badness.resampled[:, known], nan=np.inf)
        rank[known] = rankdata(badness.value[known], method="min")
        if len(badness.cells) >= FEWEST:
            low[known], high[known] = percentiles(rank[known], rankdata(resampled, method="min", axis=1), level)
    return rank, low, high


def paired_differences(first: Replicates, second: Replicates, tested) -> pd.DataFrame:
    """Pairs of methods compared on the same items.

    Parameters
    ----------
    first, second : the statistic of one method and of the other of every pair, (p,) each, of the same resamples
    tested : bool (p,), the family of tests

    Returns
    -------
    DataFrame: difference (first less second), ci_low, ci_high, p_holm (of the test whether that difference is 0, Holm
    over the family; NaN outside of it, and where there is no interval), n_items.
    """
    from statsmodels.stats.multitest import multipletests  # with scipy.stats

    difference = first.combine(np.subtract, second)
    low, high = difference.interval()
    p = np.where(tested, difference.p_value(), np.nan)
    if (family := np.isfinite(p)).any():
        p[family] = multipletests(p[family], method="holm")[1]
    columns = {"difference": difference.value, "ci_low": low, "ci_high": high, "p_holm": p}
    return pd.DataFrame({**columns, "n_items": difference.counted})
