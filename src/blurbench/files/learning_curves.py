"""Learning curves on disk: CSV with a row for each validation of a training, or for each setting that was tried."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from blurbench.files import on_disk


class CurveError(ValueError):
    """A learning curve that cannot be read, or tells nothing."""


def read(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """Learning curve of a training; without rows where that raised.

    Parameters
    ----------
    path : of the CSV file
    columns : those that must be there and hold numbers, `items` among them

    Raises
    ------
    CurveError for a file that is no table, lacks a column, or has one of texts; and for `items` that are no whole
    numbers.
    """
    if found := on_disk.odd(path):
        raise CurveError(f"{path}: found {found}, expected a learning curve")
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError, OverflowError) as error:
        raise CurveError(f"{path}: found no table ({error}), expected a learning curve") from error
    if missing := set(columns) - set(table):
        raise CurveError(f"{path}: found no column {sorted(missing)[0]} among {list(table)}, expected {list(columns)}")
    if table.empty:
        return table.astype(dict.fromkeys(columns, float))
    for name in columns:
        if table[name].dtype.kind not in "iuf":
            wrong = next(iter(table[name][pd.to_numeric(table[name], errors="coerce").isna()]), table[name].iloc[0])
            raise CurveError(f"{path}: column {name}: found {wrong!r}, expected numbers")
    items = table["items"].to_numpy(float)
    if (odd := ~np.isfinite(items) | (items != np.rint(items)) | (np.abs(items) >= 2**53)).any():
        raise CurveError(f"{path}: column items: found {items[odd][0]:g}, expected whole numbers")
    return table
