"""Paired differences between the methods of a dataset, in the published number that orders the tables."""

import numpy as np
import pandas as pd

from blurbench.scoring.scores import RANKED, Scores
from blurbench.scoring.statistics import paired_differences
from blurbench.tables.settings import Settings


def table(scores: list[Scores], metric, number, given: Settings) -> pd.DataFrame:
    """Paired differences of one published number, over all conditions of each dataset.

    Of learned and classical methods; a failed item counts as the worst value. Tested, and corrected for as many tests,
    is every learned method against those of `given.compare_with`, which come second in their pairs. Columns: dataset,
    metric, method_a, method_b and those of `statistics.paired_differences`.
    """
    parts = []
    for one in scores:
        methods = one.methods.assign(last=one.methods.method.isin(given.compare_with))
        methods["order"] = methods["last"] * (1 + (methods.kind == "classical"))
        methods = methods[methods.kind.isin(RANKED)].sort_values("order", kind="stable")
        found = one.replicates(metric.name, number.reduce, one.resampling(given.resamples, given.seed))
        a, b = (methods.iloc[rows] for rows in np.triu_indices(len(methods), k=1))
        tested = (a.kind == "learned").to_numpy() & b["last"].to_numpy()
        pairs = paired_differences(found[a.index], found[b.index], tested)
        pairs = pairs.assign(method_a=a.method.to_numpy(), method_b=b.method.to_numpy(), dataset=one.dataset)
        parts.append(pairs.assign(metric=number.name))
    table = pd.concat(parts, ignore_index=True)
    first = ["dataset", "metric", "method_a", "method_b"]
    return table[[*first, *table.columns.drop(first)]]
