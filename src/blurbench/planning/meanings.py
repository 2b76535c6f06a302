"""What the keys of a dataset's entry mean: the descriptions of its schema, which name the unit, beside the values."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from blurbench.planning import mistakes, schemas

RANGE = "[lo, hi]"  # what a description says of a value that may be one
OTHERS = {"like", "methods", "models", "stream", "training_seeds", "splits"}  # which say how a dataset is used


class Meaning(NamedTuple):
    """A key of an entry, with a dot for each level; its value; what the schema says of it, "" where it is silent."""

    key: str
    value: Any
    words: str


def of_dataset(problem: str, entry: dict[str, Any]) -> list[Meaning]:
    """Every value of a dataset's expanded entry, but for the keys that say how it is used.

    What is otherwise under a mistake stands at the end, a key of it as `mistakes.<name>.<key>`.
    """
    schema = schemas.of_dataset(problem)
    own = {key: value for key, value in entry.items() if key not in OTHERS | {mistakes.KEY}}
    found = list(_walk(own, schema, schema, ""))
    for name, change in entry.get(mistakes.KEY, {}).items():
        inside = list(_walk(change, schema, schema, f"{mistakes.KEY}.{name}."))
        found += inside or [Meaning(f"{mistakes.KEY}.{name}", "", "nothing is otherwise")]
    return found


def ranges(problem: str, entry: dict[str, Any]) -> list[Meaning]:
    """Those of `of_dataset` from whose range items are drawn, or that are held at one value of it."""
    return [one for one in of_dataset(problem, entry) if RANGE in one.words and not one.key.startswith(mistakes.KEY)]


def _walk(entry: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], prefix: str) -> Iterator[Meaning]:
    described = list(_applying(schema, entry, root))
    for key, value in entry.items():
        own = [one["properties"][key] for one in described if key in one.get("properties", {})]
        named = [one["additionalProperties"] for one in described if isinstance(one.get("additionalProperties"), dict)]
        below = {"allOf": own or named}
        if isinstance(value, dict) and value:
            yield from _walk(value, below, root, f"{prefix}{key}.")
        else:
            yield Meaning(f"{prefix}{key}", value, _words(list(_applying(below, value, root))))


def _words(described: list[dict[str, Any]]) -> str:
    """The first description; without one, the words that the value is chosen from."""
    words = [one["description"] for one in described if "description" in one]
    return [*words, *(f"one of {', '.join(map(str, one['enum']))}" for one in described if "enum" in one), ""][0]


def _applying(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and those within it that hold for a value: what it refers to, and the conditions that are met."""
    yield schema
    if "$ref" in schema:
        yield from _applying(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    for one in schema.get("allOf", []):
        yield from _applying(one, value, root)
    if "then" in schema and Draft202012Validator(schema["if"]).is_valid(value):
        yield from _applying(schema["then"], value, root)
