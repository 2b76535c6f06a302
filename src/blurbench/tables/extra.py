"""The tables beside the main one of a problem: its own, and that of trials, which all problems share."""

from typing import Any

from blurbench import problems
from blurbench.tables import sweep


def names(problem: str, trials) -> list[str]:
    """Names of a problem's tables beside the main one; `trials` as in `Settings`."""
    return [*problems.load(problem).tables, *(["sweep"] if trials else [])]


def part(problem: str, table: str, name: str) -> Any:
    """What the module of a table defines: TITLE, CAPTION, table, blocks or summary."""
    return getattr(sweep, name) if table == "sweep" else problems.find(problem, f"tables.{table}.{name}")
