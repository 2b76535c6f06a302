"""Cards of one problem as a page: what each dataset contains, and what each method is."""

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blurbench import problems
from blurbench.tables import dataset_card, method_card, page, terms
from blurbench.tables.rendering import NONE

COSTS = "s an item", "prediction MB", "training core-s", "training MB"
TERMS = "kind", "rank", "↑, ↓, →", "95 % interval", "failed", *COSTS, NONE


class Found(NamedTuple):
    """What a run left of one problem.

    scores, failures, timing, not_trained : tables of that name, `scores` the main one
    mistakes : that table, None for a problem whose datasets have none
    manifests : {(dataset, split): content of the manifest}
    pictures : {dataset: PNG that shows some of its items}
    descriptions : {method: docstring of its file}, "" for one without
    """

    scores: pd.DataFrame
    failures: pd.DataFrame
    timing: pd.DataFrame
    not_trained: pd.DataFrame
    mistakes: pd.DataFrame | None
    manifests: dict[tuple[str, str], dict]
    pictures: dict[str, Any]
    descriptions: dict[str, str]


def document(config: dict[str, Any], problem: str, found: Found, folder: Path) -> str:
    """HTML of the cards of one problem, datasets first, in the order of the configuration.

    Parameters
    ----------
    config : `problems`, `training_seeds` and `seed` of an expanded configuration
    problem : its name
    folder : of the page, which links of pictures are from
    """
    entry = config["problems"][problem]
    of_datasets = [dataset_card.card(config, problem, name, found, folder) for name in entry["datasets"]]
    of_methods = [method_card.card(config, problem, name, found) for name in entry["methods"]]
    return page.page(
        f"blurbench: cards of {problem}",
        [
            page.paragraph(problems.question(problem), "question"),
            _contents("Datasets", "dataset", entry["datasets"]),
            _contents("Methods", "method", entry["methods"]),
            *_section("Datasets", "dataset", dict(zip(entry["datasets"], of_datasets))),
            *_section("Methods", "method", dict(zip(entry["methods"], of_methods))),
            "<h2>Terms</h2>",
            page.terms(terms.shared(*TERMS)),
        ],
        sorted_tables=False,
    )


def _contents(title, prefix, names):
    links = ", ".join(f'<a href="#{prefix}_{escape(name)}">{escape(name)}</a>' for name in names)
    return f"<p><b>{title}</b>: {links}</p>"


def _section(title, prefix, parts):
    yield f"<h2>{title}</h2>"
    for name, card in parts.items():
        yield f'<h3 id="{prefix}_{escape(name)}">{escape(name)}</h3>'
        yield from card
