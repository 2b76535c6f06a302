"""Score tables of every problem, read as arrays."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blurbench.files import parquet
from blurbench.files.answers import OK
from blurbench.planning import mistakes
from blurbench.planning.method import KINDS
from blurbench.scoring.clusters import CLUSTER
from blurbench.scoring.statistics import Replicates, Resampling, replicate, resampling

RANKED = KINDS[:2]  # limit and control rows frame the table, they do not compete


@dataclass
class Scores:
    """The scores of one dataset: methods (m) by seeds (s) by items (i); a missing seed or value is NaN."""

    dataset: str
    methods: pd.DataFrame  # method, kind, seeds
    items: pd.DataFrame  # the condition columns, by item
    clusters: np.ndarray  # what items that are drawn together have in common, (i,)
    values: dict[str, np.ndarray]  # by metric, (m, s, i)
    worst: dict[str, np.ndarray]  # by metric, (m, s, i), NaN where the item did not fail
    status: np.ndarray  # (m, s, i), None where there is no such seed

    @property
    def failed(self) -> np.ndarray:
        """Whether a prediction failed, (m, s, i)."""
        return (self.status != OK) & (self.status != None)  # noqa: E711  (elementwise)

    @property
    def cells(self) -> np.ndarray:
        """The cell of the design of each item, int (i,): items of one cell have all conditions in common."""
        if self.items.columns.empty:
            return np.zeros(len(self.items), int)
        return self.items.groupby(list(self.items), dropna=False).ngroup().to_numpy()

    def resampling(self, resamples, seed) -> Resampling:
        """Resamples of the items within their cells and of the training seeds."""
        return resampling(self.cells, resamples, seed, self.methods.seeds.max(), self.clusters)

    def counted(self, metric) -> np.ndarray:
        """Values of a metric with what failed items count as, (m, s, i)."""
        return np.where(np.isnan(self.worst[metric]), self.values[metric], self.worst[metric])

    def replicates(self, metric, reduce, draws: Resampling) -> Replicates:
        """A statistic of each method, a failed item counting as the worst value, everywhere in tables and figures.

        A method that never gives the quantity has none: the worst value of its failures is not its own.

        Parameters
        ----------
        metric : its name
        reduce : as in `statistics.replicate`
        draws : of `resampling`, of these items
        """
        found = replicate(self.values[metric], reduce, draws, self.worst[metric])
        silent = np.isnan(self.values[metric]).all(axis=(1, 2)) & (self.status == OK).any(axis=(1, 2))
        found.value[silent] = np.nan
        return found

    def take(self, items) -> "Scores":
        """The scores of some items, given as a mask or an index."""
        return Scores(
            self.dataset,
            self.methods,
            self.items[items],
            self.clusters[items],
            {name: value[..., items] for name, value in self.values.items()},
            {name: value[..., items] for name, value in self.worst.items()},
            self.status[..., items],
        )


def read(files, conditions) -> list[Scores]:
    """Score tables (parquet files or frames) of one problem, one `Scores` per dataset.

    Parameters
    ----------
    files : paths or frames, one per dataset, method and seed
    conditions : names of the condition columns; where there are mistakes these are one more, the first

    Raises
    ------
    ValueError if two methods of a dataset were scored on different items, or one of them twice.
    """
    datasets: dict[str, list] = {}
    for file in files:
        frame = file if isinstance(file, pd.DataFrame) else parquet.read(file)
        for (dataset, method, kind, seed), part in frame.groupby(["dataset", "method", "kind", "seed"], observed=True):
            datasets.setdefault(dataset, []).append((method, kind, seed, *_pivot(part, conditions)))
    return [_stack(dataset, runs) for dataset, runs in sorted(datasets.items())]


def read_one(files, conditions) -> Scores | None:
    """Score tables of one dataset; None if there are none.

    Raises ValueError if they are of several, or for what `read` raises it.
    """
    found = read(files, conditions)
    if len(found) > 1:
        raise ValueError(f"scores of one dataset expected, got {[one.dataset for one in found]}")
    return found[0] if found else None


def _pivot(frame, conditions):
    """(items, clusters, values, worst, status) of one method and seed, each by item."""
    wide = frame.pivot(index="item", columns="metric", values=["value", "worst"]).sort_index()
    items = frame.drop_duplicates("item").set_index("item").sort_index()
    return (
        items[[name for name in (mistakes.COLUMN, *conditions) if name in items]],
        items[CLUSTER].to_numpy() if CLUSTER in items else items.index.to_numpy(),
        wide["value"],
        wide["worst"],
        items["status"].astype(object).to_numpy(),
    )


def _stack(dataset, runs):
    runs = sorted(runs, key=lambda run: (KINDS.index(run[1]), run[0], run[2]))
    items, clusters = runs[0][3:5]
    for method, _, seed, other, *_ in runs:
        if not other.equals(items):
            raise ValueError(f"{dataset}: {method}, seed {seed}, was scored on other items than {runs[0][0]}")
    methods = pd.DataFrame([run[:3] for run in runs], columns=["method", "kind", "seed"])
    if methods.duplicated(["method", "seed"]).any():
        raise ValueError(f"{dataset}: two score tables of {methods[methods.duplicated(['method', 'seed'])].to_dict()}")
    methods["row"] = methods.groupby("method", sort=False).ngroup()
    methods["column"] = methods.groupby("method").cumcount()
    shape = (methods.row.max() + 1, methods.column.max() + 1, len(items))
    names = sorted(set().union(*(run[5].columns for run in runs)))
    values = {name: np.full(shape, np.nan) for name in names}
    worst = {name: np.full(shape, np.nan) for name in names}
    status = np.full(shape, None, object)
    for (*_, value, bound, state), row, column in zip(runs, methods.row, methods.column):
        status[row, column] = state
        for name in value:
            values[name][row, column] = value[name]
            worst[name][row, column] = np.where(state == OK, np.nan, bound[name])
    table = methods.groupby(["method", "kind"], sort=False).size().reset_index(name="seeds")
    return Scores(dataset, table, items, clusters, values, worst, status)
