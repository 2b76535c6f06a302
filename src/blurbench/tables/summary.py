"""The summary over all problems: the best methods of each dataset, the limits, and what failed."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import RANKED
from blurbench.tables import extra, rendering
from blurbench.tables.rendering import NONE, best, estimate


class Results(NamedTuple):
    """The tables of one problem, as `tabulate` makes them."""

    main: pd.DataFrame
    pairs: pd.DataFrame
    failures: pd.DataFrame
    extra: dict[str, pd.DataFrame]


def document(results: dict[str, Results]) -> str:
    """Markdown of all problems at one glance, with what their extra tables add."""
    sections = []
    for problem, found in results.items():
        sections.append(_section(problem, found, numbers(problems.find(problem, "score.METRICS"))[0][1]))
        for name, table in found.extra.items():
            title, caption, summary = (extra.part(problem, name, part) for part in ("TITLE", "CAPTION", "summary"))
            if shown := list(summary(table)):
                sections.append(rendering.markdown(f"{problem}: {title}", caption, shown, level=2))
    return "\n".join(["# Summary", "", *sections])


def _section(problem, found, primary):
    """One problem, by the published number that orders its tables."""
    lines, rows = [f"## {problem}: {primary.label}", ""], []
    for dataset, part in found.main[found.main.condition == "all"].groupby("dataset", sort=False):
        first = part[part.metric == primary.name].set_index("method")
        winners = {kind: best(first, kind) for kind in RANKED}
        winner = min((m for m in winners.values() if m), key=lambda m: first["rank"][m], default=None)
        row = {"dataset": dataset}
        for kind in RANKED:
            row[f"best {kind}"] = _cell(first, winners[kind], bold=winners[kind] == winner)
        pairs = found.pairs[found.pairs.dataset == dataset]
        row["learned less classical"] = _difference(pairs, *winners.values())
        row["limits (best method over limit)"] = "; ".join(_limits(first, part, winner)) or NONE
        row["control"] = "; ".join(_cell(first, m, False) for m in first.index[first.kind == "control"]) or NONE
        rows.append(row)
    lines += [rendering.rows(pd.DataFrame(rows)), ""]
    if found.failures.empty:
        lines += ["No prediction failed.", ""]
    else:
        failed = [f"- {f.dataset}, {f.method}: {f.n_failed} of {f.n}: {f.status}" for f in found.failures.itertuples()]
        lines += ["Failed predictions:", "", *failed, ""]
    return "\n".join(lines)


def _cell(rows, method, bold):
    if method is None:
        return NONE
    row = rows.loc[method]
    text = f"{method} {estimate(row['mean'], row.ci_low, row.ci_high)}"
    text = f"**{text}**" if bold else text
    return text if np.isnan(row["rank"]) else f"{text}, rank {row['rank']:g} ({row.rank_low:g}–{row.rank_high:g})"


def _difference(pairs, a, b):
    if a is None or b is None:
        return NONE
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        found = pairs[(pairs.method_a == first) & (pairs.method_b == second)]
        for pair in found.itertuples():
            low, high = sorted((sign * pair.ci_low, sign * pair.ci_high))
            return f"{estimate(sign * pair.difference, low, high)}, p = {pair.p_holm:.2g}"
    return NONE


def _limits(first, part, winner):
    for limit in first.index[first.kind == "limit"]:
        ratio = part[(part.metric == f"ratio_to_{limit}") & (part.method == winner)]["mean"]
        factor = f" (×{ratio.iloc[0]:.2g})" if len(ratio) and np.isfinite(ratio.iloc[0]) else ""
        yield f"{limit} {first['mean'][limit]:.3g}{factor}"
