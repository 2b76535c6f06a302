"""The summary over all problems: the best methods of each dataset, the limits, and what failed."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import RANKED
from blurbench.tables import extra, not_trained, rendering, verdict
from blurbench.tables.rendering import FEW, NONE, best, estimate, few

PASSED = (
    "A method below a limit breaks no law where that limit is a bound of unbiased methods: a biased one, such as one "
    "that knows the range of the truth, may pass it."
)
RAISED = "Trainings that raised, which the next run tries again; a method without its model answers no item"


class Results(NamedTuple):
    """The tables of one problem, as `tabulate` makes them, and whether methods are compared over its datasets."""

    main: pd.DataFrame
    pairs: pd.DataFrame
    failures: pd.DataFrame
    extra: dict[str, pd.DataFrame]
    over_datasets: str  # of `compared_datasets.told`


def document(results: dict[str, Results], raised: pd.DataFrame) -> str:
    """Markdown of all problems at one glance, with what their extra tables add.

    Parameters
    ----------
    results : of each problem, by its name
    raised : the trainings that did, of `not_trained.table`
    """
    sections = [] if raised.empty else [_not_trained(raised)]
    for problem, found in results.items():
        sections.append(_section(problem, found, numbers(problems.find(problem, "score.METRICS"))[0][1]))
        for name, table in found.extra.items():
            title, caption, summary = (extra.part(problem, name, part) for part in ("TITLE", "CAPTION", "summary"))
            if shown := list(summary(table)):
                sections.append(rendering.markdown(f"{problem}: {title}", caption, shown, level=2))
    return "\n".join(["# Summary", "", *sections])


def _not_trained(raised):
    """The trainings that raised, one by one."""
    named = [f"- {line}" for line in not_trained.lines(raised)]
    lines = ["## Not trained", "", f"{RAISED}:", "", *named, ""]
    return "\n".join(lines)


def _section(problem, found, primary):
    """One problem, by the published number that orders its tables."""
    references, rows, behind = verdict.tested_against(found.pairs), [], []
    said = [f"- {sentence}" for sentence in verdict.sentences(found.main, found.pairs, primary).values()]
    for dataset, part in found.main.groupby("dataset", sort=False):
        overall = part[part.condition == "all"]
        pairs = found.pairs[found.pairs.dataset == dataset].set_index(["method_a", "method_b"])
        rows.append({"dataset": dataset} | _row(overall, pairs, primary, references, part.n_items.min()))
        behind += _behind(dataset, pairs, overall.direction[overall.metric == primary.name].iloc[0])
    lines = [f"## {problem}: {primary.label}", "", problems.question(problem), "", *said, ""]
    lines += [rendering.rows(pd.DataFrame(rows)), "", found.over_datasets, ""]
    cells = [cell for row in rows for cell in row.values()]
    lines += [f"{note}\n" for note, mark in ((FEW, few(0)), (PASSED, "×0.")) if any(mark in cell for cell in cells)]
    if behind:
        lines += ["Learned methods that are not shown to be better than what they are tested against:", "", *behind, ""]
    if found.failures.empty:
        lines += ["No prediction failed.", ""]
    else:
        failed = [f"- {f.dataset}, {f.method}: {f.n_failed} of {f.n}: {f.status}" for f in found.failures.itertuples()]
        lines += ["Failed predictions, each counting as the worst value:", "", *failed, ""]
    return "\n".join(lines)


def _row(overall, pairs, primary, references, fewest):
    """The cells of one dataset, by heading."""
    first = overall[overall.metric == primary.name].set_index("method")
    winners = {kind: best(first, kind) for kind in RANKED}
    winner = min((m for m in winners.values() if m), key=lambda m: first["rank"][m], default=None)
    row = {"items under a condition": f"{fewest}{few(fewest)}"}
    for kind in RANKED:
        row[f"best {kind}"] = _cell(first, winners[kind], bold=winners[kind] == winner)
    for reference in references:
        pair = winners["learned"], reference
        row[f"best learned less {reference}"] = _difference(pairs.loc[pair]) if pair in pairs.index else NONE
    row["limits (best method over limit)"] = "; ".join(_limits(first, overall, winner)) or NONE
    row["control"] = "; ".join(_cell(first, m, False) for m in first.index[first.kind == "control"]) or NONE
    return row


def _behind(dataset, pairs, direction):
    """A line for every method that some learned ones were tested against and are not shown to be better than."""
    gain = pairs.difference if direction == "max" else -pairs.difference
    equal = pairs[pairs.p_holm.notna() & ~((gain > 0) & (pairs.p_holm < verdict.CERTAIN))]
    for reference, rows in equal.groupby("method_b", sort=False):
        methods = [f"{method} ({_difference(pair)})" for (method, _), pair in rows.iterrows()]
        yield f"- {dataset}, {reference}: {'; '.join(methods)}"


def _cell(rows, method, bold):
    if method is None:
        return NONE
    row = rows.loc[method]
    text = f"{method} {estimate(row['mean'], row.ci_low, row.ci_high)}"
    text = f"**{text}**" if bold else text
    if np.isnan(row["rank"]):
        return text
    return f"{text}, rank {row['rank']:g}" + (
        "" if np.isnan(row.rank_low) else f" ({row.rank_low:g}–{row.rank_high:g})"
    )


def _difference(pair):
    text = estimate(pair.difference, pair.ci_low, pair.ci_high)
    return text if np.isnan(pair.p_holm) else f"{text}, p = {pair.p_holm:.2g}"


def _limits(first, overall, winner):
    for limit in first.index[first.kind == "limit"]:
        ratio = overall[(overall.metric == f"ratio_to_{limit}") & (overall.method == winner)]["mean"]
        factor = f" (×{ratio.iloc[0]:.2g})" if len(ratio) and np.isfinite(ratio.iloc[0]) else ""
        yield f"{limit} {estimate(first['mean'][limit])}{factor}"
