"""Trainings that raised: a table of them, and what the summary and the end of a run say."""

import pandas as pd

from blurbench.files import models

COLUMNS = ["problem", "dataset", "method", "seed", "reason", "log"]


def table(trainings, files, logs) -> pd.DataFrame:
    """A row for each training that raised, with the columns COLUMNS.

    Parameters
    ----------
    trainings : (problem, dataset, method, seed) of each training job; those of a sweep's trials are the same
    files, logs : paths of their models and logs, in that order
    """
    reasons = map(models.why_not_trained, files)
    rows = [(*one, reason, log) for one, reason, log in zip(trainings, reasons, logs, strict=True) if reason]
    return pd.DataFrame(rows, columns=COLUMNS)


def lines(found: pd.DataFrame) -> list[str]:
    """A line for each row: who, why, and where the traceback stands."""
    return [f"{r.problem}, {r.dataset}, {r.method}, seed {r.seed}: {r.reason} ({r.log})" for r in found.itertuples()]
