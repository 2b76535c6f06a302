"""Two runs side by side: before and after a change to a method, of two data seeds, or of two machines."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.files import models
from blurbench.planning import mistakes
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import Scores, read
from blurbench.tables import rendering

SAME, OTHER = "same", "other"  # items, and settings or weights
OFTEN = 0.95  # of the cases in which chance alone leaves no more numbers beyond it than is said
RESAMPLES = 2000
NAMES = ["method", "kind"]
TIME = "seconds"  # metric
HEADING = "{a} and {b}"
CAPTION = (
    "Every number of both runs over all conditions, a failed item counting as the worst value, and the difference of "
    "the second less the first with its 95 % interval: paired where the runs have the same items, else of independent "
    "ones. Bold: the interval leaves out 0. Of twenty comparisons of what is equal one will, by chance; but numbers of "
    "a dataset are of the same items and move together, so how many chance leaves at most, in 19 of 20 cases, stands "
    "beside. "
    "Intervals are over test items alone. A method that chose other settings, or learned other weights, is another "
    "method to them: `settings, weights` says so, and such methods are counted by themselves. Times have no interval, "
    "as they are of the machine."
)


class ComparisonError(ValueError):
    """Runs that cannot be compared."""


class Compared(NamedTuple):
    """Two runs.

    Parameters
    ----------
    numbers : DataFrame: problem, dataset, method, kind, model ("same" or "other", settings or weights in the two runs;
        "same" where there are none), metric, unit, direction; a, b; difference (b less a), ci_low, ci_high,
        beyond_chance (whether the interval leaves out 0); items ("same" or "other", of the two runs) and n_items, those
        of a. Without an interval where `statistics` gives none, as where nothing differs, and of times
    counts : DataFrame: problem, dataset, model; with_interval, how many numbers have one, beyond_chance, how many of
        these, and by_chance, how many at most would be in OFTEN of the cases if nothing differed
    """

    numbers: pd.DataFrame
    counts: pd.DataFrame


def compare(a: Path, b: Path, resamples: int = RESAMPLES, seed: int = 0) -> Compared:
    """Published numbers of two runs, of all that both have, over all conditions.

    Parameters
    ----------
    a, b : folders of runs
    resamples, seed : of the bootstrap

    Raises
    ------
    ComparisonError if there is nothing that both runs have.
    """
    found = []
    for problem in problems.names():
        first, second = (_scores(run, problem) for run in (a, b))
        for dataset in first.keys() & second.keys():
            pair = first[dataset], second[dataset]
            methods = pair[0].methods.merge(pair[1].methods, on=["method", "kind"], suffixes=("_a", "_b"))
            alike = [_models(a, problem, *one) == _models(b, problem, *one) for one in methods[NAMES].itertuples(False)]
            methods["model"] = np.where(alike, SAME, OTHER)
            same = _items(a, problem, dataset) == _items(b, problem, dataset)
            found.append(_compared(problem, *pair, methods, same, resamples, seed))
    if not any(len(one.numbers) for one in found):
        raise ComparisonError(
            f"{b}: found no scores of what {a} has scores of, expected two runs with a method in common"
        )
    return Compared(*(pd.concat(parts, ignore_index=True) for parts in zip(*found)))


def _scores(run, problem) -> dict[str, Scores]:
    """Scores of a run by dataset; of those with mistakes, which no number reduces over, none."""
    files = sorted((run / "scores" / problem).glob("*/*/*.parquet"))
    found = read(files, problems.load(problem).conditions)
    return {one.dataset: one for one in found if mistakes.COLUMN not in one.items}


def _items(run, problem, dataset):
    """What tells the items of a dataset: checksums of its arrays."""
    manifest = json.loads((run / "datasets" / problem / dataset / "test.json").read_text(encoding="utf-8"))
    return {name: about["blake2b"] for name, about in manifest["arrays"].items()}


def _models(run, problem, method, kind):
    """What a method chose or learned: checksums of its models; of a variant that borrows one, of all of the problem."""
    folder = run / "models" / problem
    own = sorted(folder.glob(f"*/{method}/*.pt")) or (sorted(folder.glob("*/*/*.pt")) if kind == "learned" else [])
    return {file.relative_to(folder): models.checksums(file) for file in own}


def _compared(problem, first: Scores, second: Scores, methods, same, resamples, seed) -> Compared:
    """All numbers of one dataset, of the methods that both runs have."""
    rows = [[int(np.flatnonzero(one.methods.method == m)[0]) for m in methods.method] for one in (first, second)]
    # Of one seed, the draws of the items are the same too; those of other items, or of other trainings, must not be.
    paired = same and first.methods.seeds.max() == second.methods.seeds.max()
    draws = first.resampling(resamples, seed), second.resampling(resamples, seed if paired else seed + 1)
    parts, names = [], {"problem": problem, "dataset": first.dataset}
    by_chance = {model: np.zeros(resamples, int) for model in methods.model.unique()}
    for metric, number in numbers(problems.find(problem, "score.METRICS")):
        if number.fixed_condition or any(metric.name not in one.values for one in (first, second)):
            continue
        found = [
            one.replicates(metric.name, number.reduce, draw)[row]
            for one, draw, row in zip((first, second), draws, rows)
        ]
        difference = found[1].combine(np.subtract, found[0]) if paired else found[1].less(found[0])
        low, high = difference.interval()
        if metric.name == TIME:
            low, high = np.full((2, len(methods)), np.nan)
        for model, count in by_chance.items():
            count += difference.chance()[:, (methods.model == model) & np.isfinite(low)].sum(axis=1)
        about = {**names, **methods[[*NAMES, "model"]]}
        about |= {"metric": number.name, "unit": metric.unit, "direction": metric.direction_of(number)}
        about |= {"a": found[0].value, "b": found[1].value, "difference": difference.value}
        about |= {"ci_low": low, "ci_high": high, "beyond_chance": (low > 0) | (high < 0)}
        parts.append(pd.DataFrame(about | {"items": SAME if same else OTHER, "n_items": found[0].counted}))
    if not parts:
        return Compared(pd.DataFrame(), pd.DataFrame())
    table = pd.concat(parts, ignore_index=True)
    counts = table.groupby("model", sort=False).agg(
        with_interval=("ci_low", "count"), beyond_chance=("beyond_chance", "sum")
    )
    most = [int(np.quantile(by_chance[model], OFTEN, method="inverted_cdf")) for model in counts.index]
    return Compared(table, counts.assign(by_chance=most, **names).reset_index())


def document(found: Compared, a: str, b: str) -> str:
    """Markdown of the numbers that order the tables, and of how many of all numbers differ by more than chance.

    Parameters
    ----------
    found : what `compare` returned
    a, b : names of the runs
    """
    blocks, counts = [], found.counts.set_index(["problem", "dataset"])
    for (problem, dataset), part in found.numbers.groupby(["problem", "dataset"], sort=False):
        number = numbers(problems.find(problem, "score.METRICS"))[0][1]
        first = part[part.metric == number.name]
        rows = [
            {
                "method": row.method,
                "kind": row.kind,
                "settings, weights": row.model,
                a: rendering.estimate(row.a),
                b: rendering.estimate(row.b),
                "difference": _bold(rendering.estimate(row.difference, row.ci_low, row.ci_high), row.beyond_chance),
            }
            for row in first.itertuples()
        ]
        told = [_told(one) for one in counts.loc[[(problem, dataset)]].itertuples() if one.with_interval]
        silent = f"{int(part.ci_low.isna().sum())} numbers have no interval."
        items = "The same" if (part["items"] == SAME).all() else "Other"
        blocks.append(
            (f"{problem}: {dataset}", " ".join([f"{number.label}. {items} items.", *told, silent]), pd.DataFrame(rows))
        )
    return rendering.markdown(HEADING.format(a=a, b=b), CAPTION, blocks)


def _told(count):
    """Sentence on how many numbers differ."""
    of = "the same settings and weights, or none" if count.model == SAME else "other settings or weights"
    return (
        f"Of {count.with_interval} numbers of methods with {of}, {count.beyond_chance} differ by more than chance, "
        f"where chance leaves {count.by_chance} at most."
    )


def _bold(text, bold):
    return f"**{text}**" if bold else text
