"""The configuration: what is abbreviated is written out, and what is wrong is refused before any job starts.

Two sources say what is right: configuration.yaml beside this file, with schema.yaml and recording.yaml of each problem
(keys, types, plausible units), and the modules of the entries here with the problem's configuration.py (one value
against another, which no schema can say).
"""

import copy
import math
import os
import re
from collections.abc import Iterator
from typing import Any

from blurbench import problems
from blurbench.planning import mistakes, schemas
from blurbench.planning.dataset_entries import DatasetEntries
from blurbench.planning.faults import ConfigurationError, Fault, unknown
from blurbench.planning.merging import without_nulls
from blurbench.planning.method_entries import MethodEntries
from blurbench.planning.recording_entries import recording_faults
from blurbench.planning.schema_faults import schema_faults

NAME = re.compile(r"[a-z0-9_]+")
FEWEST = {"train": 4, "validation": 4, "test": 1}  # items of a split that is scaled down, if it states as many


def expand(config: dict[str, Any]) -> dict[str, Any]:
    """Configuration with every reference resolved (`like`, `model`, `models`, `stream`) and every default filled in.

    Parameters
    ----------
    config : dict, as read from YAML; an entry that a layer sets to null is dropped

    Returns
    -------
    dict of the same shape. A dataset also holds `like`, `methods`, `splits`, `training_seeds` (None: those of the
    configuration), `items` as scaled, `stream` (the dataset whose random streams it shares) and `models` (the dataset
    whose models it uses), its own name if not stated. A method holds `kind`, `method` (its file), `options`, `budget`,
    `trains`, `model` (the entry whose weights it uses, or None), `of` (the dataset that these were trained on, None for
    each dataset's own), `sweep`, `trials`, `everywhere`, `external`, `bound` and `network`. A trial holds the `options`
    and the `budget` of one training, and the `values` of the sweep's keys among them; without a sweep there is one. A
    problem holds `compare_with`.

    Raises
    ------
    ConfigurationError listing every fault.
    """
    config = {"recordings": {}, **without_nulls(copy.deepcopy(dict(config)))}
    faults = schema_faults(config, schemas.of_configuration(), "")
    if any(fault.where in {"problems", "recordings", "the configuration"} for fault in faults):
        raise ConfigurationError(faults)
    named: dict[str, list[str]] = {}  # every dataset of a problem, as the configuration names them
    for name, problem in config["problems"].items():
        where = f"problems.{name}"
        if any(fault.where in {where, f"{where}.datasets", f"{where}.methods"} for fault in faults):
            continue
        if not NAME.fullmatch(str(name)):
            continue  # told below: a name that climbs out of the library is not looked for
        if name not in problems.names():
            faults.append(unknown(where, name, problems.names(), "a problem"))
            continue
        named[name] = list(problem["datasets"])
        _expand_problem(name, problem, config, faults)
    for name, recording in config["recordings"].items():
        if isinstance(recording, dict):
            where, allowed = f"recordings.{name}", _of_type(int, config.get("memory_mb"), None)
            faults += recording_faults(where, recording, config, named, allowed)
    faults += [
        Fault(key, f"the name {name!r}", "a name of lower-case letters, digits and _ only")
        for key, name in _named(config)
        if not NAME.fullmatch(str(name))
    ]
    if faults:
        raise ConfigurationError(list(dict.fromkeys(faults)))
    for problem in config["problems"].values():
        for dataset in problem["datasets"].values():
            dataset["items"] = {split: _scaled(n, config["scale"], split) for split, n in dataset["items"].items()}
    return config


def _scaled(items: int, scale: float, split: str) -> int:
    return max(math.ceil(items * scale), min(items, FEWEST[split]))


def _expand_problem(name: str, entry: dict[str, Any], config: dict[str, Any], faults: list[Fault]) -> None:
    """Expand one problem's methods and datasets in place, and add what is wrong with them to `faults`."""
    named = list(entry["methods"])
    budget = {**_of_type(dict, entry.get("budget"), {}), "precision": config.get("precision")}
    entry["methods"] = MethodEntries(name, entry["methods"], budget, faults).expanded()
    entry["compare_with"] = list(_compared(name, entry, named, faults))
    entry["datasets"] = DatasetEntries(name, entry["datasets"], named, entry["methods"], faults).expanded()
    judge, files = (problems.find(name, f"configuration.{part}") for part in ("faults", "files"))
    memory_mb = _of_type(int, config.get("memory_mb"), None)
    for dataset, expanded in entry["datasets"].items():
        where = f"problems.{name}.datasets.{dataset}"
        wrong = {f"{where}.{mistakes.KEY}.{part}": one for part, one in mistakes.parts(expanded).items()}
        for place, one in {where: expanded, **wrong}.items():
            faults += [Fault(f"{place}.{key}", *rest) for key, *rest in judge(one, memory_mb)]
            faults += [
                Fault(f"{place}.{key}", repr(file), "a file that exists, seen from the working directory")
                for key, file in files(one).items()
                if not os.path.isfile(file)
            ]


def _of_type(kind: type, value: Any, otherwise: Any) -> Any:
    """What a key holds, if it is of the type that is told to be wrong elsewhere."""
    return value if isinstance(value, kind) else otherwise


def _compared(name: str, entry: dict[str, Any], named: list[str], faults: list[Fault]) -> Iterator[str]:
    """The methods that learned ones are tested against, those that can be; what is wrong is added to `faults`."""
    where, stated = f"problems.{name}.compare_with", entry.get("compare_with", [])
    for method in stated if isinstance(stated, list) else ():
        if method not in named:
            faults.append(unknown(where, method, named, f"an entry of problems.{name}.methods"))
        elif (kind := entry["methods"].get(method, {}).get("kind", "classical")) not in ("learned", "classical"):
            faults.append(Fault(where, f"{method!r}, of the kind {kind}", "a learned or a classical method"))
        else:
            yield method


def _named(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(key, name) of every name that becomes part of a path."""
    if "run" in config:
        yield "run", config["run"]
    entries = {"problems": config["problems"], "recordings": config["recordings"]}
    for name, problem in config["problems"].items():
        if isinstance(problem, dict):
            entries |= {f"problems.{name}.{part}": problem.get(part) for part in ("datasets", "methods")}
    for where, names in entries.items():
        if isinstance(names, dict):
            yield from ((f"{where}.{name}", name) for name in names)
