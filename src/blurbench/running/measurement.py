"""What the methods of a problem find in a recording: the part of it that every problem has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blurbench import problems
from blurbench.files import checksums
from blurbench.files.datasets import Dataset
from blurbench.running import methods


class Measurement(NamedTuple):
    """What `measure` of a problem's measurement.py returns, and `draw` shows.

    methods : one row per method
    details : one row per track, centre or whatever else the problem's answers are, and method
    reference : what can be said without a method or of all answers together: a mean squared displacement, g(r)
    pictures : by name, what `draw` shows of answers that no table holds
    """

    methods: pd.DataFrame
    details: pd.DataFrame
    reference: pd.DataFrame
    pictures: dict[str, Any] | None = None


def answers(
    items: Dataset, entries: dict[str, dict], device: str, folder: str | Path | None = None
) -> Iterator[tuple[str, dict, dict[int, Any]]]:
    """Run every method on the items of a recording, once per training seed.

    Parameters
    ----------
    items : Dataset that `preparation.prepare` wrote
    entries : {name: {"method", "kind", "options", "models": {training seed: file}, empty where nothing is trained,
        "sha256" of the model's file, where that is known}}
    device : cpu, cuda or auto
    folder : where answers are kept until the next method's are asked for; without one they are in memory, as images
        should not be

    Yields
    ------
    name, entry, and {training seed: what `methods.predict` returns}, the seed 0 where nothing is trained

    Raises
    ------
    ModelError for a model that is not the one that was shipped.
    """
    for name, entry in entries.items():
        found = {}
        for model in entry["models"].values():
            if said := entry.get("sha256"):
                checksums.check_card(model, said)
        for seed, model in (entry["models"] or {0: None}).items():
            method = methods.load(items.attrs["problem"], entry["method"], entry["options"], model)
            if folder is None:
                found[seed] = methods.predict(method, items, model, device)
            else:
                answer = problems.load(items.attrs["problem"]).answer
                path = Path(folder, f"{seed}{answer.suffix}")
                methods.predict(method, items, model, device, path=path)
                found[seed] = answer.read(path, len(items))
        yield name, entry, found
