"""Pixel scores pooled over images: every pixel counts alike, so that images of many or large cells rule them."""

import numpy as np
import pandas as pd

from blurbench.planning.method import KINDS
from blurbench.scoring.statistics import replicate_sums
from blurbench.segmentation.items import STAINS
from blurbench.segmentation.score import CAPTION as MAIN
from blurbench.tables.rendering import estimate

SCORES = {  # of the sums of pixels found and there, found though not there, and not found though there
    "pooled_f1": ("F1", lambda true, false, missed: 2 * true / (2 * true + false + missed)),
    "pooled_iou": ("IoU", lambda true, false, missed: true / (true + false + missed)),
    "pooled_precision": ("precision", lambda true, false, missed: true / (true + false)),
    "pooled_recall": ("recall", lambda true, false, missed: true / (true + missed)),
}
SUMS = ("true_px", "false_px", "missed_px")
ESTIMATE = ["mean", "ci_low", "ci_high"]

TITLE = "pooled over pixels"
CAPTION = (
    f"{MAIN} Here the pixels of all images of a stain are counted together, over all blur levels and training seeds; a "
    "failed image counts as an empty mask. Intervals are over images."
)


def table(scores, given):
    """One row per dataset, stain, method and score: dataset, stain, method, kind, metric, mean with its interval."""
    rows = [_rows(one, stain, given) for one in scores for stain in np.unique(one.items["stain"]).astype(int)]
    columns = ["dataset", "stain", "method", "kind", "metric", *ESTIMATE, "n_items"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _rows(whole, stain, given):
    """The rows of one stain of a dataset."""
    scores = whole.take((whole.items["stain"] == stain).to_numpy())
    draws = scores.resampling(given.resamples, given.seed)
    about = {"dataset": whole.dataset, "stain": STAINS[stain], "n_items": len(scores.items)}
    about |= {"method": scores.methods.method, "kind": scores.methods.kind}
    parts = []
    for name, (_, score) in SCORES.items():
        found = replicate_sums(_sums(scores), score, draws)
        numbers = dict(zip(ESTIMATE, (found.value, *found.interval())))
        parts.append(pd.DataFrame({**about, "metric": name, **numbers}))
    return pd.concat(parts)


def _sums(scores):
    """Pixels of each item by method, over its training seeds, in the order of SUMS; (3, m, i)."""
    true, false, missed = (scores.values[name] for name in SUMS)
    there = np.nan_to_num(true + missed).max(axis=(0, 1))  # alike for whoever answered
    missed = np.where(scores.failed, there, missed)
    return np.nansum([true, false, missed], axis=2)


def blocks(table):
    """(heading, note, rows of strings) of each dataset and stain."""
    for (dataset, stain), part in table.groupby(["dataset", "stain"], sort=False):
        cells = part.assign(cell=[estimate(*row) for row in part[ESTIMATE].itertuples(index=False)])
        first = part[part.metric == next(iter(SCORES))]
        first = first.assign(order=first.kind.map(KINDS.index), worse=-first["mean"])
        first = first.sort_values(["order", "worse", "method"])
        wide = cells.pivot(index="method", columns="metric", values="cell").loc[first.method, list(SCORES)]
        wide.columns = [label for label, _ in SCORES.values()]
        named = pd.DataFrame({"method": first.method.to_numpy(), "kind": first.kind.to_numpy()}, index=first.method)
        note = f"{part.n_items.max()} images. Sorted by F1 within each kind."
        yield f"{dataset}: {stain}", note, pd.concat([named, wide], axis=1)


def summary(table):
    """Nothing: the summary is about images."""
    return ()
