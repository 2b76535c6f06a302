"""What each method loses where the images are not what it is told they are."""

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.planning.method import KINDS
from blurbench.planning.mistakes import COLUMN
from blurbench.scoring.metric import numbers
from blurbench.tables.rendering import FEW, NONE, digits, estimate, few

TITLE = "what each method loses under a mistake"
CAPTION = (
    "The same items, shown first as methods expect them and then otherwise in one way that they are not told. A "
    "number, and in brackets what the mistake makes it worse by, where the 95 % interval of that leaves out 0 "
    "(differences on the same items; where a mistake has items of its own there is none). Intervals are in the CSV."
)
ESTIMATE = ["mean", "ci_low", "ci_high"]
LOSS = ["loss", "loss_low", "loss_high"]


def table(scores, given) -> pd.DataFrame:
    """One row per dataset, mistake, method and number that is declared to stand here.

    Columns: dataset, mistake, method, kind, metric, unit, direction, mean with its interval; loss with its interval, by
    how much the number is worse than without a mistake, NaN where the items are others; n_items, n_failed.

    scores : of all datasets; those without mistakes are passed over
    """
    declared = numbers(problems.find(given.problem, "score.METRICS"))
    shown = [(metric, number) for metric, number in declared if number.mistakes]
    rows = []
    for one in scores:
        if COLUMN not in one.items:
            continue
        changes = given.datasets[one.dataset]["mistakes"]
        names = list(changes)
        parts = {name: one.take((one.items[COLUMN] == name).to_numpy()) for name in names}
        for metric, number in shown:
            for name, part in parts.items():
                same = name != names[0] and set(changes[name]) <= {"imaging"}  # else the items are others
                found = _rows(part, parts[names[0]] if same else None, metric, number, given)
                rows.append(found.assign(dataset=one.dataset, mistake=name))
    found = pd.concat(rows, ignore_index=True)
    first = ["dataset", "mistake"]
    return found[[*first, *found.columns.drop(first)]]


def _rows(part, right, metric, number, given):
    """Rows of one number under one mistake; `right` are the scores of the same items without it, None for others."""
    draws = part.resampling(given.resamples, given.seed)
    found = part.replicates(metric.name, number.reduce, draws)
    about = {
        "method": part.methods.method,
        "kind": part.methods.kind,
        "metric": number.name,
        "unit": metric.unit,
        "direction": metric.direction_of(number),
        **dict(zip(ESTIMATE, (found.value, *found.interval()))),
        **dict.fromkeys(LOSS, np.nan),
        "n_items": len(part.items),
        "n_failed": part.failed.sum(axis=(1, 2)),
    }
    if right is not None:
        expected = right.replicates(metric.name, number.reduce, draws)
        loss = found.combine(lambda a, b: metric.badness(number, a) - metric.badness(number, b), expected)
        about |= dict(zip(LOSS, (loss.value, *loss.interval())))
    return pd.DataFrame(about)


def blocks(table):
    """(heading, note, rows of strings) of each dataset and number: a row per method, a column per mistake."""
    for (dataset, metric), part in table.groupby(["dataset", "metric"], sort=False):
        names = list(dict.fromkeys(part.mistake))
        counts = part.groupby("mistake").n_items.min()
        first = part[part.mistake == names[0]]
        order = first.assign(order=first.kind.map(KINDS.index)).sort_values(["order", "mean"], kind="stable")
        wide = part.assign(cell=[_cell(*row) for row in part[[*ESTIMATE[:1], *LOSS]].itertuples(index=False)])
        wide = wide.pivot(index="method", columns="mistake", values="cell").loc[order.method, names]
        wide.columns = [name + few(counts[name]) for name in names]
        named = pd.DataFrame({"method": order.method.to_numpy(), "kind": order.kind.to_numpy()}, index=order.method)
        note = f"Sorted within each kind by what it is under {names[0]}." + (f" {FEW}" if few(counts.min()) else "")
        yield f"{dataset}: {metric}", note, pd.concat([named, wide], axis=1)


def summary(table):
    """`blocks` of the first number of each dataset."""
    leading = table.groupby("dataset", sort=False).metric.transform("first")
    return blocks(table[table.metric == leading])


def _cell(mean, loss, low, high):
    if not np.isfinite(mean):
        return NONE
    certain = np.isfinite(low) and not low <= 0 <= high
    return estimate(mean) + (f" ({'+' * (loss > 0)}{digits(loss, 2)})" if certain else "")
