"""Scores at each blur level, for each stain."""

import pandas as pd

from blurbench.planning.method import KINDS
from blurbench.scoring.metric import numbers
from blurbench.segmentation.items import STAINS
from blurbench.segmentation.score import CAPTION as MAIN
from blurbench.segmentation.score import METRICS
from blurbench.tables import published
from blurbench.tables.rendering import FEW, estimate, few

SHOWN = ("pixel_f1", "instance_f1_50", "count_mae")
NUMBERS = [(metric, number) for metric, number in numbers(METRICS) if number.name in SHOWN]

TITLE = "by blur and stain"
CAPTION = f"{MAIN} Here at each blur level F, the diameter of the Gaussian kernel in px; its SD is a quarter of it."


def table(scores, given):
    """Rows of the main table at one blur of one stain: dataset, stain, blur_px, and its other columns."""
    found = published.table("segmentation", scores, NUMBERS, given)
    where = found["condition"].str.extract(r"^blur_px=(?P<blur_px>\S+), stain=(?P<stain>\S+)$")
    found = found.assign(blur_px=where["blur_px"].astype(float), stain=where["stain"].astype(float))
    found = found[found["stain"].notna()].reset_index(drop=True)
    found["stain"] = [STAINS[int(stain)] for stain in found["stain"]]
    first = ["dataset", "stain", "blur_px"]
    return found[[*first, *found.columns.drop([*first, "condition"])]]


def blocks(table):
    """(heading, note, rows of strings) of each dataset, stain and number: a row per method, a column per blur."""
    labels = {number.name: number.label for _, number in NUMBERS}
    for (dataset, stain, metric), part in table.groupby(["dataset", "stain", "metric"], sort=False):
        kinds = part.drop_duplicates("method").set_index("method")["kind"]
        wide = part.pivot(index="method", columns="blur_px", values="mean")
        last = wide.iloc[:, -1] * (1 if part["direction"].iloc[0] == "min" else -1)
        order = pd.DataFrame({"kind": kinds.map(KINDS.index), "last": last}).sort_values(["kind", "last"]).index
        counts = part.groupby("blur_px")["n_items"].min()
        cells = wide.loc[order].map(estimate)
        cells.columns = [f"F {blur:g}{few(counts[blur])}" for blur in cells]
        named = pd.DataFrame({"method": order, "kind": kinds[order].to_numpy()}, index=order)
        note = "Sorted within each kind by the strongest blur; the intervals are in the CSV."
        note += f" {FEW}" if few(counts.min()) else ""
        yield f"{dataset}, {stain}: {labels[metric]}", note, pd.concat([named, cells], axis=1)


def summary(table):
    """The blocks of the first number."""
    return blocks(table[table["metric"] == SHOWN[0]])
