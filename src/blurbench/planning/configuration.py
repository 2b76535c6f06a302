"""The configuration: what is abbreviated is written out, and what is wrong is refused before any job starts.

Two sources say what is right: configuration.yaml beside this file, with schema.yaml and recording.yaml of each problem
(keys, types, plausible units), and the functions here and in the problem's configuration.py (one value against another,
which no schema can say).
"""

import copy
import difflib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from jsonschema import Draft202012Validator

from blurbench import problems as known_problems
from blurbench.planning import catalogue
from blurbench.problems import LIBRARY

SCHEMA = Path(__file__).with_name("configuration.yaml")
DERIVED = {"like", "methods", "splits", "stream", "models"}  # keys of a dataset that are the house's, not the problem's
NAME = re.compile(r"[a-z0-9_]+")
WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "object": "a mapping",
}
WORDS |= {"boolean": "true or false"}


class Fault(NamedTuple):
    """One thing wrong in a configuration: where it stands, what was found there and what was expected."""

    where: str
    found: str
    expected: str


class ConfigurationError(ValueError):
    """Everything that is wrong in a configuration, one line per fault."""

    def __init__(self, faults):
        self.faults = faults
        lines = [f"  {where}: found {found}, expected {expected}" for where, found, expected in faults]
        super().__init__("\n".join([f"the configuration has {len(lines)} fault{'s'[: len(lines) > 1]}:", *lines]))


def expand(config: dict) -> dict:
    """Configuration with every reference resolved (`like`, `model`, `models`, `stream`) and every default filled in.

    Parameters
    ----------
    config : dict, as read from YAML; an entry that a layer sets to null is dropped

    Returns
    -------
    dict of the same shape. A dataset also holds `like`, `methods`, `splits`, `stream` (the dataset whose random streams
    it shares) and `models` (the dataset whose models it uses), its own name if not stated. A method holds `kind`,
    `method` (its file), `options`, `budget`, `trains`, `model` (the entry whose weights it uses, or None) and
    `external`.

    Raises
    ------
    ConfigurationError listing every fault.
    """
    config = _without_nulls({"recordings": {}, **copy.deepcopy(dict(config))})
    faults = schema_faults(config, _schema(SCHEMA), "")
    if any(fault.where in {"problems", "recordings", "the configuration"} for fault in faults):
        raise ConfigurationError(faults)
    for name, problem in config["problems"].items():
        where = f"problems.{name}"
        if any(fault.where in {where, f"{where}.datasets", f"{where}.methods"} for fault in faults):
            continue
        if not NAME.fullmatch(str(name)):
            continue  # told below: a name that climbs out of the library is not looked for
        if not (LIBRARY / name / "schema.yaml").exists():
            faults.append(_unknown(where, name, known_problems.names(), "a problem"))
            continue
        _Problem(name, problem, faults).expand(config.get("memory_mb"))
    for name, recording in config["recordings"].items():
        if isinstance(recording, dict):
            faults += _recording_faults(f"recordings.{name}", recording, config["problems"])
    faults += [
        Fault(key, f"the name {name!r}", "a name of lower-case letters, digits and _ only")
        for key, name in _named(config)
        if not NAME.fullmatch(str(name))
    ]
    if faults:
        raise ConfigurationError(list(dict.fromkeys(faults)))
    return config


class _Problem:
    """One problem's datasets and methods; expands them in place and adds to `faults`."""

    def __init__(self, name, entry, faults):
        self.name, self.where, self.faults = name, f"problems.{name}", faults
        self.entry, self.raw = entry, copy.deepcopy(entry)
        self.broken = {fault.where for fault in faults}

    def expand(self, memory_mb):
        self.entry["methods"] = self._resolve("methods", self._method)
        self.entry["datasets"] = self._resolve("datasets", self._dataset)
        checks = known_problems.find(self.name, "configuration.faults")
        for name, dataset in self.entry["datasets"].items():
            where = f"{self.where}.datasets.{name}"
            self.faults += [Fault(f"{where}.{key}", *rest) for key, *rest in checks(dataset, memory_mb)]

    def _resolve(self, group, resolve):
        """Entries of `group` that could be resolved; those with a fault of their own or an ancestor's are left out."""
        if group == "datasets":
            for name, entry in self.raw[group].items():
                self._check_dataset_keys(name, entry)
        resolved = {name: resolve(name, ()) for name in self.raw[group]}
        return {name: entry for name, entry in resolved.items() if entry is not None}

    def _fault(self, where, found, expected):
        self.faults.append(Fault(where, found, expected))
        self.broken.add(where)

    def _is_broken(self, where):
        return any(broken == where or broken.startswith(f"{where}.") for broken in self.broken)

    def _parent(self, group, name, key, chain):
        """Name of the entry that `key` (`like` or `model`) names; None, with a fault, if there is none or a circle."""
        parent, where = self.raw[group][name][key], f"{self.where}.{group}.{name}"
        if parent not in self.raw[group]:
            self._add(_unknown(f"{where}.{key}", parent, self.raw[group], f"an entry of {self.where}.{group}"))
        elif parent in (*chain, name):
            self._fault(f"{where}.{key}", repr(parent), f"no circle ({' -> '.join((*chain, name, parent))})")
        else:
            return parent
        return None

    def _add(self, fault):
        self._fault(*fault)

    # -- methods

    def _method(self, name, chain):
        entry, where = self.raw["methods"][name], f"{self.where}.methods.{name}"
        if self._is_broken(where):
            return None
        if "like" in entry and "model" in entry:
            return self._fault(where, "like and model", "one of the two")
        if entry.get("external"):
            if extra := sorted(set(entry) - {"external", "kind"}):
                return self._fault(f"{where}.{extra[0]}", repr(entry[extra[0]]), "only kind beside external: true")
            nothing = {"method": None, "options": {}, "budget": {}, "trains": False, "model": None}
            return {**nothing, "kind": entry.get("kind", "classical"), "external": True}
        if "kind" in entry:
            return self._fault(
                f"{where}.kind", repr(entry["kind"]), "external: true beside it; a method file states its kind"
            )
        link = next((key for key in ("like", "model") if key in entry), None)
        base = {"method": name, "options": {}, "budget": self.raw.get("budget", {})}
        if link:
            parent = self._parent("methods", name, link, chain)
            base = parent and self._method(parent, (*chain, name))
            if base is None:
                return None
        if link == "model" and (wrong := next((key for key in ("method", "budget") if key in entry), None)):
            return self._fault(
                f"{where}.{wrong}", repr(entry[wrong]), f"that of {entry['model']}, whose weights it uses"
            )
        if link == "model" and not base["trains"]:
            return self._fault(f"{where}.model", repr(entry["model"]), "a method that is trained")
        file = entry.get("method", base["method"])
        known = _methods(self.name)
        if file not in known:
            self._add(_unknown(f"{where}.method", file, known, f"a file in src/blurbench/{self.name}/methods/"))
            return None
        try:
            described = catalogue.describe(self.name, file)
        except (catalogue.MethodError, SyntaxError) as error:
            return self._fault(f"{where}.method", repr(file), f"a method file that keeps the contract ({error})")
        self._check_options(f"{where}.options", entry.get("options", {}), described.options)
        return {
            "method": file,
            "kind": described.kind,
            "options": {**described.options, **base["options"], **entry.get("options", {})},
            "budget": {**base["budget"], **entry.get("budget", {})} if described.trains else {},
            "trains": described.trains and link != "model",
            "model": entry.get("model") if link == "model" else name if described.trains else None,
            "external": False,
        }

    def _check_options(self, where, options, defaults):
        for key, value in options.items():
            if key not in defaults:
                self._add(_unknown(f"{where}.{key}", key, defaults, "an option of the method"))
            elif not _same_type(value, defaults[key]):
                self._fault(
                    f"{where}.{key}", repr(value), f"{_word(defaults[key])} like {defaults[key]!r}, the default"
                )

    # -- datasets

    def _check_dataset_keys(self, name, entry):
        """Judge an entry as it is written, so that a fault is told once and not again for every entry like it."""
        where = f"{self.where}.datasets.{name}"
        if not isinstance(entry, dict):
            return self._fault(where, repr(entry), "a mapping, or null for a dataset that is left out")
        schema = copy.deepcopy(_schema(LIBRARY / self.name / "schema.yaml"))
        schema["properties"] |= {
            "like": {"type": "string", "description": "entry that this one copies before its own keys"},
            "methods": {"type": "array", "items": {"type": "string"}, "description": "names of methods; absent = all"},
            "models": {"type": "string", "description": "dataset whose models are used; there is a test split only"},
            "stream": {"type": "string", "description": "dataset whose random streams are used: the same items again"},
        }
        for fault in schema_faults(entry, _optional(schema), where):
            self._add(fault)

    def _dataset(self, name, chain):
        entry, where = self.raw["datasets"][name], f"{self.where}.datasets.{name}"
        if self._is_broken(where):
            return None
        base = {}
        if "like" in entry:
            parent = self._parent("datasets", name, "like", chain)
            base = parent and self._dataset(parent, (*chain, name))
            if base is None:
                return None
        dataset = _merged(base, entry)
        dataset["like"] = entry.get("like")
        for key in ("models", "stream"):
            dataset[key] = entry.get(key, name)
            if key in entry and self._parent("datasets", name, key, ()) is None:
                return None
            if self.raw["datasets"][dataset[key]].get(key, dataset[key]) != dataset[key]:
                expected = f"a dataset that states no {key} of another one"
                return self._fault(f"{where}.{key}", repr(dataset[key]), expected)
        dataset.setdefault("methods", list(self.raw["methods"]))
        judged = {key: value for key, value in dataset.items() if key not in DERIVED}
        for fault in schema_faults(judged, _schema(LIBRARY / self.name / "schema.yaml"), where):
            self._add(fault)
        dataset["methods"] = self._methods_of(where, dataset["methods"])
        if self._is_broken(where):
            return None
        trained = [m for m in dataset["methods"] if self.entry["methods"][m]["model"]]
        home = dataset if dataset["models"] == name else self._dataset(dataset["models"], (*chain, name))
        for split in ("train", "validation"):
            if trained and home and not home["items"][split]:
                where = f"{self.where}.datasets.{dataset['models']}.items.{split}"
                self._fault(where, "0", f"at least 1, as {trained[0]} is trained on it")
        dataset["splits"] = ["train", "validation", "test"] if trained and dataset["models"] == name else ["test"]
        return dataset

    def _methods_of(self, where, names):
        """The dataset's methods in the order of the problem's; one whose own entry has a fault is passed over here."""
        for i, name in enumerate(names):
            if name not in self.raw["methods"]:
                self._add(
                    _unknown(f"{where}.methods.{i}", name, self.raw["methods"], f"an entry of {self.where}.methods")
                )
        return [name for name in self.entry["methods"] if name in names]


def schema_faults(value, schema: dict, where: str) -> list[Fault]:
    """Faults of a value against a JSON schema, in the order of the value."""
    faults = []
    for error in sorted(
        Draft202012Validator(schema).iter_errors(value), key=lambda e: [str(part) for part in e.absolute_path]
    ):
        faults += _schema_fault(error, ".".join([*filter(None, [where]), *map(str, error.absolute_path)]))
    return faults


def _schema_fault(error, where):
    rules, value = error.schema, error.instance
    here = where or "the configuration"
    if error.validator == "additionalProperties":
        known = [key for key in rules.get("properties", {})]
        unknown = [key for key in value if key not in known]
        return [_unknown(".".join(filter(None, [where, str(key)])), key, known, "a key") for key in unknown]
    if error.validator == "required":
        missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))
        rule = rules.get("properties", {}).get(missing, {})
        return [Fault(".".join(filter(None, [where, missing])), "nothing", _expected(rule))]
    if error.validator == "minProperties":
        return [Fault(here, "nothing", "at least one entry")]
    found = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:76]} ..."
    expected = _expected(rules)
    if isinstance(value, str) and "number" in _types(rules) and re.fullmatch(r"[-+.\d]+e[-+]?\d+", value):
        expected += " (YAML reads 1e-4 as text: write 1.0e-4)"
    return [Fault(here, found, expected)]


def _expected(rules):
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


def _types(rules):
    kind = rules.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def _unknown(where, name, known, what):
    """Fault of a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(str(name), map(str, known), n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(map(str, known)) or 'none'}"
    return Fault(where, f"the unknown {str(name)!r}", f"{what} that exists: {hint}")


def _recording_faults(where, recording, problems):
    problem, dataset = recording.get("problem"), recording.get("dataset")
    entry = problems.get(problem) if isinstance(problem, str) else None
    is_known = isinstance(entry, dict) and (LIBRARY / problem / "recording.yaml").exists()
    faults = schema_faults(recording, _recording_schema(problem if is_known else None), where)
    if isinstance(file := recording.get("file"), str) and not Path(file).exists():
        faults.append(
            Fault(f"{where}.file", repr(file), "a file or folder that exists, seen from the working directory")
        )
    for key in ("gain", "offset"):
        value = recording.get(key)
        if isinstance(value, str) and value != "estimate":
            faults.append(Fault(f"{where}.{key}", repr(value), "a number, or the word estimate"))
        elif _number(value) and (value < 0 or (key == "gain" and value == 0)):
            faults.append(Fault(f"{where}.{key}", repr(value), "a number above 0" if key == "gain" else "0 or above"))
    if problem and problem not in problems:
        faults.append(_unknown(f"{where}.problem", problem, problems, "an entry of problems"))
    datasets = entry.get("datasets", {}) if isinstance(entry, dict) else {}
    if datasets and dataset and dataset not in datasets:
        faults.append(_unknown(f"{where}.dataset", dataset, datasets, f"an entry of problems.{problem}.datasets"))
    elif is_known and dataset and not faults:
        checks = known_problems.find(problem, "configuration.recording_faults")
        faults += [Fault(f"{where}.{key}", *rest) for key, *rest in checks(recording, datasets[dataset])]
    return faults


def _recording_schema(problem):
    """Schema of a problem's recordings; where the problem is not known, that of the keys which all of them have."""
    house = _schema(SCHEMA)["$defs"]
    common = house["recording"]
    own = _schema(LIBRARY / problem / "recording.yaml") if problem else {}
    return {
        **common,
        "$defs": {**house, **own.get("$defs", {})},
        "additionalProperties": problem is None,
        "required": [*common["required"], *own.get("required", [])],
        "properties": {**common["properties"], **own.get("properties", {})},
    }


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_type(value, default):
    if default is None:
        return True
    if _number(default):
        return _number(value) and (isinstance(default, float) or isinstance(value, int))
    return isinstance(value, (list, tuple)) if isinstance(default, (list, tuple)) else isinstance(value, type(default))


def _word(default):
    kinds = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        tuple: "array",
        dict: "object",
    }
    return WORDS[kinds[type(default)]]


def _named(config):
    """(key, name) of every name that becomes part of a path."""
    if "run" in config:
        yield "run", config["run"]
    entries = {"problems": config["problems"], "recordings": config["recordings"]}
    for name, problem in config["problems"].items():
        if isinstance(problem, dict):
            entries |= {f"problems.{name}.{part}": problem.get(part, {}) for part in ("datasets", "methods")}
    for where, names in entries.items():
        yield from ((f"{where}.{name}", name) for name in names)


def _without_nulls(entry):
    """Copy without the entries that a layer has set to null."""
    if not isinstance(entry, dict):
        return entry
    return {key: _without_nulls(value) for key, value in entry.items() if value is not None}


def _merged(base, own):
    """Deep merge; a mapping of another `kind` replaces the old one whole, so that no key of the old kind stays."""
    merged = copy.deepcopy(base)
    for key, value in own.items():
        old = merged.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        if both and value.get("kind", old.get("kind")) == old.get("kind"):
            merged[key] = _merged(old, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _optional(schema):
    """A schema without what it requires: an entry with `like` states only what differs. Conditions stay as they are."""
    if isinstance(schema, dict):
        return {key: value if key == "if" else _optional(value) for key, value in schema.items() if key != "required"}
    if isinstance(schema, list):
        return [_optional(value) for value in schema]
    return schema


@cache
def _schema(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _methods(problem):
    return sorted(path.stem for path in (LIBRARY / problem / "methods").glob("[a-z0-9]*.py"))
