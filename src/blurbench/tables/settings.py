"""What tables are made with, beside the scores."""

from typing import NamedTuple


class Settings(NamedTuple):
    """Of the configuration.

    datasets : {name: entry of the dataset}
    resamples, seed : of the bootstrap
    """

    datasets: dict
    resamples: int
    seed: int
