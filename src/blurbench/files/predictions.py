"""Prediction files: Parquet, one row per item where the answer is a number, one row per point where it is points."""

import numpy as np
import pandas as pd

from blurbench.files import parquet

OK = "ok"
NO_ROW = "no row in the predictions file"


class PredictionError(ValueError):
    """A predictions file that cannot be scored."""


def write(frame: pd.DataFrame, path):
    """Write predictions; the columns are checked when they are read."""
    parquet.write(frame, path)


def read(path, n_items: int, answers, points=False) -> pd.DataFrame:
    """Predictions of every item, in order; an item without a row gets one that says so.

    Parameters
    ----------
    n_items : items of the dataset
    answers : names of the answer's columns. The first must be there, of points the coordinates; the others may be
        missing (a file that a user's own rule wrote) and are then NaN, as are `seconds`; `status` is then "ok"
    points : whether an item has a row per point (z, y, x); one without coordinates says that nothing was found

    Raises
    ------
    PredictionError if the file is damaged, a column missing, an item unknown, or with two rows where it must have one.
    """
    try:
        frame = parquet.read(path)
    except parquet.ParquetError as error:
        raise PredictionError(str(error)) from error
    if missing := {"item", *answers[: 3 if points else 1]} - set(frame):
        raise PredictionError(f"{path}: columns {sorted(missing)} are missing, found {sorted(frame)}")
    items = frame["item"].to_numpy()
    if len(items) and (items.min() < 0 or items.max() >= n_items):
        raise PredictionError(f"{path}: items {items.min()} to {items.max()}, the dataset has 0 to {n_items - 1}")
    if not points and frame["item"].duplicated().any():
        raise PredictionError(f"{path}: item {frame['item'][frame['item'].duplicated()].iloc[0]} has two rows")
    for name in (*answers, "seconds"):
        frame[name] = frame[name].astype(float) if name in frame else np.nan
    if "status" not in frame:
        frame["status"] = OK
    silent = pd.DataFrame({"item": np.setdiff1d(np.arange(n_items), items)}).assign(status=NO_ROW)
    frame = pd.concat([frame, silent]).sort_values("item", kind="stable", ignore_index=True)
    return frame[["item", *answers, "seconds", "status"]]
