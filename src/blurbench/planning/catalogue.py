"""What there is to choose from: the method files of a problem, read without running them.

A method is one class in blurbench/<problem>/methods/<method>.py with

    kind      learned | classical | limit | control
    options   its options and their defaults (a literal dict; may be absent)
    fit(splits, budget, device, seed)             where it learns, or chooses its parameters on the validation split
    predict(dataset, model, device) -> DataFrame  one row per item, columns as in the problem's answer

A plan must not import torch or pandas, so this module reads syntax trees.
"""

import ast
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from blurbench.problems import LIBRARY

KINDS = ("learned", "classical", "limit", "control")


class MethodError(ValueError):
    """A method file that does not keep the contract, or an option it does not know."""


class Description(NamedTuple):
    """What the workflow must know of a method before it runs."""

    kind: str
    options: dict
    trains: bool


def source(problem: str, method: str) -> Path:
    """File of a method."""
    return LIBRARY / problem / "methods" / f"{method}.py"


@lru_cache
def describe(problem: str, method: str) -> Description:
    """Kind, options and whether it trains.

    Raises MethodError if there is no such file or it holds no class with a `kind`.
    """
    path = source(problem, method)
    if not path.exists():
        known = sorted(p.stem for p in path.parent.glob("[a-z]*.py"))
        raise MethodError(f"method {method!r}: no file {path.name} in {problem}/methods/, found {known}")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names = {
                target.id: entry.value
                for entry in node.body
                if isinstance(entry, ast.Assign)
                for target in entry.targets
                if isinstance(target, ast.Name)
            }
            if "kind" in names:
                kind = ast.literal_eval(names["kind"])
                if kind not in KINDS:
                    raise MethodError(f"{path}: kind is {kind!r}, expected one of {KINDS}")
                options = ast.literal_eval(names["options"]) if "options" in names else {}
                fits = any(isinstance(f, ast.FunctionDef) and f.name == "fit" for f in node.body)
                return Description(kind, options, fits or kind == "learned")
    raise MethodError(f"{path}: no class with a class attribute `kind`, one of {KINDS}")
