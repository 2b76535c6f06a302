"""What an entry is where it is silent: the defaults that its schema states, for those who call a simulator."""

import copy
from typing import Any

from blurbench.planning import schemas


def stated(problem: str, key: str) -> dict[str, Any]:
    """Defaults of one part of a dataset's entry, such as `imaging`; parts of the part among them."""
    return copy.deepcopy(_defaults(schemas.of_dataset(problem)["properties"][key]))


def _defaults(rules: dict[str, Any]) -> Any:
    if "default" in rules:
        return rules["default"]
    parts = {name: _defaults(rule) for name, rule in rules.get("properties", {}).items()}
    return {name: value for name, value in parts.items() if value is not None} or None
