"""The score table of one method on one dataset: long, the only thing between computing and reporting.

Apart from `scores`, which reads them: statistics take half a second to import, in every job that scores.
"""

import numpy as np
import pandas as pd

from blurbench.files.answers import OK
from blurbench.planning import mistakes
from blurbench.scoring.metric import Metric


def score_table(items: pd.DataFrame, metrics: tuple[Metric, ...], values, status, spec) -> pd.DataFrame:
    """Score table of one method on one dataset: one row per item and metric.

    Parameters
    ----------
    items : the condition columns, indexed by item; and `clusters.CLUSTER`, where items are no independent draws
    metrics : of the problem; `success` among them is whether the item was answered
    values : {name: one value per item}, of the others; where the method failed they are left out
    status : one per item
    spec : of the dataset, by which failed items are judged

    Raises
    ------
    ValueError for a value outside of the range of its metric.
    """
    ok = status == OK
    parts = []
    for metric in metrics:
        value = (
            ok.astype(float) if metric.name == "success" else np.where(ok, values[metric.name], np.nan).astype(float)
        )
        metric.check(value)
        parts.append(
            items.reset_index(names="item").assign(
                metric=metric.name,
                value=value,
                unit=metric.unit,
                direction=metric.direction,
                status=status,
                worst=metric.worst_of(spec),
            )
        )
    return pd.concat(parts, ignore_index=True)


def named_mistakes(table: pd.DataFrame, dataset) -> pd.DataFrame:
    """Score table of a dataset with the name of each item's mistake, where it has mistakes.

    Parameters
    ----------
    table : of `score_table`
    dataset : Dataset
    """
    if mistakes.COLUMN not in dataset.items:
        return table
    names = np.array(list(dataset.spec[mistakes.KEY]))
    return table.assign(**{mistakes.COLUMN: names[dataset.items[mistakes.COLUMN].to_numpy()[table["item"]]]})
