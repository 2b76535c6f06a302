"""What the options of a method may be: like their defaults, and as the method's `allowed` says."""

import math
from typing import Any

from blurbench.planning.faults import Fault
from blurbench.planning.schema_faults import WORDS, is_number, schema_faults

KINDS_OF_VALUE = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}


def option_faults(where: str, value: Any, default: Any, allowed: dict[str, Any]) -> list[Fault]:
    """Faults of an option's value.

    It is of the kind of its default, a number from 0 on, a whole one from 1; a list is not empty, and its elements are
    like the first of the default. What `allowed` states goes before that.

    Parameters
    ----------
    where : key that it stands at
    allowed : JSON schema of this option, or of what is to be said of it beside its kind; {} if nothing is
    """
    for part in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(part, float) and not math.isfinite(part):
            return [Fault(where, repr(value), "finite numbers" if part is not value else "a finite number")]
    if {"type", "enum", "anyOf"} & set(allowed):
        faults = schema_faults(value, allowed, where)
        return [Fault(where, repr(value), _alternatives(allowed))] if faults and "anyOf" in allowed else faults
    if not _same_type(value, default):
        return [Fault(where, repr(value), f"{WORDS[KINDS_OF_VALUE[type(default)]]} like {default!r}, the default")]
    return schema_faults(list(value) if isinstance(value, tuple) else value, {**_rules(default), **allowed}, where)


def _rules(default: Any) -> dict[str, Any]:
    """Schema of what is like a default."""
    if default is None or type(default) is bool or isinstance(default, (str, dict)):
        return {}
    if isinstance(default, (list, tuple)):
        return {"type": "array", "minItems": 1, **({"items": _rules(default[0])} if default else {})}
    return {"type": KINDS_OF_VALUE[type(default)], "minimum": 1 if isinstance(default, int) else 0}


def _alternatives(allowed: dict[str, Any]) -> str:
    """What one of several schemas asks for, in words."""
    found = (schema_faults(object(), rules, "option") for rules in allowed["anyOf"])
    return " or ".join(faults[0].expected for faults in found)


def _same_type(value: Any, default: Any) -> bool:
    if default is None:
        return True
    if is_number(default):
        return is_number(value) and (isinstance(default, float) or isinstance(value, int))
    return isinstance(value, (list, tuple)) if isinstance(default, (list, tuple)) else isinstance(value, type(default))
