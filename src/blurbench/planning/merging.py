"""One mapping over another: a layer over a configuration, an entry over the one that it is like."""

import copy
from typing import Any


def merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Deep merge; a mapping of another `kind` replaces the old one whole, so that no key of the old kind stays."""
    result = copy.deepcopy(base)
    for key, value in own.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and _same_kind(old, value):
            result[key] = merged(old, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _same_kind(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return new.get("kind", old.get("kind")) == old.get("kind")


def without_nulls(entry: Any) -> Any:
    """Copy without the entries that a layer has set to null."""
    if not isinstance(entry, dict):
        return entry
    return {key: without_nulls(value) for key, value in entry.items() if value is not None}
