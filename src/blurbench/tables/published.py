"""The published table of a problem: means with intervals, and ranks, under every condition."""

from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd

from blurbench.scoring.scores import OK, RANKED, Scores
from blurbench.scoring.statistics import ranks, replicate, resampling_weights
from blurbench.tables.settings import Settings

COLUMNS = (
    "problem dataset condition method kind metric unit direction mean ci_low ci_high n_items n_seeds n_failed "
    "rank rank_low rank_high"
).split()


def table(problem, scores: list[Scores], numbers, given: Settings) -> pd.DataFrame:
    """Published table, one row per dataset, condition, method and published number, with the columns COLUMNS.

    `mean` is the number over the items that did not fail, its interval is a 95 % BCa bootstrap over items. `n_items`
    counts the items of the condition, `n_failed` the failed predictions (items times seeds). The rank is among learned
    and classical methods, a failed item counting as the worst value there; other kinds have none.

    Parameters
    ----------
    problem : its name
    scores : of all its datasets
    numbers : those of `metrics.numbers` that the table holds
    """
    weights = cache(lambda n: resampling_weights(n, given.resamples, given.seed))
    parts = []
    for whole in scores:
        for condition, subset in [("all", whole), *_conditions(whole)]:
            for metric, number in numbers:
                if metric.name in subset.values and not (number.fixed_condition and condition == "all"):
                    rows = _rows(subset, metric, number, weights(len(subset.items)))
                    parts.append(rows.assign(problem=problem, dataset=whole.dataset, condition=condition))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _conditions(scores):
    """(name, scores) of every value of every condition, and of every combination of values that occurs."""
    columns = sorted(scores.items)
    for chosen in (c for n in range(1, len(columns) + 1) for c in combinations(columns, n)):
        table = scores.items[list(chosen)]
        for values in table.drop_duplicates().sort_values(list(chosen)).itertuples(index=False):
            name = ", ".join(f"{column}={value:g}" for column, value in zip(chosen, values))
            yield name, scores.take((table == list(values)).all(axis=1).to_numpy())


def _rows(scores, metric, number, weights):
    """The rows of one published number under one condition, and of its ratios to the limits."""
    values = scores.values[metric.name]
    plain = replicate(values, number.reduce, weights)
    shared = {
        "method": scores.methods.method,
        "kind": scores.methods.kind,
        "direction": metric.direction_of(number),
        "n_items": len(scores.items),
        "n_seeds": scores.methods.seeds,
        "n_failed": scores.failed.sum(axis=(1, 2)),
        **_ranks(scores, metric, number, plain, weights),
    }
    parts = [{**shared, "metric": number.name, "unit": metric.unit, **_estimate(plain)}]
    for limit in np.flatnonzero(scores.methods.kind == "limit") if number.to_limits else ():
        bound = values[limit, :1][None]
        both = np.isfinite(values) & np.isfinite(bound)
        ratio = replicate(np.where(both, values, np.nan), number.reduce, weights).combine(
            np.divide, replicate(np.where(both, bound, np.nan), number.reduce, weights)
        )
        ratio.value[~np.isfinite(ratio.value)] = np.nan  # a limit of 0 bounds nothing
        parts.append({**shared, "metric": f"ratio_to_{scores.methods.method[limit]}", "unit": "1", **_estimate(ratio)})
    return pd.concat(map(pd.DataFrame, parts))


def _estimate(replicates):
    low, high = replicates.interval()
    return {"mean": replicates.value, "ci_low": low, "ci_high": high}


def _ranks(scores, metric, number, plain, weights):
    """Ranks and their intervals, a failed item counting as the worst value."""
    badness = plain.combine(lambda value, _: metric.badness(number, value), plain)
    failing = np.flatnonzero(scores.failed.any(axis=(1, 2)))
    if len(failing):
        values, worst = (by_metric[metric.name][failing] for by_metric in (scores.values, scores.worst))
        penalised = replicate(values, number.reduce, weights, worst)
        # A method that never gives the quantity is not ranked by the bound of its failures.
        silent = np.isnan(plain.value[failing]) & (scores.status[failing] == OK).any(axis=(1, 2))
        penalised.value[silent] = np.nan
        badness.value[failing] = metric.badness(number, penalised.value)
        badness.resampled[:, failing] = metric.badness(number, penalised.resampled)
    ranked = np.flatnonzero(scores.methods.kind.isin(RANKED))
    result = {}
    for key, values in zip(("rank", "rank_low", "rank_high"), ranks(badness[ranked])):
        result[key] = np.full(len(scores.methods), np.nan)
        result[key][ranked] = values
    return result
