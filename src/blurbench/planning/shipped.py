"""The models that come with blurbench, and which of them a recording or a run may use.

`weights/{problem}/{dataset}/{model}.pt`, each with its card beside it, a JSON file of the same name: what the model is,
what it was trained on, what that cost, how it scored, and the checksum of its file. Those of further training seeds are
`{model}.{seed}.pt`. Learning curve (CSV) and benchmark (TSV) of a training lie beside its model as well.
"""

import json
import os
from pathlib import Path
from typing import Any

from blurbench.planning import frozen, sources, units
from blurbench.problems import LIBRARY

Config = dict[str, Any]  # an expanded configuration

SHIPPED, OWN = "shipped", "own"  # what `weights` of a recording may say


def folder() -> Path:
    """Where the models lie, seen from the working directory."""
    return Path(os.path.relpath(LIBRARY.parents[1] / "weights"))


def names() -> list[str]:
    """`problem/dataset` of which models come with blurbench."""
    cards = folder().glob("*/*/*.json")
    return sorted({"/".join(path.parent.parts[-2:]) for path in cards})


def card(problem: str, dataset: str, model: str) -> dict[str, Any] | None:
    """What is said of a model that comes with blurbench; None if there is none."""
    path = file(problem, dataset, model).with_suffix(".json")
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def file(problem: str, dataset: str, model: str, further: int | None = None) -> Path:
    """Where a model lies that comes with blurbench: of the first training seed, or of a further one."""
    return folder() / problem / dataset / (f"{model}.pt" if further is None else f"{model}.{further}.pt")


def training(config: Config, problem: str, dataset: str, model: str, seed: int) -> dict[str, Any]:
    """All that decides what comes of a training, as JSON has it: of two that have it in common one can be left out."""
    found = config["problems"][problem]
    entry, items = found["methods"][model], found["datasets"][dataset]["items"]
    return {
        **{key: entry[key] for key in ("method", "kind", "options", "budget")},
        "code": frozen.code(problem, entry["method"]),
        "simulator": sources.code(f"blurbench.{problem}.simulate", (f"blurbench.{problem}", "blurbench.microscopy")),
        "trained_on": trained_on(config, problem, dataset),
        "items": {split: items[split] for split in ("train", "validation")},
        "seed": seed,
        "data_seed": config["seed"],
    }


def same_training(config: Config, problem: str, dataset: str, model: str, seed: int) -> Path | None:
    """Model that comes with blurbench and is of this very training, with its curve and benchmark; None without one."""
    for path in (file(problem, dataset, model), file(problem, dataset, model, seed)):
        beside = [path.with_suffix(end) for end in (".pt", ".json", ".csv", ".tsv")]
        if all(one.is_file() for one in beside):
            said = json.loads(beside[1].read_text(encoding="utf-8"))
            wanted = training(config, problem, dataset, model, seed)
            if {key: said.get(key) for key in wanted} == wanted:
                return path
    return None


def trained_on(config: Config, problem: str, dataset: str) -> dict[str, Any]:
    """What the training items of a dataset are made from, as JSON has it; how many there are is left aside."""
    spec = units.spec(config, problem, dataset, "train")
    return json.loads(json.dumps({key: value for key, value in spec.items() if not _aside(key)}))


def _aside(key: str) -> bool:
    return key in ("items", "stream") or key.startswith("test_")


def fitting(config: Config, problem: str, dataset: str) -> dict[str, dict[str, Any]]:
    """Cards by method of the models that come with blurbench, for the methods of a dataset that have one.

    One fits if it is of the method that the entry names, and was trained on a dataset made from the same numbers; how
    long, and how large a network, is its own affair.
    """
    found = {}
    for name, entry in units.live_methods(config, problem, dataset).items():
        home = units.home(config, problem, dataset, name)
        if not entry["model"] or home not in config["problems"][problem]["datasets"]:
            continue  # the other dataset has a fault, which is told
        said = card(problem, home, entry["model"])
        if said and said["method"] == entry["method"] and said["trained_on"] == trained_on(config, problem, home):
            found[name] = said
    return found
