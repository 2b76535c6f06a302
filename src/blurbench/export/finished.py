"""A run that has ended well, as what is handed on of it begins."""

import json
from pathlib import Path
from typing import Any

COMPLETE = "complete.json"
ORIGIN = "tables/summary.json"


class UnfinishedError(ValueError):
    """A run that has not ended, or not well."""


def origin(results: Path) -> dict[str, Any]:
    """Where the tables over all problems come from, of `tables.provenance.about`.

    Raises
    ------
    UnfinishedError if the run has not ended well, as where a training raised.
    """
    for name in (COMPLETE, ORIGIN):
        if not (results / name).is_file():
            raise UnfinishedError(f"{results / name}: found nothing, expected a run that has ended with all trained")
    return json.loads((results / ORIGIN).read_text(encoding="utf-8"))
