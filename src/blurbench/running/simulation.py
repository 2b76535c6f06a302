"""Splits of datasets, simulated as their problem does it and written shard by shard."""

from pathlib import Path

from blurbench import problems
from blurbench.files import datasets
from blurbench.files.datasets import Simulated
from blurbench.files.logs import progress
from blurbench.planning import mistakes


def simulate(
    problem: str, dataset: str, split: str, spec: dict, seed: int, store: str | Path, manifest: str | Path
) -> None:
    """Simulate one split of a dataset and write it.

    Parameters
    ----------
    problem, dataset, split : str
    spec : dict, the dataset's expanded configuration entry
    seed : int, the run's seed
    store, manifest : paths to write

    Raises
    ------
    DatasetError if the items do not pass the problem's gates.
    """
    made = _made(problem, spec, split, seed)
    names = {"problem": problem, "dataset": dataset, "split": split, "seed": seed}
    shards = progress(made.shards, f"simulate {dataset} {split}", total=-(-made.items // made.shard))
    datasets.write(store, manifest, {**names, **made.header, "spec": spec}, made.items, made.shard, shards, made.gates)


def _made(problem, spec, split, seed):
    """A split as its problem simulates it; of a dataset with mistakes its parts, one after the other."""
    make = problems.find(problem, "simulate.dataset")
    made = [make(part, split, seed) for part in mistakes.parts(spec).values()]
    if not made:
        return make(spec, split, seed)
    return Simulated(sum(one.items for one in made), made[0].shard, made[0].header, _numbered(made), made[0].gates)


def _numbered(made):
    """Shards of all parts, the items of each with its number."""
    for number, one in enumerate(made):
        for images, items, truth in one.shards:
            yield images, items.assign(**{mistakes.COLUMN: number}), truth
