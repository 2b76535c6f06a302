"""Time and memory by method, with the machine that they were measured on."""

from pathlib import Path

import pandas as pd

from blurbench.files import learning_curves


def table(scores, trainings, curves, benchmarks, machine) -> pd.DataFrame:
    """Seconds per item of every method, and what a training of it saw and took.

    The latter is the mean of `n_trainings`, seeds times trials without those that raised.

    Parameters
    ----------
    scores : published tables of all problems in one; of them the number `seconds`
    trainings : (problem, dataset, method, seed) of each training job; those of a sweep's trials are the same
    curves, benchmarks : paths of their learning curves and benchmark files, in that order; what is absent is NaN
    machine : dict of `machine.describe`
    """
    rows = scores[(scores.metric == "seconds") & (scores.condition == "all")]
    rows = rows[["problem", "dataset", "method", "kind", "mean"]].rename(columns={"mean": "seconds_per_item"})
    jobs = [
        {"problem": problem, "dataset": dataset, "method": method, **end, **_benchmark(benchmark)}
        for (problem, dataset, method, _), curve, benchmark in zip(trainings, curves, benchmarks, strict=True)
        if (end := _curve(curve)) is not None
    ]
    columns = ["problem", "dataset", "method", "train_items", "train_core_s", "train_seconds", "train_max_rss_mb"]
    jobs = pd.DataFrame(jobs, columns=columns).groupby(columns[:3], as_index=False)
    jobs = jobs.agg(**{name: (name, "mean") for name in columns[3:]}, n_trainings=("train_seconds", "size"))
    rows = rows.merge(jobs, how="left", on=columns[:3])
    return rows.assign(cpu=machine["cpu"], cores=machine["cores"], gpu=machine["gpu"] or "none")


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
        return {}
    job = pd.read_csv(path, sep="\t").apply(pd.to_numeric, errors="coerce").mean()
    return {"train_seconds": job["s"], "train_max_rss_mb": job["max_rss"]}
