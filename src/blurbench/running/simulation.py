"""Splits of datasets, simulated as their problem does it and written shard by shard."""

from pathlib import Path

from blurbench import problems
from blurbench.files import datasets
from blurbench.files.logs import progress


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
    made = problems.find(problem, "simulate.dataset")(spec, split, seed)
    names = {"problem": problem, "dataset": dataset, "split": split, "seed": seed}
    shards = progress(made.shards, f"simulate {dataset} {split}", total=-(-made.items // made.shard))
    datasets.write(store, manifest, {**names, **made.header, "spec": spec}, made.items, made.shard, shards, made.gates)
