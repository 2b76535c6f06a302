"""What a published result was made with: the code of each method, its options, its budget and what is swept.

A run writes it to tables/methods.csv. Whoever publishes the run commits that file as docs/published.csv, and a test
tells which methods have changed since.
"""

import json
from typing import Any

from blurbench.planning import sources
from blurbench.planning.units import Config, units


def methods(config: Config) -> list[dict[str, Any]]:
    """A row for each method that an expanded configuration runs.

    Returns
    -------
    dicts of problem, method, kind, file, options, budget and sweep (JSON) and code; that of a method that a rule of the
    user's runs is ""
    """
    rows = []
    for problem, method in dict.fromkeys((unit.problem, unit.method) for unit in units(config)):
        entry = config["problems"][problem]["methods"][method]
        row = {"problem": problem, "method": method, "kind": entry["kind"], "file": entry["method"]}
        row |= {key: json.dumps(entry[key], sort_keys=True) for key in ("options", "budget", "sweep")}
        rows.append({**row, "code": "" if entry["external"] else code(problem, entry["method"])})
    return rows


def code(problem: str, file: str) -> str:
    """Checksum of a method's file and of what it imports of its problem, `learning` and `microscopy`."""
    within = f"blurbench.{problem}", "blurbench.learning", "blurbench.microscopy"
    return sources.code(f"blurbench.{problem}.methods.{file}", within)
