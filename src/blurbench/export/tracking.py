"""A finished run for who browses runs elsewhere: an MLflow store in one SQLite file, and TensorBoard's event files.

The tables and curves of the run are what counts; here is a copy of them, written anew each time.
"""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blurbench.export import finished
from blurbench.files import learning_curves, tables
from blurbench.tables.provenance import line

FOLDER, STORE, EVENTS, FILES = "tracking", "mlflow.db", "tensorboard", "files"
BATCH = 1000  # metrics that MLflow takes at once
NUMBERS = ("mean", "ci_low", "ci_high")


def write(results: Path) -> Path:
    """Write results/{run}/tracking/ of a finished run; what was there goes.

    MLflow has an experiment of the run's name, in it a run for each method on each dataset (options and budget, all
    numbers of the published table, learning curves by items seen), and one for each problem with its tables and
    figures. A number that is not defined is no metric.

    Parameters
    ----------
    results : folder of the run

    Returns
    -------
    the folder written

    Raises
    ------
    finished.UnfinishedError if the run has not ended well.
    """
    about, folder = finished.origin(results), (results / FOLDER).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _write_events(results, folder / EVENTS)
    _write_store(results, folder, about)
    return folder


def metric(row: Any, number: str) -> str:
    """MLflow's name of one number of a row of a published table; it allows neither "=" nor a comma."""
    condition = row.condition.replace("=", ":").replace(", ", "/")
    return "/".join([row.metric, *[condition] * (condition != "all"), *[number] * (number != "mean")])


def curves(results: Path) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """(problem, dataset, method, seed) and learning curve of every model of a run, but for the trials of sweeps."""
    for path in sorted(results.glob("models/*/*/*/*.csv")):
        yield path.relative_to(results / "models").with_suffix("").parts, learning_curves.read(path, ("items",))


def _points(curve):
    """(column, items, value) of a learning curve, of all that is a number."""
    for column in curve.columns.drop("items"):
        for items, value in zip(curve["items"], curve[column], strict=True):
            if isinstance(value, (int, float)) and np.isfinite(value):
                yield column, int(items), float(value)


def _write_events(results, folder):
    from torch.utils.tensorboard import SummaryWriter

    for names, curve in curves(results):
        with SummaryWriter(str(folder.joinpath(*names))) as writer:
            for column, items, value in _points(curve):
                writer.add_scalar(column, value, items)


def _write_store(results, folder, about):
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when it is imported
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / STORE}")
    experiment = client.create_experiment(about["run"], artifact_location=(folder / FILES).as_uri())
    now = int(datetime.now(UTC).timestamp() * 1000)
    methods = tables.read(results / "tables/methods.csv").set_index(["problem", "method"])
    trained: dict[tuple[str, ...], list] = {}
    for (*names, seed), curve in curves(results):
        trained.setdefault(tuple(names), []).append((seed, curve))
    for problem in methods.index.unique("problem"):
        main = tables.read(results / f"tables/{problem}.csv")
        for (dataset, method), rows in main.groupby(["dataset", "method"], sort=False):
            run = client.create_run(experiment, run_name=f"{problem}/{dataset}/{method}").info.run_id
            known = methods.loc[problem, method]
            params = {"seed": known.seed, "file": known.file} | _settings(known)
            tags = {"problem": problem, "dataset": dataset, "method": method, "kind": known.kind}
            tags |= {"commit": str(about["commit"]), "configuration": about["configuration"]["sha256"]}
            metrics = [
                Metric(metric(row, number), getattr(row, number), now, 0)
                for row in rows.itertuples()
                for number in NUMBERS
                if np.isfinite(getattr(row, number))
            ]
            for seed, curve in trained.get((problem, dataset, method), ()):
                points = _points(curve)
                metrics += [Metric(f"training/{seed}/{column}", value, now, items) for column, items, value in points]
            client.log_batch(
                run,
                params=[Param(key, str(value)) for key, value in params.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
            for i in range(0, len(metrics), BATCH):
                client.log_batch(run, metrics=metrics[i : i + BATCH])
            client.set_terminated(run)
        _add_files(client, client.create_run(experiment, run_name=problem).info.run_id, results, problem, about)


def _settings(known):
    """Options and budget of a method, by dotted name."""
    parts = {part: json.loads(known[part]) for part in ("options", "budget", "sweep")}
    return {f"{part}.{key}": value for part, values in parts.items() for key, value in values.items()}


def _add_files(client, run, results, problem, about):
    """The tables and figures of a problem."""
    client.set_tag(run, "mlflow.note.content", line(about))
    for pattern, place in ((f"tables/{problem}*", "tables"), (f"figures/{problem}/*.svg", "figures")):
        for path in sorted(results.glob(pattern)):
            client.log_artifact(run, str(path), place)
    client.set_terminated(run)
