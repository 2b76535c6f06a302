"""What a problem declares of its scores: each number per item, with the published numbers that it is reduced to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDING = 1e-9  # by which a value may miss its range
SIZES = {"mean_abs", "rms", "sd", "median_abs"}  # reductions to a size or a spread


@dataclass(frozen=True)
class Published:
    """A published number. Its unit is that of the metric that it reduces.

    Parameters
    ----------
    name : as the tables call it
    reduce : a name of `statistics.REDUCTIONS`, "bias" for the mean of a signed error; or of `statistics.QUANTILES`
    label : heading in the tables for people; "" keeps the number to the CSV
    fixed_condition : published at a fixed condition only, since it means nothing over a mixture of them
    to_limits : published also as `ratio_to_<limit>` for every limit row, on the same items
    table : the extra table it belongs to; "" is the main one
    mistakes : whether it also stands in the table of mistakes
    """

    name: str
    reduce: str
    label: str = ""
    fixed_condition: bool = False
    to_limits: bool = False
    table: str = ""
    mistakes: bool = False


@dataclass(frozen=True)
class Metric:
    """A number per item.

    Parameters
    ----------
    name : as the score tables call it
    direction : min, max or target
    range : the lowest and the highest value that there can be
    worst : what a failed item counts as: a number, NaN if failures do not count, or a function of the dataset's spec
    published : what it is reduced to
    unit : "1" if it has none
    target : the value to hit, for direction target
    """

    name: str
    direction: str
    range: tuple[float, float]
    worst: float | Callable[[dict], float]
    published: tuple[Published, ...] = ()
    unit: str = "1"
    target: float = np.nan

    def check(self, values):
        """Raise ValueError for a value outside of the range. NaN is none."""
        low, high = self.range
        outside = values[(values < low - ROUNDING) | (values > high + ROUNDING)]
        if len(outside):
            raise ValueError(f"metric {self.name}: found {outside[0]:g}, expected a number from {low:g} to {high:g}")

    def worst_of(self, spec) -> float:
        """What a failed item of a dataset with that spec counts as."""
        return self.worst(spec) if callable(self.worst) else self.worst

    def direction_of(self, number: Published) -> str:
        """Direction of a published number. A mean is good where its values are; a size or a spread is if small."""
        return "min" if number.reduce in SIZES else self.direction

    def badness(self, number: Published, value):
        """`value` of a published number such that smaller is better, a new array."""
        direction = self.direction_of(number)
        if direction == "target":
            return np.abs(np.subtract(value, self.target))
        return np.negative(value) if direction == "max" else np.positive(value)


def numbers(metrics, table="") -> list[tuple[Metric, Published]]:
    """The numbers of one table, each with the metric that it reduces, in the order of their declaration."""
    return [(metric, number) for metric in metrics for number in metric.published if number.table == table]
