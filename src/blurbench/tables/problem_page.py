"""All tables of one problem as a page to sort."""

from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.tables import page, terms, verdict
from blurbench.tables.rendering import NONE, estimate

TERMS = "kind", "↑, ↓, →", "95 % interval", "†", "failed", "first less second", "p", NONE


class Section(NamedTuple):
    """A published table: its title, what it shows, and its (heading, note, rows of strings)."""

    title: str
    caption: str
    blocks: list


def document(problem: str, sections: list[Section], main: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """HTML of the sections, under each dataset's first heading what its numbers say, then the pairs and the terms.

    Parameters
    ----------
    problem : its name
    sections : the main table first
    main, pairs : of `published.table` and `pairs.table`
    """
    said = verdict.sentences(main, pairs, numbers(problems.find(problem, "score.METRICS"))[0][1])
    shown = terms.headings(problem)
    contents, parts, labels = [], [], []
    for i, section in enumerate(sections):
        title = escape(section.title[0].upper() + section.title[1:])
        contents.append(f'<li><a href="#of_{i}">{title}</a></li>')
        parts += [f'<h2 id="of_{i}">{title}</h2>', page.paragraph(section.caption, "small")]
        for j, (heading, note, rows) in enumerate(section.blocks):
            parts.append(f"<h3>{escape(heading)}</h3>")
            parts += [page.paragraph(said[heading])] if not i and heading in said else []
            parts += [page.paragraph(note, "small"), page.table(rows.rename(columns=shown), f"table_{i}_{j}")]
            labels += [
                *rows,
                heading.partition(": ")[2],
            ]  # which names the number of a table whose columns are conditions
    contents += ['<li><a href="#pairs">Paired differences</a></li>', '<li><a href="#terms">Terms</a></li>']
    return page.page(
        f"blurbench: {problem}",
        [
            page.paragraph(problems.question(problem), "question"),
            f'<ul class="contents">{"".join(contents)}</ul>',
            *parts,
            '<h2 id="pairs">Paired differences</h2>',
            page.table(differences(pairs), "table_of_pairs", filters=True),
            '<h2 id="terms">Terms</h2>',
            page.terms(terms.meanings(problem, labels) | terms.shared(*TERMS)),
        ],
    )


def differences(pairs: pd.DataFrame) -> pd.DataFrame:
    """Rows of strings of the pairs table."""
    found = pairs[["difference", "ci_low", "ci_high"]].itertuples(index=False)
    return pd.DataFrame(
        {
            "dataset": pairs.dataset,
            "first": pairs.method_a,
            "second": pairs.method_b,
            "first less second": [estimate(*row) for row in found],
            "p": [NONE if np.isnan(p) else f"{p:.2g}" for p in pairs.p_holm],
        }
    )
