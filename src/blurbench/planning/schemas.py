"""Which keys a configuration may hold: the schemas, as they are written and as entries are judged by them.

configuration.yaml beside this file has what all problems share. A problem's own keys stand in its schema.yaml, for its
datasets, and in its recording.yaml.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from blurbench.problems import LIBRARY

Schema = dict[str, Any]


def of_configuration() -> Schema:
    """Schema of a whole configuration."""
    return _read(Path(__file__).with_name("configuration.yaml"))


def of_dataset(problem: str) -> Schema:
    """Schema of what a problem's dataset is made from, once every reference is resolved."""
    return _read(LIBRARY / problem / "schema.yaml")


def dataset_keys() -> Schema:
    """Schemas of the keys that a dataset of any problem may have beside its own: `like`, `methods` and so on."""
    return of_configuration()["$defs"]["dataset"]["properties"]


@cache
def of_dataset_entry(problem: str) -> Schema:
    """Schema of a dataset as it is written: with the keys of every dataset, and without what must be stated."""
    own = of_dataset(problem)
    return _optional({**own, "properties": {**own["properties"], **dataset_keys()}})


def of_recording(problem: str | None) -> Schema:
    """Schema of a problem's recordings; where the problem is not known, that of the keys which all of them have.

    It may refer to the definitions of the problem's datasets: what both have is described once.
    """
    shared = of_configuration()["$defs"]
    common = shared["recording"]
    own = _read(LIBRARY / problem / "recording.yaml") if problem else {}
    datasets = of_dataset(problem).get("$defs", {}) if problem else {}
    return {
        **common,
        "$defs": {**shared, **datasets, **own.get("$defs", {})},
        "additionalProperties": problem is None,
        "required": [*common["required"], *own.get("required", [])],
        "properties": {**common["properties"], **own.get("properties", {})},
    }


def start_of_recording(problem: str) -> Schema:
    """What a problem's recording may begin with, where nothing is known of it."""
    return _read(LIBRARY / problem / "recording.yaml").get("start", {})


def has_recordings(problem: str) -> bool:
    """Whether a problem takes recordings."""
    return (LIBRARY / problem / "recording.yaml").exists()


def _optional(schema: Any) -> Any:
    """A schema without what it requires: an entry with `like` states only what differs. Conditions stay as they are."""
    if isinstance(schema, dict):
        return {key: value if key == "if" else _optional(value) for key, value in schema.items() if key != "required"}
    if isinstance(schema, list):
        return [_optional(value) for value in schema]
    return schema


@cache
def _read(path: Path) -> Schema:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
