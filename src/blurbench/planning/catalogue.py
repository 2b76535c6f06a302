"""What there is to choose from: the method files of a problem, read without running them.

Their contract stands in method.py. A plan must not import torch or pandas, so this module reads syntax trees.
"""

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from blurbench.planning.method import KINDS
from blurbench.problems import LIBRARY


class MethodError(ValueError):
    """A method file that does not keep the contract, or an option it does not know."""


class Description(NamedTuple):
    """What the workflow must know of a method before it runs."""

    class_name: str
    kind: str
    trains: bool
    options: dict[str, Any]
    bound: bool = False
    network: bool = False
    allowed: dict[str, Any] = {}  # schemas of options


def files(problem: str) -> list[str]:
    """Names of the method files of a problem, in alphabetical order."""
    return sorted(path.stem for path in (LIBRARY / problem / "methods").glob("[a-z]*.py"))


def source(problem: str, method: str) -> Path:
    """File of a method."""
    return LIBRARY / problem / "methods" / f"{method}.py"


@lru_cache
def describe(problem: str, method: str) -> Description:
    """What a method file states of itself.

    The class of the file is the one at its top level whose body states a `kind`.

    Raises
    ------
    MethodError if there is no such file, or it does not keep the contract.
    """
    path = source(problem, method)
    if not path.exists():
        raise MethodError(f"method {method!r}: no file {path.name} in {problem}/methods/, found {files(problem)}")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise MethodError(f"{path}: found no Python ({error}), expected a class with a `kind`") from None
    stated = {node.name: _stated(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    candidates = [name for name, values in stated.items() if "kind" in values]
    if len(candidates) != 1:
        found = f"{len(candidates)} classes with a `kind` in their bodies, {candidates} of {list(stated)}"
        raise MethodError(f"{path}: found {found}, expected one, whose `kind` is one of {KINDS}")
    values = stated[candidates[0]]
    kind = _literal(path, values, "kind", str, f"one of {KINDS}")
    trains = _literal(path, values, "trains", bool, "True where the class has a `fit`, else False")
    options = _literal(path, values, "options", dict, "a dict of names and defaults", default={})
    if kind not in KINDS:
        raise MethodError(f"{path}: kind: found {kind!r}, expected one of {KINDS}")
    if kind == "learned" and not trains:
        raise MethodError(f"{path}: trains: found False, expected True for the kind learned")
    bound = _literal(path, values, "bound", bool, "True for a limit whose answers are no estimates", default=False)
    if bound and kind != "limit":
        raise MethodError(f"{path}: bound: found True, expected False for the kind {kind}")
    network = _literal(path, values, "network", bool, "True for a learned method with one", default=kind == "learned")
    if network and kind != "learned":
        raise MethodError(f"{path}: network: found True, expected False for the kind {kind}")
    allowed = _literal(path, values, "allowed", dict, "a dict of options and their JSON schemas", default={})
    if extra := sorted(set(allowed) - set(options)):
        raise MethodError(f"{path}: allowed: found {extra[0]!r}, expected one of the options, {sorted(options)}")
    return Description(candidates[0], kind, trains, options, bound, network, allowed)


def check_class(problem: str, method: str, cls: type) -> None:
    """Judge the class of a method once it is loaded, when a `fit` that it inherits shows. Raises MethodError."""
    described, fits = describe(problem, method), hasattr(cls, "fit")
    if described.trains != fits:
        found = f"{described.trains} and {'a' if fits else 'no'} `fit` in {cls.__name__} or what it inherits from"
        raise MethodError(f"{source(problem, method)}: trains: found {found}, expected {fits}, or the other of `fit`")


def _stated(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Values of the class attributes, as they are written."""
    values: dict[str, ast.expr] = {}
    for entry in node.body:
        targets = entry.targets if isinstance(entry, ast.Assign) else [getattr(entry, "target", None)]
        value = getattr(entry, "value", None)
        values |= {target.id: value for target in targets if isinstance(target, ast.Name) and value is not None}
    return values


def _literal(
    path: Path, values: dict[str, ast.expr], name: str, wanted: type, expected: str, default: Any = None
) -> Any:
    """Value of a class attribute that is written out; one without a default may not be left out."""
    if name not in values and default is not None:
        return default
    if name not in values:
        raise MethodError(f"{path}: {name}: found nothing, expected {expected}")
    try:
        value = ast.literal_eval(values[name])
    except (ValueError, TypeError):
        value = None
    if not isinstance(value, wanted):
        raise MethodError(f"{path}: {name}: found {ast.unparse(values[name])}, expected {expected}, written out")
    return value
