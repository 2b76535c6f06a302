"""Time and memory by method, with the machine that they were measured on.

Memory is that of a job, as Snakemake's benchmark file tells it: the most that its processes held together, Python and
libraries included, in looks half a second apart at first and half a minute later. A job predicts the test split of one
dataset by one method and seed, or trains once.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from blurbench.files import learning_curves

NAMES = ["problem", "dataset", "method"]


def table(scores, predicted, predictions, trainings, curves, benchmarks, machine) -> pd.DataFrame:
    """Seconds per item of every method, the memory of its prediction, and what a training of it saw and took.

    Memory is the mean over seeds. What trainings took is the mean of `n_trainings`, seeds times trials without those
    that raised.

    Parameters
    ----------
    scores : published tables of all problems in one; of them the number `seconds`
    predicted : benchmark files of prediction jobs
    predictions : (problem, dataset, method, seed) of each, in that order; those of rules of the user's have none
    trainings : (problem, dataset, method, seed) of each training job; those of a sweep's trials are the same
    curves, benchmarks : paths of their learning curves and benchmark files, in that order; what is absent is NaN
    machine : dict of `machine.describe`
    """
    rows = scores[(scores.metric == "seconds") & (scores.condition == "all")]
    rows = rows[[*NAMES, "kind", "mean"]].rename(columns={"mean": "seconds_per_item"})
    memory = [
        {**_named(names), "predict_max_rss_mb": _benchmark(benchmark)["max_rss"]}
        for names, benchmark in zip(predictions, predicted, strict=True)
    ]
    jobs = [
        {**_named(names), **end, "train_seconds": job["s"], "train_max_rss_mb": job["max_rss"]}
        for names, curve, benchmark in zip(trainings, curves, benchmarks, strict=True)
        if (end := _curve(curve)) is not None
        for job in [_benchmark(benchmark)]
    ]
    rows = rows.merge(_mean(memory, "predict_max_rss_mb"), how="left", on=NAMES)
    measured = "train_items", "train_core_s", "train_seconds", "train_max_rss_mb"
    rows = rows.merge(_mean(jobs, *measured, n_trainings=("train_seconds", "size")), how="left", on=NAMES)
    return rows.assign(cpu=machine["cpu"], cores=machine["cores"], gpu=machine["gpu"] or "none")


def _named(names):
    """The dataset and method of a job, without its seed."""
    return dict(zip(NAMES, names))


def _mean(jobs, *columns, **more):
    """A row for each dataset and method, the mean over its jobs."""
    found = pd.DataFrame(jobs, columns=[*NAMES, *columns]).groupby(NAMES, as_index=False)
    return found.agg(**{name: (name, "mean") for name in columns}, **more)


def _curve(path):
    """What a training saw and took; None of one that raised, whose curve has no row."""
    if not Path(path).exists():
        return {}
    if (curve := learning_curves.read(path, ("items", "core_s"))).empty:
        return None
    last = curve.iloc[-1]
    return {"train_items": last["items"], "train_core_s": last["core_s"]}


def _benchmark(path):
    if not Path(path).exists():
        return {"s": np.nan, "max_rss": np.nan}
    return pd.read_csv(path, sep="\t").apply(pd.to_numeric, errors="coerce").mean()
