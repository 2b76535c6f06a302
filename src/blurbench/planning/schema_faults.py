"""Faults of a value against a JSON schema, in words that say what was expected, with its unit."""

import math
import re
from typing import Any, TypeGuard

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from blurbench.planning.faults import Fault, unknown

WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "object": "a mapping",
    "boolean": "true or false",
}


def schema_faults(value: Any, schema: dict[str, Any], where: str) -> list[Fault]:
    """Faults of a value that stands at the key `where`, "" for the top, in the order of the value's keys."""
    errors = VALIDATOR(schema).iter_errors(value)
    return [
        fault
        for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path])
        for fault in _faults(error, _key(where, *error.absolute_path))
    ]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number to a reader of YAML, to whom true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_finite(checker: object, value: object) -> bool:
    return is_number(value) and math.isfinite(value)


# A schema's bounds hold for NaN, as no number is below it or above it.
VALIDATOR = extend(Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite))


def _faults(error: ValidationError, where: str) -> list[Fault]:
    rules: Any = error.schema
    value: Any = error.instance
    here = where or "the configuration"
    if error.validator == "additionalProperties":
        known = list(rules.get("properties", {}))
        return [unknown(_key(where, key), key, known, "a key") for key in value if key not in known]
    if error.validator == "required":
        missing = next(key for key in rules["required"] if error.message.startswith(repr(key)))
        rule = rules.get("properties", {}).get(missing, {})
        return [Fault(_key(where, missing), "nothing", _expected(rule))]
    if error.validator == "minProperties":
        return [Fault(here, "nothing", "at least one entry")]
    found = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:76]} ..."
    expected = _expected(rules)
    if isinstance(value, str) and "number" in _types(rules) and re.fullmatch(r"[-+.\d]+e[-+]?\d+", value):
        expected += " (YAML reads 1e-4 as text: write 1.0e-4)"
    return [Fault(here, found, expected)]


def _key(where: str, *parts: object) -> str:
    return ".".join([*filter(None, [where]), *map(str, parts)])


def _expected(rules: dict[str, Any]) -> str:
    """A schema in words: what kind of value, within which bounds, and what it means."""
    if "enum" in rules:
        text = f"one of {', '.join('null' if v is None else str(v) for v in rules['enum'])}"
    elif "const" in rules:
        text = repr(rules["const"])
    else:
        text = " or ".join(WORDS[kind] for kind in _types(rules)) or "a value"
    low, above, high = (rules.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    bounds = [f"above {above:g}" if above is not None else "", f"from {low:g}" if low is not None else ""]
    bounds += [f"up to {high:g}" if high is not None else ""]
    if rules.get("minItems", 0) and "array" in _types(rules):
        count = rules["minItems"] if rules["minItems"] == rules.get("maxItems") else f"at least {rules['minItems']}"
        bounds.append(f"(a list holds {count})")
    description = rules.get("description")
    return " ".join(filter(None, [text, *bounds])) + (f": {description}" if description else "")


def _types(rules: dict[str, Any]) -> list[str]:
    kind = rules.get("type", [])
    return [kind] if isinstance(kind, str) else kind
