"""Failed predictions by reason."""

import pandas as pd

from blurbench.scoring.scores import Scores


def table(scores: list[Scores]) -> pd.DataFrame:
    """One row per dataset, method and status: dataset, method, kind, status, n_failed, n (all that it predicted)."""
    rows = []
    for one in scores:
        for (method, kind, seeds), status, failed in zip(one.methods.itertuples(index=False), one.status, one.failed):
            for reason, count in pd.Series(status[failed]).value_counts().sort_index().items():
                rows.append((one.dataset, method, kind, reason, count, seeds * len(one.items)))
    return pd.DataFrame(rows, columns=["dataset", "method", "kind", "status", "n_failed", "n"])
