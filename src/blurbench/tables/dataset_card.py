"""Card of a dataset: what it is made from, its splits, the gates that they passed, and a picture of some items."""

import base64
import json
import math
import os
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blurbench.planning import meanings, units
from blurbench.tables import page
from blurbench.tables.rendering import NONE, digits

EMBEDDED = 400_000  # bytes of a picture, up to which the page holds it and shows it wherever it is opened
COLUMNS = ["key", "value", "unit and meaning"]


def card(config: dict[str, Any], problem: str, name: str, found, folder: Path) -> list[str]:
    """Parts in HTML; `found` is a `cards.Found`, the other parameters are those of `cards.document`."""
    entry = config["problems"][problem]["datasets"][name]
    rows = [(one.key, text(one.value), one.words) for one in meanings.of_dataset(problem, entry)]
    manifests = {split: found.manifests[name, split] for split in entry["splits"]}
    gates = [(split, *gate) for split, one in manifests.items() for gate in _gates(one.get("gates", {}))]
    parts = [
        page.terms(_used(config, problem, name, entry)),
        *_picture(name, entry, found.pictures, folder),
        page.plain(pd.DataFrame([_split(*one) for one in manifests.items()])),
        page.plain(pd.DataFrame(rows, columns=COLUMNS)),
    ]
    if gates:
        shown = pd.DataFrame(gates, columns=["split", "gate", "found", "limit", "passed"])
        parts.insert(-1, page.plain(shown))
    return parts


def text(value: Any) -> str:
    """A value of a configuration as it is written in YAML, a list in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _used(config, problem, name, entry):
    """How the dataset stands to others, by term."""
    used = {"like": entry["like"] or NONE, "models of": entry["models"], "random streams of": entry["stream"]}
    trained = sorted({seed for _, _, seed in units.models_of(config, problem, name)})
    return {
        **used,
        "seed": str(config["seed"]),
        "seeds of the models": ", ".join(map(str, trained)) or NONE,
        "methods": ", ".join(entry["methods"]),
    }


def _picture(name, entry, pictures, folder):
    """The picture, in the page where it is small, else beside it."""
    if name not in pictures:
        if entry["models"] in pictures:
            yield page.paragraph(f"Its figures stand with those of {entry['models']}.", "small")
        return
    file = Path(pictures[name])
    beside = escape(Path(os.path.relpath(file, folder)).as_posix())
    if file.stat().st_size <= EMBEDDED:
        data = base64.b64encode(file.read_bytes()).decode()
        yield f'<p><img alt="items of {escape(name)}" style="max-width: 100%" src="data:image/png;base64,{data}"></p>'
    yield f'<p class="small">Some of its items: <a href="{beside}">{escape(file.name)}</a></p>'


def _split(split, manifest):
    images = manifest["arrays"]["images"]
    megabytes = math.prod(images["shape"]) * np.dtype(images["dtype"]).itemsize / 1e6
    return {
        "split": split,
        "items": manifest["items"],
        "images": " × ".join(map(str, images["shape"])),
        "dtype": images["dtype"],
        "MB": digits(megabytes, 3),
        "blake2b of the images": images["blake2b"],
    }


def _gates(gates):
    """(gate, found, limit, passed) of what a manifest holds of its gates; the whole first."""
    for name, gate in sorted(gates.items(), key=lambda one: one[0] != "passed"):
        if name == "passed":
            yield "all of them", "", "", _word(gate)
        elif isinstance(gate, dict):
            yield name, _measured(gate["value"]), text(gate["limit"]), _word(gate["passed"])
        else:
            yield name, _measured(gate), NONE, NONE


def _measured(value):
    """A number to four digits, or those of a list."""
    if isinstance(value, list):
        return "; ".join(map(_measured, value)) or NONE
    if isinstance(value, dict):
        stated = {key: one for key, one in value.items() if one is not None and key not in ("limit", "passed")}
        return ", ".join(f"{key} {_measured(one)}" for key, one in stated.items())
    return f"{value:.4g}" if isinstance(value, float) else text(value)


def _word(passed):
    return "yes" if passed else "no"
