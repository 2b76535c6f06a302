"""What an entry is where it is silent: the defaults that its schema states, for those who call a simulator."""

import copy
from functools import cache

import yaml

from blurbench.problems import LIBRARY


def stated(problem: str, key: str) -> dict:
    """Defaults of one part of a dataset's entry, such as `imaging`; parts of the part among them."""
    return copy.deepcopy(_defaults(_schema(problem)["properties"][key]))


def _defaults(rules):
    if "default" in rules:
        return rules["default"]
    parts = {name: _defaults(rule) for name, rule in rules.get("properties", {}).items()}
    return {name: value for name, value in parts.items() if value is not None} or None


@cache
def _schema(problem):
    return yaml.safe_load((LIBRARY / problem / "schema.yaml").read_text(encoding="utf-8"))
