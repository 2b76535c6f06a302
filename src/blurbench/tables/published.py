"""The published table of a problem: means with intervals, and ranks, under every condition."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from blurbench.scoring.scores import RANKED, Scores
from blurbench.scoring.statistics import SEEDS, ranks
from blurbench.tables.settings import Settings

COLUMNS = (
    "problem dataset condition method kind metric unit direction mean ci_low ci_high interval n_items n_seeds n_failed "
    "rank rank_low rank_high"
).split()


def table(problem, scores: list[Scores], numbers, given: Settings) -> pd.DataFrame:
    """Published table, one row per dataset, condition, method and published number, with the columns COLUMNS.

    A failed item counts as the worst value in `mean`, interval and rank alike. `interval` says what the 95 % interval
    is over: "items", "items, seeds" or "none" (`statistics` says when there is none; the bounds among the limits have
    none either, as no sample is behind them). `n_items` counts the items of the condition, `n_failed` the failed
    predictions (items times seeds). The rank is among learned and classical methods; other kinds have none.

    Parameters
    ----------
    problem : its name
    scores : of all its datasets
    numbers : those of `metrics.numbers` that the table holds
    """
    parts = []
    for whole in scores:
        for condition, subset in [("all", whole), *_conditions(whole)]:
            draws = subset.resampling(given.resamples, given.seed)
            for metric, number in numbers:
                if metric.name in subset.values and not (number.fixed_condition and condition == "all"):
                    rows = _rows(subset, metric, number, draws, given.bounds)
                    parts.append(rows.assign(problem=problem, dataset=whole.dataset, condition=condition))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _conditions(scores):
    """(name, scores) of every value of every condition, and of every combination of values that occurs."""
    columns = sorted(scores.items)
    for chosen in (c for n in range(1, len(columns) + 1) for c in combinations(columns, n)):
        table = scores.items[list(chosen)]
        for values in table.drop_duplicates().sort_values(list(chosen)).itertuples(index=False):
            name = ", ".join(f"{column}={_readable(value)}" for column, value in zip(chosen, values))
            yield name, scores.take((table == list(values)).all(axis=1).to_numpy())


def _readable(value):
    return value if isinstance(value, str) else f"{value:g}"


def _rows(scores, metric, number, draws, bounds):
    """The rows of one published number under one condition, and of its ratios to the limits."""
    found = scores.replicates(metric.name, number.reduce, draws)
    bound = scores.methods.method.isin(bounds).to_numpy()
    shared = {
        "method": scores.methods.method,
        "kind": scores.methods.kind,
        "direction": metric.direction_of(number),
        "n_items": len(scores.items),
        "n_seeds": scores.methods.seeds,
        "n_failed": scores.failed.sum(axis=(1, 2)),
        **_ranks(scores, metric, number, found),
    }
    within = (-np.inf, np.inf) if number.reduce == "sd" else metric.range
    parts = [{**shared, "metric": number.name, "unit": metric.unit, **_estimate(scores, found, bound, within)}]
    for limit in np.flatnonzero(scores.methods.kind == "limit") if number.to_limits else ():
        name = scores.methods.method[limit]
        ratio = _ratios(_on_the_same(scores, metric, number, draws, found, limit), limit, bound[limit])
        parts.append({**shared, "metric": f"ratio_to_{name}", "unit": "1", **_estimate(scores, ratio, bound)})
    return pd.concat(map(pd.DataFrame, parts))


def _on_the_same(scores, metric, number, draws, found, limit):
    """Replicates of a number on the items that a limit answers; `found` are those on all."""
    has = np.isfinite(scores.counted(metric.name)[limit, 0])
    if has.all():
        return found
    values, worst = (np.where(has, by_name[metric.name], np.nan) for by_name in (scores.values, scores.worst))
    part = replace(scores, values={metric.name: values}, worst={metric.name: worst})
    return part.replicates(metric.name, number.reduce, draws)


def _ratios(found, limit, is_bound):
    """Replicates of the ratios to a limit."""
    of_limit = found[[limit]].without_scatter() if is_bound else found[[limit]]
    ratio = found.combine(np.divide, of_limit, found.log)
    ratio.value[~np.isfinite(ratio.value)] = np.nan  # a limit of 0 bounds nothing
    return ratio


def _estimate(scores, replicates, bound, within=(-np.inf, np.inf)):
    """The number, its interval, no wider than what there can be, and what that is over."""
    low, high = (np.where(bound, np.nan, np.clip(end, *within)) for end in replicates.interval())
    seeded = scores.methods.seeds >= max(SEEDS, scores.methods.seeds.max())
    over = np.where(np.isnan(low), "none", np.where(seeded, "items, seeds", "items"))
    return {"mean": replicates.value, "ci_low": low, "ci_high": high, "interval": over}


def _ranks(scores, metric, number, found):
    """Ranks and their intervals."""
    badness = found.combine(lambda value, _: metric.badness(number, value), found)
    ranked = np.flatnonzero(scores.methods.kind.isin(RANKED))
    result = {}
    for key, values in zip(("rank", "rank_low", "rank_high"), ranks(badness[ranked])):
        result[key] = np.full(len(scores.methods), np.nan)
        result[key][ranked] = values
    return result
