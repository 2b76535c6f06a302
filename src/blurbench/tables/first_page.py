"""The first page of the report, in reStructuredText: what was run, when and where, and what came out."""

import re

from blurbench import problems
from blurbench.scoring.metric import numbers
from blurbench.tables import verdict
from blurbench.tables.rendering import FEW, few


def document(about: dict[str, str], results: dict, raised: list[str]) -> str:
    """The page below its title and the links to the others, which rules/captions/first_page.rst adds.

    Parameters
    ----------
    about : what was run, when and where, by term
    results : `summary.Results` of each problem, by its name
    raised : a line for every training that did
    """
    parts = ["\n".join(f":{_plain(term)}: {_plain(text)}" for term, text in about.items())]
    if raised:
        parts += [_heading("Not trained"), _list(raised)]
    for problem, found in results.items():
        number = numbers(problems.find(problem, "score.METRICS"))[0][1]
        said = verdict.sentences(found.main, found.pairs, number).values()
        parts += [_heading(problem), _plain(problems.question(problem)), _list(said)]
        parts += [_plain(FEW)] if any(few(0) in line for line in said) else []
    return "\n\n".join(parts) + "\n"


def _heading(text):
    return f"{_plain(text)}\n{'-' * 2 * len(text)}"  # may not be shorter than the text, escapes included


def _list(lines):
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _plain(text):
    """Text in which no character is markup."""
    return re.sub(r"([\\*_`|:])", r"\\\1", " ".join(str(text).split()))
