"""What jobs take beside trainings, of two finished runs, into src/blurbench/planning/unit_costs.yaml.

    python tests/benchmarks/unit_costs.py results/smoke results/laptop

The small run tells what a job takes at all, the large one what a MB of images adds.
"""

import sys
from collections import defaultdict
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from configurations import layers

from blurbench.planning import estimate
from blurbench.planning.configuration import expand

NAMES = {  # of the folders below benchmarks/{stage}/{problem}
    "simulate": ("dataset", "split"),
    "train": ("dataset", "method", "seed"),
    "predict": ("dataset", "method", "seed"),
    "score": ("dataset", "method", "seed"),
    "validate": ("dataset",),
    "tabulate": (),
    "draw": ("figure",),
}
HEAD = """\
# What jobs take on one core: seconds a job, and seconds a MB of the images that it goes through, as in memory.
# `besides` is what a training takes beside its budget, `train` one without a budget, and `disk` the MB on the disk of a
# MB of images. `methods` are those of whose files the seconds a MB of a prediction are known. Written by
# tests/benchmarks/unit_costs.py.
"""
STORES = {
    "simulate": "datasets/{problem}/{dataset}/{split}.zarr",
    "predict": "predictions/{problem}/{dataset}/{method}/{seed}.*",
}


def jobs(run):
    """(stage, names, seconds) of each job of a finished run."""
    for path in sorted(run.glob("benchmarks/*/**/*.tsv")):
        stage, *parts = path.relative_to(run / "benchmarks").with_suffix("").parts
        if stage in NAMES:
            problem, *parts = parts
            names = {"problem": problem, **dict(zip(NAMES[stage], parts, strict=True))}
            yield stage, names, float(pd.read_csv(path, sep="\t")["s"].iloc[0])


def means(run, config):
    """Of each (problem, stage) the mean seconds, of a training beside its budget, MB of images and of files."""
    found = defaultdict(list)
    for stage, names, seconds in jobs(run):
        problem = names["problem"]
        trained = estimate.training(config, problem, names) if stage == "train" else None
        if trained is not None:
            found[problem, "besides"].append([seconds - trained, 0.0, 0.0])
            continue
        files = run.glob(STORES[stage].format(**names)) if stage in STORES else ()
        disk = sum(sum(one.stat().st_size for one in [file, *file.rglob("*")]) for file in files) / 1e6
        found[problem, stage].append([seconds, estimate.amount(config, stage, problem, names), disk])
    return {key: [sum(column) / len(column) for column in zip(*rows)] for key, rows in found.items()}


def by_method(run, config, units):
    """Seconds a MB of predictions, by problem and file of the method: a limit's may be a hundred times the others'."""
    sums = defaultdict(lambda: [0.0, 0.0])
    for stage, names, seconds in jobs(run):
        if stage == "predict":
            problem = names["problem"]
            own = sums[problem, config["problems"][problem]["methods"][names["method"]]["method"]]
            own[0] += seconds - units[problem]["predict"]["job"]
            own[1] += estimate.amount(config, stage, problem, names)
    found = defaultdict(dict)
    for (problem, file), (seconds, mb) in sums.items():
        found[problem][file] = round(max(seconds / mb, 0.0), 4)
    return found


def main(small, large):
    few, many = (means(run, expand(layers("config", run.name))) for run in (small, large))
    units = defaultdict(lambda: {"disk": {}})
    for problem, stage in sorted(many):
        seconds, mb, disk = many[problem, stage]
        least, little, _ = few.get((problem, stage), (seconds, mb, 0.0))
        if stage != "besides" and mb == little:  # more than one job of its kind is told by the large run
            least = seconds
        slope = max((seconds - least) / (mb - little), 0.0) if mb > little else 0.0
        units[problem][stage] = {"job": round(max(least - slope * little, 0.0), 2), "mb": round(slope, 4)}
        if disk:
            units[problem]["disk"][stage] = round(disk / mb, 3)
    for problem, rates in by_method(large, expand(layers("config", large.name)), units).items():
        units[problem]["predict"]["methods"] = rates
    text = yaml.safe_dump(dict(units), sort_keys=True, default_flow_style=None, width=120)
    estimate.UNITS.write_text(f"{HEAD}{text}", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
