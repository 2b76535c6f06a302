"""What a problem declares, and the only place that imports one by its name.

A problem is a folder of this library that holds a `schema.yaml`; docs/adding-a-problem.md says what else. A plan reads
the declarations of all of them, so neither they nor this module need numpy or torch.
"""

import importlib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).parent


class ProblemError(ValueError):
    """A problem's folder that does not keep the contract."""


@dataclass(frozen=True)
class Problem:
    """What the rest must know of a problem; its `__init__.py` declares one as PROBLEM.

    Parameters
    ----------
    answer : Numbers, Points or Images of `blurbench.files.answers`, with the columns that a method answers
    conditions : columns of the items that make conditions in the tables
    known : columns of the items that a microscopist knows: all that learned and classical methods are given of them
    known_spec : keys of a dataset's entry that a microscopist knows, a key of a part as "imaging.psf": all that such
        methods are given of it. What is not named is hidden from them: streams, the grid of the test split, and what
        the simulator does without their knowledge
    grid : keys of a dataset's entry, lists or mappings: the test split has its items for each combination of theirs
    figures : names of the figures of each dataset, figures/<name>.py; the first shows some of its items, on
        its card too
    training_figures : names of the figures of each dataset on which methods are trained
    summary_figures : names of the figures over all datasets
    tables : names of the tables beside the main one, tables/<name>.py
    """

    answer: Any
    conditions: tuple[str, ...]
    known: tuple[str, ...]
    known_spec: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    training_figures: tuple[str, ...] = ()
    summary_figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if not isinstance(value, tuple) or not all(isinstance(name, str) for name in value):
                raise ProblemError(f"PROBLEM: {field.name}: found {value!r}, expected a tuple of names")


def names() -> list[str]:
    """Every problem of the library, in alphabetical order."""
    return sorted(path.parent.name for path in LIBRARY.glob("*/schema.yaml"))


def load(name: str) -> Problem:
    """Declaration of a problem.

    Raises
    ------
    ProblemError if there is no such problem, or its `__init__.py` does not declare one.
    """
    declared = find(name, "PROBLEM")
    if not isinstance(declared, Problem):
        raise ProblemError(f"{_file(name)}: PROBLEM: found {declared!r}, expected a blurbench.problems.Problem")
    return declared


def question(name: str) -> str:
    """What a problem asks: the first paragraph of what its `__init__.py` says of itself, in a line."""
    load(name)
    return " ".join((importlib.import_module(f"blurbench.{name}").__doc__ or "").split("\n\n")[0].split())


@cache
def find(name: str, wanted: str) -> Any:
    """Something that a problem's folder defines, such as "score.METRICS" or "figures.examples.draw".

    Raises
    ------
    ProblemError that says which file must define it.
    """
    if name not in names():
        raise ProblemError(
            f"the unknown problem {name!r}: found {names()} in {LIBRARY}, expected a folder of that name"
        )
    *parts, attribute = wanted.split(".")
    module = ".".join(["blurbench", name, *parts])
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # what it imports is missing, not the file itself
        raise ProblemError(
            f"{_file(name, *parts)}: found no such file, expected one that defines {attribute}"
        ) from None
    if not hasattr(found, attribute):
        raise ProblemError(f"{_file(name, *parts)}: found no {attribute}, expected its definition there")
    return getattr(found, attribute)


def _file(name: str, *parts: str) -> Path:
    path = LIBRARY.joinpath(name, *parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
