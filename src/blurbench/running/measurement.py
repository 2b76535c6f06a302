"""What the methods of a problem find in a recording: the part of it that every problem has."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from blurbench.files.datasets import Dataset
from blurbench.running import methods


class Measurement(NamedTuple):
    """What `measure` of a problem's measurement.py returns, and `draw` shows.

    methods : one row per method
    details : one row per track, centre or whatever else the problem's answers are, and method
    reference : what can be said without a method or of all answers together: a mean squared displacement, g(r)
    """

    methods: pd.DataFrame
    details: pd.DataFrame
    reference: pd.DataFrame


def answers(items: Dataset, entries: dict[str, dict], device: str) -> Iterator[tuple[str, dict, dict[int, Any]]]:
    """Run every method on the items of a recording, once per training seed.

    Parameters
    ----------
    items : Dataset that `preparation.prepare` wrote
    entries : {name: {"method", "kind", "options", "models": {training seed: file}, empty where nothing is trained}}
    device : cpu, cuda or auto

    Yields
    ------
    name, entry, and {training seed: what `methods.predict` returns}, the seed 0 where nothing is trained
    """
    for name, entry in entries.items():
        found = {}
        for seed, model in (entry["models"] or {0: None}).items():
            method = methods.load(items.attrs["problem"], entry["method"], entry["options"], model)
            found[seed] = methods.predict(method, items, model, device)
        yield name, entry, found
