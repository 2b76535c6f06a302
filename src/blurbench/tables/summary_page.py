"""The summary over all problems as one page to sort and filter."""

from datetime import UTC, datetime
from html import escape

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.tables import page, rendering, terms, verdict

COSTS = "s an item", "prediction MB", "training core-s"
TERMS = "kind", "rank", "↑, ↓, →", "95 % interval", "†", "failed", *COSTS, rendering.NONE

SOFTWARE = "blurbench", "snakemake", "numpy", "torch"  # in an environment of conda the first two are not installed


def document(about: dict[str, str], results: dict, timing: pd.DataFrame, raised: list[str]) -> str:
    """HTML of all problems.

    Parameters
    ----------
    about : what was run, when and where, by term
    results : `summary.Results` of each problem, by its name
    timing : of `timing.table`
    raised : a line for every training that did
    """
    parts: list[str] = [page.terms(about)]
    meanings: dict[str, str] = {}
    if raised:
        parts += ["<h2>Not trained</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in raised), "</ul>"]
    for problem, found in results.items():
        metric, number = numbers(problems.find(problem, "score.METRICS"))[0]
        shown = overview(found.main, metric, number, timing[timing.problem == problem])
        meanings |= terms.meanings(problem, [number.label])
        parts += [
            f"<h2>{escape(problem)}</h2>",
            page.paragraph(problems.question(problem), "question"),
            *map(page.paragraph, verdict.sentences(found.main, found.pairs, number).values()),
            page.table(shown, f"of_{problem}", filters=True),
            page.paragraph(found.over_datasets, "small"),
            page.paragraph(problems.find(problem, "score.CAPTION"), "small"),
            page.paragraph(f"All of its tables stand in {problem}.html.", "small"),
        ]
    parts += ["<h2>Terms</h2>", page.terms(meanings | terms.shared(*TERMS))]
    return page.page(f"blurbench: {about['run']}", parts)


def about(run: str, seed: int, configuration: list[str], machine: dict) -> dict[str, str]:
    """What was run, when and where, by term.

    Parameters
    ----------
    run, seed : of the configuration
    configuration : the files that it was read from, each laid over those before it
    machine : of `machine.describe`
    """
    versions = {"Python": machine["python"], **{name: machine["packages"].get(name) for name in SOFTWARE}}
    return {
        "run": run,
        "configuration": ", then ".join(configuration),
        "seed": str(seed),
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": machine["commit"] or "none",
        "machine": f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        "GPU": machine["gpu"] or "none",
        "software": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
    }


def overview(main: pd.DataFrame, metric, number, timing: pd.DataFrame) -> pd.DataFrame:
    """Every method of every dataset by the number that orders the tables, texts and numbers as they are to be read."""
    rows = main[(main.condition == "all") & (main.metric == number.name)]
    costs = timing.set_index(["dataset", "method"])
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
                terms.heading(metric, number): value,
                "95 % interval": interval,
                "failed": f"{row.n_failed}",
                "items": f"{row.n_items}",
                "s an item": rendering.estimate(cost["seconds_per_item"]),
                "prediction MB": rendering.estimate(cost["predict_max_rss_mb"]),
                "training core-s": rendering.estimate(cost["train_core_s"]),
            }
        )
    order = {name: i for i, name in enumerate(main.dataset.unique())}
    return pd.DataFrame(sorted(shown, key=lambda row: order[row["dataset"]]))
