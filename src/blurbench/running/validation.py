"""Every method of a dataset on its validation split, where one may look before a choice is made."""

import tempfile
from pathlib import Path

import pandas as pd

from blurbench import problems
from blurbench.files.datasets import Dataset
from blurbench.running import methods


def validate(
    problem: str, dataset: Dataset, entries: dict[str, dict], device: str = "cpu", timeout_s: float | None = None
) -> pd.DataFrame:
    """Score table of all methods, as those of the test split, of the metric that orders the tables.

    Parameters
    ----------
    dataset : the validation split
    entries : {name: {method, kind, options, models: {seed: path}}}; no models where the method is not trained
    device, timeout_s : as in `methods.predict`
    """
    answer, score = problems.load(problem).answer, problems.find(problem, "score.score")
    first = problems.find(problem, "score.METRICS")[:1]
    tables = []
    for name, entry in entries.items():
        for seed, model in (entry["models"] or {0: None}).items():
            method = methods.load(problem, entry["method"], entry["options"], model)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"answers{answer.suffix}"
                found = methods.predict(method, dataset, model, device, timeout_s, path)
                table = score(dataset, found, first)
            about = {"problem": problem, "dataset": dataset.attrs["dataset"], "split": dataset.attrs["split"]}
            about |= {"method": name, "kind": entry["kind"], "seed": seed}
            tables.append(table.assign(**about))
    return pd.concat(tables, ignore_index=True)
