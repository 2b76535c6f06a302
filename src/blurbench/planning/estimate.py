"""What the jobs of a plan will take, before they take it: core-hours, and room on the disk.

A training costs what docs/training-cost.md says of its network, for as many items as its budget presents. What other
jobs take, and how much of what they make is left when it is packed, stands in unit_costs.yaml beside this file: seconds
a job, and seconds and MB a MB of the images that it goes through. Both are of the cores of one machine.
"""

import math
import shutil
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from tabulate import tabulate

from blurbench import problems
from blurbench.planning import mistakes

TRAININGS = problems.LIBRARY.parents[1] / "docs/training-cost.md"
UNITS = Path(__file__).with_name("unit_costs.yaml")
JOB_MB = 0.1  # log, benchmark, scores, tables and figures, a job's share of them
MODEL_MB = 0.5  # model, learning curve and checkpoint of a training
SPLITS = {"train": "train", "predict": "test", "score": "test", "validate": "validation"}  # that a stage goes through


class Cost(NamedTuple):
    """What jobs take: how many they are, their core-seconds, and MB on the disk, of datasets and in all."""

    jobs: int
    core_s: float
    dataset_mb: float
    mb: float


class Training(NamedTuple):
    """A row of docs/training-cost.md: its training items, how many items it takes in all, its core-seconds."""

    problem: str
    dataset: str
    method: str
    network: bool
    items: int
    taken: int
    core_s: float


def told(config: dict[str, Any], jobs: Iterable[tuple[str, dict[str, str]]], cores: int | None, disk: Path) -> str:
    """What jobs will take, as a table with a row a problem, and a warning where the disk has no room for it.

    Parameters
    ----------
    config : expanded
    jobs : stage and wildcards of each
    cores : that they share; None on a cluster
    disk : a folder on it
    """
    found = defaultdict(list)
    for stage, names in jobs:
        problem = names.get("problem") or config["recordings"].get(names.get("recording"), {}).get("problem")
        found[problem].append(cost(config, stage, problem, names))
    sums = {problem: Cost(*map(sum, zip(*found[problem]))) for problem in [*config["problems"], None] if found[problem]}
    rows = [_row(problem or "over all", one, cores, problem in _units()) for problem, one in sums.items()]
    whole = Cost(*map(sum, zip(*sums.values())))
    rows.append(_row("together", whole, cores))
    lines = [tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)]
    free_mb = shutil.disk_usage(disk).free / 1e6
    if whole.mb > free_mb:
        room = f"its disk has room for {free_mb / 1e3:.1f} GB"
        lines.append(f"WARNING: the run takes {whole.mb / 1e3:.1f} GB, and {room}")
    return "\n".join(lines)


def _row(name: str, one: Cost, cores: int | None, known: bool = True) -> dict[str, Any]:
    """Of the table; without hours and GB where no costs are known."""
    numbers = {"core-hours": one.core_s / 3600}
    if cores:
        numbers[f"hours on {cores} cores"] = one.core_s / 3600 / cores
    numbers |= {"GB of datasets": one.dataset_mb / 1e3, "GB in all": one.mb / 1e3}
    texts = {key: f"{value:.2f}" if known else "" for key, value in numbers.items()}
    return {"to be run": name, "jobs": one.jobs, **texts}


def cost(config: dict[str, Any], stage: str, problem: str | None, names: dict[str, str]) -> Cost:
    """What one job takes.

    Parameters
    ----------
    problem : that it is of, None for one over all
    names : its wildcards
    """
    if problem is None:
        return Cost(1, 0.0, 0.0, JOB_MB)
    units, mb = _units().get(problem, {}), amount(config, stage, problem, names)
    core_s = training(config, problem, names) if stage == "train" else None
    start = units.get("besides", {"job": 0.0, "mb": 0.0})  # of the libraries, all that is known of a recording's jobs
    unit = units.get(stage, start) if core_s is None else start
    rate = unit["mb"]
    if stage == "predict":
        rate = unit.get("methods", {}).get(config["problems"][problem]["methods"][names["method"]]["method"], rate)
    made = units.get("disk", {}).get(stage, 0.0) * mb
    kept = made + JOB_MB + (MODEL_MB if stage == "train" else 0.0)
    return Cost(1, unit["job"] + rate * mb + (core_s or 0.0), made if stage == "simulate" else 0.0, kept)


def amount(config: dict[str, Any], stage: str, problem: str, names: dict[str, str]) -> float:
    """MB of the images that a job goes through, once for each method that it runs."""
    split = names.get("split") or SPLITS.get(stage)
    if split is None:
        return 0.0
    dataset = config["problems"][problem]["datasets"][names["dataset"]]
    item_mb, grid = problems.find(problem, "configuration.item_mb"), problems.load(problem).grid
    parts = mistakes.parts(dataset) or {"": dataset}
    mb = sum(item_mb(one) * one["items"][split] * _shown(one, split, grid) for one in parts.values())
    return mb * (len(dataset["methods"]) if stage == "validate" else 1)


def _shown(dataset: dict[str, Any], split: str, grid: tuple[str, ...]) -> int:
    """How often a split has what `items` counts: that of the test once for each combination of values."""
    return math.prod(len(dataset[key]) for key in grid if key in dataset) if split == "test" else 1


def training(config: dict[str, Any], problem: str, names: dict[str, str]) -> float | None:
    """Core-seconds of a training; None for one of which docs/training-cost.md has nothing, as of settings.

    Those of the same entry there, of the same dataset before others and of the size that is nearest, else those of any
    network of the problem, all of which cost the same.
    """
    entry = config["problems"][problem]["methods"][names["method"]]
    data = config["problems"][problem]["datasets"][names["dataset"]]
    trial = entry["trials"][int(names.get("trial", 0))]
    items = data["items"]["train"]
    rows = [row for row in _trainings() if row.problem == problem and row.network == entry["network"]]
    known = [row for row in rows if row.method == names["method"]]
    if not (rows if entry["network"] else known):
        return None

    def other(row: Training) -> tuple[bool, float]:
        return row.dataset != names["dataset"], abs(math.log(row.items / items))

    if not known:
        return min(rows, key=other).core_s
    row = min(known, key=other)
    if row.network:
        return row.core_s * trial["budget"].get("epochs", 10) * items / row.taken
    return row.core_s * min(items, trial["options"].get("images", items)) / row.taken


@cache
def _trainings() -> list[Training]:
    """Rows of all tables of docs/training-cost.md, or none where it is not there."""
    lines = TRAININGS.read_text(encoding="utf-8").splitlines() if TRAININGS.exists() else []
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    return [
        Training(problem, dataset, method, epochs != "–", int(items), int(taken), float(core_s))
        for name, *_, items, epochs, taken, core_s in rows
        if name.count("/") == 2
        for problem, dataset, method in [name.split("/")]
    ]


@cache
def _units() -> dict[str, Any]:
    """Unit costs of each problem."""
    return yaml.safe_load(UNITS.read_text(encoding="utf-8"))
