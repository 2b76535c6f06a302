"""What tables are made with, beside the scores."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """Of the configuration.

    datasets : {name: entry of the dataset}
    resamples, seed : of the bootstrap
    trials : (dataset, method, seed, file) of every sweep, as `running.sweep` writes them
    """

    datasets: dict
    resamples: int
    seed: int
    trials: Sequence[tuple[str, str, int, Any]] = ()
