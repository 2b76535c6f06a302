"""Card of a method: what it is and from where, its options, what it is made for and took, and where it failed."""

from typing import Any

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.planning import catalogue, meanings, units
from blurbench.scoring.metric import numbers
from blurbench.tables import page, terms
from blurbench.tables.dataset_card import text
from blurbench.tables.rendering import NONE, estimate

SAID = {  # for words of a JSON schema; others are told as they are
    "enum": "one of",
    "minimum": "from",
    "maximum": "to",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}
MANY = 12  # ranges of a dataset; more are left to its own card


def card(config: dict[str, Any], problem: str, name: str, found) -> list[str]:
    """Parts in HTML; `found` is a `cards.Found`, the other parameters are those of `cards.document`."""
    entry = config["problems"][problem]["methods"][name]
    paragraphs = [" ".join(part.split()) for part in found.descriptions[name].split("\n\n") if part.strip()]
    parts = [
        *(page.paragraph(part, "small" if i else "") for i, part in enumerate(paragraphs)),
        page.terms(_what(problem, entry) | _made_for(config, problem, name, entry)),
    ]
    if entry["options"] or entry["sweep"]:
        parts.append(page.plain(_options(problem, entry)))
    main = found.scores[(found.scores.method == name) & (found.scores.condition == "all")]
    if len(main):
        parts.append(page.plain(_results(problem, main, found.timing)))
    listed = any(name in dataset["methods"] for dataset in config["problems"][problem]["datasets"].values())
    said = [*failed(name, found), *lost(name, found)] if listed else ["No dataset of this run lists it."]
    parts += map(page.paragraph, said)
    if found.mistakes is not None and (found.mistakes.method == name).any():
        parts.append(page.plain(_mistakes(problem, found.mistakes[found.mistakes.method == name])))
    return parts


def failed(name: str, found) -> list[str]:
    """A sentence for each training that raised and each reason for which items have no answer, or that none failed."""
    raised = found.not_trained[found.not_trained.method == name]
    items = found.failures[found.failures.method == name]
    said = [f"Failed: its training on {r.dataset}, seed {r.seed}, raised: {r.reason}." for r in raised.itertuples()]
    said += [f"Failed: {r.n_failed} of {r.n} items of {r.dataset}: {r.status}." for r in items.itertuples()]
    return said or ["Failed on no item of this run."]


def lost(name: str, found) -> list[str]:
    """A sentence for each dataset with mistakes: the one that costs most, of those whose interval is above 0."""
    if found.mistakes is None:
        return []
    rows = _leading(found.mistakes[found.mistakes.method == name])
    worst = rows[rows.loss_low > 0].sort_values("loss").groupby("dataset", sort=False).tail(1)
    return [
        f"Loses most under {r.mistake} of {r.dataset}: {r.metric} worse by {estimate(r.loss, r.loss_low, r.loss_high)}."
        for r in worst.itertuples()
    ]


def _leading(table):
    """Rows of the first number of each dataset in a table of mistakes."""
    return table[table.metric == table.groupby("dataset").metric.transform("first")]


def _what(problem, entry):
    """Kind and file, by term; what is trained, and with which budget."""
    said = {"kind": entry["kind"] + (", a bound: its answers are no estimates" if entry["bound"] else "")}
    said["file"] = f"{problem}/methods/{entry['method']}.py" if entry["method"] else "a rule in rules/extra/"
    if entry["network"] and entry["trains"]:
        said["budget"] = ", ".join(f"{key} {text(value)}" for key, value in entry["budget"].items())
    return said


def _made_for(config, problem, name, entry):
    """What its weights or settings come from, and the ranges that these were drawn from, by dataset."""
    if not entry["model"]:
        return {"trained on": "nothing"}
    datasets = config["problems"][problem]["datasets"]
    homes = [units.home(config, problem, one, name) for one, data in datasets.items() if name in data["methods"]]
    weights = "" if entry["model"] == name else f" (weights of {entry['model']})"
    said = {"trained on": (", ".join(dict.fromkeys(homes)) or NONE) + weights}
    for home in dict.fromkeys(homes):
        ranges = meanings.ranges(problem, datasets[home])
        words = ", ".join(f"{one.key} {text(one.value)}" for one in ranges)
        said[f"made for, by {home}"] = words if len(ranges) <= MANY else f"{len(ranges)} ranges, on the card of {home}"
    return said


def _options(problem, entry):
    """A row for each option: its value in the run, its default, and what it may be."""
    described = catalogue.describe(problem, entry["method"]) if entry["method"] else None
    defaults, allowed = (described.options, described.allowed) if described else ({}, {})
    keys = dict.fromkeys([*entry["options"], *entry["sweep"]])
    rows = [
        {
            "option": key,
            "value": f"swept: {text(entry['sweep'][key])}" if key in entry["sweep"] else text(entry["options"][key]),
            "default": text(defaults[key]) if key in defaults else NONE,
            "may be": ", ".join(f"{SAID.get(word, word)} {text(value)}" for word, value in allowed.get(key, {}).items())
            or NONE,
        }
        for key in keys
    ]
    return pd.DataFrame(rows)


def _results(problem, main, timing):
    """A row for each dataset: rank, the number that orders the tables, failures, and costs of `timing`."""
    metric, number = numbers(problems.find(problem, "score.METRICS"))[0]
    costs = timing.set_index(["dataset", "method"])
    rows = []
    for row in main[main.metric == number.name].itertuples():
        cost = costs.loc[(row.dataset, row.method)]
        rows.append(
            {
                "dataset": row.dataset,
                "rank": NONE if np.isnan(row.rank) else f"{row.rank:g}",
                terms.heading(metric, number): estimate(row.mean, row.ci_low, row.ci_high),
                "failed": f"{row.n_failed} of {row.n_items}",
                "s an item": estimate(cost["seconds_per_item"]),
                "prediction MB": estimate(cost["predict_max_rss_mb"]),
                "training items": estimate(cost["train_items"]),
                "training core-s": estimate(cost["train_core_s"]),
                "training MB": estimate(cost["train_max_rss_mb"]),
            }
        )
    return pd.DataFrame(rows)


def _mistakes(problem, table):
    """A row for each dataset and mistake: the first number that stands there, and by how much it is worse."""
    leading = _leading(table)
    labels = {number.name: number.label for _, number in numbers(problems.find(problem, "score.METRICS"))}
    return pd.DataFrame(
        {
            "dataset": leading.dataset,
            "mistake": leading.mistake,
            "number": [labels.get(metric) or metric for metric in leading.metric],
            "value": [estimate(*row) for row in leading[["mean", "ci_low", "ci_high"]].itertuples(index=False)],
            "worse by": [estimate(*row) for row in leading[["loss", "loss_low", "loss_high"]].itertuples(index=False)],
            "failed": leading.n_failed.astype(str),
        }
    )
