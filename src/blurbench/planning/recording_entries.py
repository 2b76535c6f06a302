"""Entries of the user's own recordings: what is wrong with them."""

import os
from typing import Any

from blurbench import problems
from blurbench.planning import memory, pooled, schemas, shipped
from blurbench.planning.faults import Fault, unknown
from blurbench.planning.schema_faults import is_number, schema_faults


def recording_faults(
    where: str,
    recording: dict[str, Any],
    config: dict[str, Any],
    named: dict[str, list[str]],
    memory_mb: int | None = None,
) -> list[Fault]:
    """Faults of the recording that stands at the key `where`.

    Parameters
    ----------
    config : its problems expanded: a dataset with a fault, which is told already, is not in them
    named : the datasets that each problem names
    memory_mb : that one job may use; None where it is not known
    """
    problem, dataset, entries = recording.get("problem"), recording.get("dataset"), config["problems"]
    known = problem if isinstance(problem, str) and problem in named and schemas.has_recordings(problem) else None
    faults = schema_faults(recording, schemas.of_recording(known), where)
    for key in ("file", "centres"):
        faults += _file_faults(f"{where}.{key}", recording.get(key))
    faults += _calibration_faults(where, recording)
    if isinstance(problem, str) and problem not in entries:
        faults.append(unknown(f"{where}.problem", problem, entries, "an entry of problems"))
    if known is None or not isinstance(dataset, str):
        return faults
    if dataset not in named[known]:
        faults.append(unknown(f"{where}.dataset", dataset, named[known], f"an entry of problems.{known}.datasets"))
    elif not faults and dataset in entries[known]["datasets"]:
        judge = problems.find(known, "configuration.recording_faults")
        expanded = entries[known]["datasets"][dataset]
        faults += [Fault(f"{where}.{key}", *rest) for key, *rest in judge(recording, expanded)]
        if recording.get("weights") == shipped.SHIPPED and not shipped.fitting(config, known, dataset):
            theirs = [name for name in shipped.names() if name.startswith(f"{known}/")]
            expected = f"own, or a dataset of models that come with blurbench, as these were made: {', '.join(theirs)}"
            faults.append(Fault(f"{where}.weights", f"shipped, and none for {known}/{dataset}", expected))
        if not faults and memory_mb and problems.find(known, "recording_memory.WHOLE"):
            faults += _size_faults(where, recording, expanded, memory_mb)
    return faults


def _size_faults(where: str, recording: dict[str, Any], dataset: dict[str, Any], memory_mb: int) -> list[Fault]:
    """Faults of files that are in memory as a whole and of which that has no room."""
    if (need := memory.prepare_mb(recording, dataset)) <= memory_mb:
        return []
    found = f"{pooled.name(recording)!r} of {max(memory.files_mb(recording)):.0f} MB"
    said = f"a part of it: preparing it needs {need} MB, memory_mb allows {memory_mb}"
    known = schemas.of_recording(recording["problem"])["properties"]
    over_time = "; or `points`, where it holds volumes over time" if "points" in known else ""
    return [Fault(f"{where}.file", found, f"{said}{over_time}")]


def _file_faults(where: str, named: Any) -> list[Fault]:
    """Faults of a file or a list of them that is not there."""
    files = {where: named} if isinstance(named, str) else {}
    if isinstance(named, list):
        files = {f"{where}.{k}": file for k, file in enumerate(named) if isinstance(file, str)}
    expected = "a file or folder that exists, seen from the working directory"
    return [Fault(key, repr(file), expected) for key, file in files.items() if not os.path.exists(file)]


def _calibration_faults(where: str, recording: dict[str, Any]) -> list[Fault]:
    """Faults of gain and offset, each a number or the word estimate."""
    faults = []
    for key in ("gain", "offset"):
        value = recording.get(key)
        if isinstance(value, str) and value != "estimate":
            faults.append(Fault(f"{where}.{key}", repr(value), "a number, or the word estimate"))
        elif is_number(value) and (value < 0 or (key == "gain" and value == 0)):
            faults.append(Fault(f"{where}.{key}", repr(value), "a number above 0" if key == "gain" else "0 or above"))
    return faults
