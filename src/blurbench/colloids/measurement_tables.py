"""What was measured in each volume of a recording by each training seed, as the tables that are read."""

import pandas as pd

from blurbench.colloids.recorded import called
from blurbench.files.answers import OK

RMS = ["rms_z_d", "rms_xy_d"]  # scores that are averaged as squares
TOLD = 3  # volumes whose remarks stand in the rows of all volumes


def of_methods(rows: pd.DataFrame, numbers: list[str], remarks: list[list[str]], volumes: list[dict]) -> pd.DataFrame:
    """A row of each method and, of several volumes, below them those of each volume.

    Parameters
    ----------
    rows : method, kind, seed, item, status and the numbers, of each method, training seed and volume
    numbers : columns to average: over seeds, NaN where one is, then over the volumes that have one
    remarks : sentences on each volume
    volumes : {"file", "time"} of each, as `preparation.prepare` keeps them
    """
    squared = [name for name in RMS if name in numbers]
    rows = rows.assign(**{name: rows[name] ** 2 for name in squared})
    methods, by_volume = [], []
    for (name, kind), own in rows.groupby(["method", "kind"], sort=False):
        about = {"method": name, "kind": kind, "n_seeds": own["seed"].nunique()}
        each = own.groupby("item")[numbers].agg(_mean_of_all)
        failed = own[own["status"] != OK].groupby("item")["status"].first()
        status = failed.reindex(each.index).fillna(OK)
        whole = {**about, **each.mean(), "status": OK if (status == OK).any() else status.iloc[0]}
        if "f1" in numbers:
            whole["n_scored"] = int(each["f1"].notna().sum())
        if len(volumes) > 1:
            whole |= {"n_volumes": len(each), "n_failed": len(failed)}
            of_each = each.assign(**about, status=status, remark=["; ".join(some) for some in remarks])
            by_volume.append(of_each.reset_index())
        methods.append({**whole, "remark": _told(remarks, volumes)})
    table = pd.concat([pd.DataFrame(methods), *by_volume], ignore_index=True)
    table[squared] = table[squared] ** 0.5
    table[["n", "n_inset"]] = table[["n", "n_inset"]].convert_dtypes()  # whole numbers, but for means that are none
    first, last = ["method", "kind", *numbers, "n_seeds"], ["status", "remark"]
    counts = [column for column in ("n_scored", "n_volumes", "n_failed") if column in table]
    item = ["item"] if len(volumes) > 1 else []
    return placed(table[[*item, *first, *counts, *last]], volumes)


def placed(table: pd.DataFrame, volumes: list[dict]) -> pd.DataFrame:
    """A table with file and time of each row's item, empty for all together; of one volume without these."""
    if len(volumes) == 1:
        return table.drop(columns="item", errors="ignore")
    item = table["item"].astype("Int64")  # whole numbers, but for rows of all volumes
    places = pd.DataFrame(volumes).astype({"time": "Int64"}).reindex(item.fillna(-1).to_numpy(int))
    return pd.concat([item, places.set_index(table.index), table.drop(columns="item")], axis=1)


def over_volumes(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves g of r_d of each method: means over training seeds, NaN where one is, then over the volumes that have one.

    curves : method, item, seed, r_d, g
    """
    by_volume = curves.groupby(["method", "item", "r_d"], sort=False)["g"].agg(_mean_of_all)
    return by_volume.groupby(["method", "r_d"], sort=False).mean().reset_index()


def _mean_of_all(values):
    """The mean, NaN if any value is."""
    return values.mean(skipna=False)


def _told(remarks, volumes):
    """Remarks on all volumes in one text: of several, of the first in full, and how many more have any."""
    if len(volumes) == 1:
        return "; ".join(remarks[0])
    some = [(called(**volume), told) for volume, told in zip(volumes, remarks) if told]
    more = [f"remarks on {len(some) - TOLD} more volumes in their rows"] if len(some) > TOLD else []
    return "; ".join([*(f"{name}: {'; '.join(told)}" for name, told in some[:TOLD]), *more])
