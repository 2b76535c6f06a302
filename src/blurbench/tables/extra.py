"""The tables beside the main one of a problem: its own, and those that all problems share."""

from typing import Any

from blurbench import problems
from blurbench.tables import mistakes, sweep
from blurbench.tables.settings import Settings

SHARED = {"mistakes": mistakes, "sweep": sweep}


def names(problem: str, given: Settings) -> list[str]:
    """Names of a problem's tables beside the main one."""
    wrong = any(entry.get("mistakes") for entry in given.datasets.values())
    return [*problems.load(problem).tables, *["mistakes"] * wrong, *["sweep"] * bool(given.trials)]


def part(problem: str, table: str, name: str) -> Any:
    """What the module of a table defines: TITLE, CAPTION, table, blocks or summary."""
    return getattr(SHARED[table], name) if table in SHARED else problems.find(problem, f"tables.{table}.{name}")
