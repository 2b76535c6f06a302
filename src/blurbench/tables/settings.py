"""What tables are made with, beside the scores."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """Of the configuration.

    datasets : {name: entry of the dataset}
    resamples, seed : of the bootstrap
    compare_with : names of the methods that every learned one is tested against
    bounds : names of the limits that are no estimates from the items
    problem : its name
    trials : (dataset, method, seed, file) of every sweep, as `running.sweep` writes them
    """

    datasets: dict
    resamples: int
    seed: int
    compare_with: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()
    problem: str = ""
    trials: Sequence[tuple[str, str, int, Any]] = ()
