"""Entries of the user's own recordings: what is wrong with them."""

from pathlib import Path
from typing import Any

from blurbench import problems
from blurbench.planning import schemas
from blurbench.planning.faults import Fault, unknown
from blurbench.planning.schema_faults import is_number, schema_faults


def recording_faults(where: str, recording: dict[str, Any], entries: dict[str, Any]) -> list[Fault]:
    """Faults of the recording that stands at the key `where`; `entries` are those of the problems, expanded."""
    problem, dataset = recording.get("problem"), recording.get("dataset")
    entry = entries.get(problem) if isinstance(problem, str) else None
    is_known = isinstance(problem, str) and isinstance(entry, dict) and schemas.has_recordings(problem)
    faults = schema_faults(recording, schemas.of_recording(problem if is_known else None), where)
    if isinstance(file := recording.get("file"), str) and not Path(file).exists():
        expected = "a file or folder that exists, seen from the working directory"
        faults.append(Fault(f"{where}.file", repr(file), expected))
    faults += _calibration_faults(where, recording)
    if problem and problem not in entries:
        faults.append(unknown(f"{where}.problem", problem, entries, "an entry of problems"))
    datasets = entry.get("datasets", {}) if isinstance(entry, dict) else {}
    if datasets and dataset and dataset not in datasets:
        faults.append(unknown(f"{where}.dataset", dataset, datasets, f"an entry of problems.{problem}.datasets"))
    elif is_known and dataset and not faults:
        judge = problems.find(problem, "configuration.recording_faults")
        faults += [Fault(f"{where}.{key}", *rest) for key, *rest in judge(recording, datasets[dataset])]
    return faults


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
