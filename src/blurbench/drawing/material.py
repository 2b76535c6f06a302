"""What the figures of a problem are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench.drawing import style
from blurbench.files import learning_curves
from blurbench.files.datasets import Dataset
from blurbench.planning.method import KINDS
from blurbench.scoring.scores import Scores


class MethodFile(NamedTuple):
    """A file of one method and training seed on one dataset: its predictions, or the learning curve of its model."""

    dataset: str
    method: str
    seed: int
    file: object


@dataclass(kw_only=True)
class Material:
    """The material of one figure: that of one dataset, or of all datasets of a problem.

    Parameters
    ----------
    resamples, seed : of the bootstrap behind intervals
    scores : score tables (parquet files or frames), one per dataset, method and seed
    predictions, curves : prediction files and learning curves
    validation : score tables of the validation split, where networks are trained on the dataset
    methods : {name: {method, options, budget, sweep}} of what the curves are of
    kinds : {name: kind} of all methods of the problem, in the order of the configuration
    store : the test split; None where there are several datasets
    datasets : {name: dataset entry of the configuration}
    dataset : name of the one; None where there are several
    """

    resamples: int
    seed: int
    scores: list = field(default_factory=list)
    predictions: list[MethodFile] = field(default_factory=list)
    curves: list[MethodFile] = field(default_factory=list)
    validation: list = field(default_factory=list)
    methods: dict = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    store: Dataset | None = None
    datasets: dict = field(default_factory=dict)
    dataset: str | None = None

    def trained(self, columns) -> list[tuple[MethodFile, pd.DataFrame]]:
        """The learning curves, in order, with columns of numbers that must be there; none of trainings that raised."""
        tables = [(one, learning_curves.read(str(one.file), columns)) for one in sorted(self.curves)]
        return [(one, table) for one, table in tables if len(table)]

    def answers(self) -> dict[str, object]:
        """The predictions file of each method, by its name: of several training seeds the first one's.

        Learned methods first, then classical ones, limits and controls, each in the order of the configuration.
        """
        order = list(self.kinds)
        found = {one.method: one.file for one in sorted(self.predictions, key=lambda one: -one.seed)}

        def place(method):
            kind = self.kinds.get(method)
            return (KINDS.index(kind), order.index(method)) if kind else (len(KINDS), 0)

        return {method: found[method] for method in sorted(found, key=place)}

    def styles(self, kinds: Mapping[str, str]) -> dict[str, dict]:
        """How methods are drawn, by name: one looks alike in all figures of a problem. `kinds` : of those at hand."""
        of_all = style.method_styles({**self.kinds, **kinds})
        return {method: of_all[method] for method in kinds}

    def estimate(self, scores: Scores, metric, reduce) -> np.ndarray:
        """A statistic of each method with the ends of its 95 % interval, (3, m), as the tables have it.

        Parameters
        ----------
        scores : the items to take
        metric, reduce : as in `Scores.replicates`
        """
        result = scores.replicates(metric, reduce, scores.resampling(self.resamples, self.seed))
        return np.array([result.value, *result.interval()])
