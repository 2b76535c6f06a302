"""Two runs side by side: before and after a change to a method, of two data seeds, or of two machines."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.planning import mistakes
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import Scores, read
from blurbench.tables import rendering

SAME, OTHER = "same", "other"  # items
RESAMPLES = 2000
HEADING = "{a} and {b}"
CAPTION = (
    "Every number of both runs over all conditions, a failed item counting as the worst value, and the difference of "
    "the second less the first with its 95 % interval: paired where the runs have the same items, else of independent "
    "ones. Bold: the interval leaves out 0. Of twenty comparisons of what is equal one will, by chance; of two data "
    "seeds more, as intervals are over test items alone, and settings and weights are chosen on other items too."
)


class ComparisonError(ValueError):
    """Runs that cannot be compared."""


def table(a: Path, b: Path, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """Published numbers of two runs, of all that both have, over all conditions.

    Parameters
    ----------
    a, b : folders of runs
    resamples, seed : of the bootstrap

    Returns
    -------
    DataFrame: problem, dataset, method, kind, metric, unit, direction; a, b; difference (b less a), ci_low, ci_high,
    beyond_chance (whether the interval leaves out 0); items ("same" or "other", of the two runs) and n_items, those of
    a. Without an interval where `statistics` gives none, as where nothing differs.

    Raises
    ------
    ComparisonError if there is nothing that both runs have.
    """
    parts = []
    for problem in problems.names():
        first, second = (_scores(run, problem) for run in (a, b))
        for dataset in first.keys() & second.keys():
            same = _items(a, problem, dataset) == _items(b, problem, dataset)
            parts.append(_rows(problem, first[dataset], second[dataset], same, resamples, seed))
    if not any(len(part) for part in parts):
        raise ComparisonError(
            f"{b}: found no scores of what {a} has scores of, expected two runs with a method in common"
        )
    return pd.concat(parts, ignore_index=True)


def _scores(run, problem) -> dict[str, Scores]:
    """Scores of a run by dataset; of those with mistakes, which no number reduces over, none."""
    files = sorted((run / "scores" / problem).glob("*/*/*.parquet"))
    found = read(files, problems.load(problem).conditions)
    return {one.dataset: one for one in found if mistakes.COLUMN not in one.items}


def _items(run, problem, dataset):
    """What tells the items of a dataset: checksums of its arrays."""
    manifest = json.loads((run / "datasets" / problem / dataset / "test.json").read_text(encoding="utf-8"))
    return {name: about["blake2b"] for name, about in manifest["arrays"].items()}


def _rows(problem, first: Scores, second: Scores, same, resamples, seed) -> pd.DataFrame:
    """All numbers of one dataset, of the methods that both runs have."""
    methods = first.methods.merge(second.methods, on=["method", "kind"], suffixes=("_a", "_b"))
    rows = [[int(np.flatnonzero(one.methods.method == m)[0]) for m in methods.method] for one in (first, second)]
    # Of one seed, the draws of the items are the same too; those of other items, or of other trainings, must not be.
    paired = same and first.methods.seeds.max() == second.methods.seeds.max()
    draws = first.resampling(resamples, seed), second.resampling(resamples, seed if paired else seed + 1)
    parts = []
    for metric, number in numbers(problems.find(problem, "score.METRICS")):
        if number.fixed_condition or any(metric.name not in one.values for one in (first, second)):
            continue
        found = [
            one.replicates(metric.name, number.reduce, draw)[row]
            for one, draw, row in zip((first, second), draws, rows)
        ]
        difference = found[1].combine(np.subtract, found[0]) if paired else found[1].less(found[0])
        low, high = difference.interval()
        about = {"problem": problem, "dataset": first.dataset, "method": methods.method, "kind": methods.kind}
        about |= {"metric": number.name, "unit": metric.unit, "direction": metric.direction_of(number)}
        about |= {"a": found[0].value, "b": found[1].value, "difference": difference.value}
        about |= {"ci_low": low, "ci_high": high, "beyond_chance": (low > 0) | (high < 0)}
        parts.append(pd.DataFrame(about | {"items": SAME if same else OTHER, "n_items": found[0].counted}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def document(found: pd.DataFrame, a: str, b: str) -> str:
    """Markdown of the numbers that order the tables, and of how many of all numbers differ by more than chance.

    Parameters
    ----------
    found : what `table` returned
    a, b : names of the runs
    """
    blocks = []
    for (problem, dataset), part in found.groupby(["problem", "dataset"], sort=False):
        number = numbers(problems.find(problem, "score.METRICS"))[0][1]
        first = part[part.metric == number.name]
        rows = [
            {
                "method": row.method,
                "kind": row.kind,
                a: rendering.estimate(row.a),
                b: rendering.estimate(row.b),
                "difference": _bold(rendering.estimate(row.difference, row.ci_low, row.ci_high), row.beyond_chance),
            }
            for row in first.itertuples()
        ]
        compared = part[part.ci_low.notna()]
        note = (
            f"{number.label}. {'The same' if (part['items'] == SAME).all() else 'Other'} items. Of {len(part)} numbers "
            f"{int(part.beyond_chance.sum())} differ by more than chance, {len(part) - len(compared)} have no interval."
        )
        blocks.append((f"{problem}: {dataset}", note, pd.DataFrame(rows)))
    return rendering.markdown(HEADING.format(a=a, b=b), CAPTION, blocks)


def _bold(text, bold):
    return f"**{text}**" if bold else text
