"""A configuration for a recording that somebody has a file and a few numbers of."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from blurbench.planning import schemas
from blurbench.planning.faults import ConfigurationError, Fault
from blurbench.planning.merging import merged

START = {"gain": "estimate", "offset": "estimate", "polarity": "bright", "weights": "shipped"}


def named(file: str) -> str:
    """Name of a recording after its file."""
    return re.sub(r"[^a-z0-9]+", "_", Path(file).name.partition(".")[0].lower()).strip("_") or "recording"


def layer(name: str, files: list[str], problem: str, known: dict[str, Any], stated: Iterable[str]) -> dict[str, Any]:
    """Layer of a configuration with one recording, and a run of its name.

    Parameters
    ----------
    name : of the recording
    files : one, or several that are pooled
    problem : whose methods run on it
    known : keys of the entry
    stated : others, each as "key=value" or "part.key=value", the value in YAML

    Raises
    ------
    ConfigurationError for a problem that takes no recordings, and for what is no such text.
    """
    if not schemas.has_recordings(problem):
        raise ConfigurationError([Fault("problem", repr(problem), "one that takes recordings")])
    given = merged({"file": files[0] if len(files) == 1 else files, "problem": problem}, START)
    for part in (schemas.start_of_recording(problem), known, *_parts(stated)):
        given = merged(given, part)
    return {"run": name, "recordings": {name: given}}


def _parts(stated: Iterable[str]) -> Iterator[dict[str, Any]]:
    for text in stated:
        keys, sign, value = text.partition("=")
        if not sign or not all(keys.split(".")):
            raise ConfigurationError([Fault("--set", repr(text), "key=value, or part.key=value")])
        part: Any = yaml.safe_load(value)
        for key in reversed(keys.split(".")):
            part = {key: part}
        yield part
