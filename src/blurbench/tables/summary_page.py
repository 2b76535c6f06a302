"""The summary as one page that opens without a network, with a table of each problem to sort and to filter."""

from datetime import UTC, datetime
from html import escape

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.tables import rendering, verdict

ARROWS = {"max": "↑", "min": "↓", "target": "→ 0"}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1300px; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem } dt { font-weight: 600 } dd { margin: 0 }
.question { font-size: 1.1em } thead input { width: 6em }
.table { overflow-x: auto } table { font-variant-numeric: tabular-nums }
.small { font-size: .85em; color: #555 }
"""
TERMS = {
    "rank": "among learned and classical methods of a dataset, 1 is the best; limits and controls have none",
    "95 % interval": "by bootstrap within the cells of the design; none where items are too few or there is no sample",
    "†": rendering.FEW.removeprefix("†: "),
    "failed": "items without an answer, each counting as the worst value in number and rank",
    "s an item": "of prediction, on one thread of the machine above",
    "training core-s": "of one training, features included; empty where nothing is trained",
}


def page(about: dict[str, str], results: dict, timing: pd.DataFrame, raised: list[str]) -> str:
    """HTML of all problems.

    Parameters
    ----------
    about : what was run, when and where, by term
    results : `summary.Results` of each problem, by its name
    timing : of `timing.table`
    raised : a line for every training that did
    """
    from itables import to_html_datatable
    from itables.shiny import init_itables

    parts = [f"<h1>blurbench: {escape(about['run'])}</h1>", _terms(about), init_itables(connected=False)]
    if raised:
        parts += ["<h2>Not trained</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in raised), "</ul>"]
    for problem, found in results.items():
        number = numbers(problems.find(problem, "score.METRICS"))[0][1]
        shown = overview(found.main, number, timing[timing.problem == problem])
        table = to_html_datatable(
            shown,
            connected=False,
            showIndex=False,
            maxBytes=0,
            paging=False,
            column_filters="header",
            layout={"topStart": "search", "topEnd": None, "bottomStart": "info", "bottomEnd": None},
            classes="display compact nowrap",
            table_id=f"of_{problem}",
        )
        parts += [
            f"<h2>{escape(problem)}</h2>",
            f'<p class="question">{escape(problems.question(problem))}</p>',
            *(f"<p>{escape(line)}</p>" for line in verdicts(found, number)),
            f'<div class="table">{table}</div>',
            f'<p class="small">{escape(problems.find(problem, "score.CAPTION"))}</p>',
        ]
    head = f'<meta charset="utf-8"><title>blurbench: {escape(about["run"])}</title><style>{STYLE}</style>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join([*parts, "<h2>Terms</h2>", _terms(TERMS)])
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def about(run: str, seed: int, machine: dict) -> dict[str, str]:
    """What was run, when and where, by term.

    Parameters
    ----------
    run, seed : of the configuration
    machine : of `machine.describe`
    """
    return {
        "run": run,
        "seed": str(seed),
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": machine["commit"] or "none",
        "machine": f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        "GPU": machine["gpu"] or "none",
        "software": f"Python {machine['python']}, torch {machine['torch']}",
    }


def verdicts(found, number) -> list[str]:
    """A sentence for each dataset, in the order of the table."""
    lines, references = [], found.pairs.method_b[found.pairs.p_holm.notna()].unique()
    for dataset, part in found.main.groupby("dataset", sort=False):
        pairs = found.pairs[found.pairs.dataset == dataset].set_index(["method_a", "method_b"])
        lines.append(verdict.sentence(str(dataset), part[part.condition == "all"], pairs, number, references))
    return lines


def overview(main: pd.DataFrame, number, timing: pd.DataFrame) -> pd.DataFrame:
    """Every method of every dataset by the number that orders the tables, texts and numbers as they are to be read."""
    rows = main[(main.condition == "all") & (main.metric == number.name)]
    costs = timing.set_index(["dataset", "method"])
    arrow = ARROWS[rows.direction.iloc[0]] if len(rows) else ""
    shown = []
    for row in rows.sort_values("rank", kind="stable").itertuples():
        value, _, interval = rendering.estimate(row.mean, row.ci_low, row.ci_high).partition(" ")
        cost = costs.loc[(row.dataset, row.method)]
        shown.append(
            {
                "dataset": row.dataset,
                "method": row.method,
                "kind": row.kind,
                "rank": "" if np.isnan(row.rank) else f"{row.rank:g}",
                f"{number.label} {arrow}": value.replace("−", "-").replace(rendering.NONE, ""),
                "95 % interval": interval,
                "failed": f"{row.n_failed}",
                "items": f"{row.n_items}",
                "s an item": _plain(cost["seconds_per_item"]),
                "training core-s": _plain(cost["train_core_s"]),
            }
        )
    order = {name: i for i, name in enumerate(main.dataset.unique())}
    return pd.DataFrame(sorted(shown, key=lambda row: order[row["dataset"]]))


def _plain(x):
    return "" if pd.isna(x) else f"{x:.3g}" if x < 1000 else f"{x:.0f}"


def _terms(about):
    return "<dl>" + "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in about.items()) + "</dl>"
