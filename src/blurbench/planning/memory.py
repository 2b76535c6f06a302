"""How much memory a job is given, MB; and how much of a dataset is held at a time."""

import os
from typing import Any

from blurbench import problems
from blurbench.planning import pooled

BASE_MB = 1000  # Python with its libraries; two Snakemake processes stand beside it on a cluster
TORCH_MB = 2000  # PyTorch, loaded
KEPT_MB = 2000  # inputs that a training keeps prepared of each of its two splits
CHUNK_ITEMS, CHUNK_MB = 256, 64  # images that a method is given at a time, whichever is less
FOLDER_MB = 110  # of a folder of images
MEASURED = 36  # times a recording's largest file: as one item it is as large as that, and methods hold it several times
ACTIVATIONS = 60  # float32 values that a network keeps per pixel of its batch


def memory_mb(config: dict[str, Any], stage: str, problem: str, dataset: str, method: str | None = None) -> int:
    """Memory of one job of a stage of an expanded configuration; a store hides its own sizes."""
    entry = config["problems"][problem]
    data = entry["datasets"][dataset]
    if stage == "simulate":
        return round(BASE_MB + 4 * problems.find(problem, "configuration.simulate_mb")(data))
    item = problems.find(problem, "configuration.item_mb")(data)
    if stage == "train":
        batch = max(trial["budget"].get("batch_size", 1) for trial in entry["methods"][method]["trials"])
        return round(BASE_MB + TORCH_MB + 2 * KEPT_MB + batch * item * 2 * ACTIVATIONS)
    chunk = max(item, min(CHUNK_ITEMS * item, CHUNK_MB))
    network = TORCH_MB + chunk * 2 * ACTIVATIONS / 8 if method and entry["methods"][method]["model"] else 0
    return round(BASE_MB + network + 4 * chunk)


def files_mb(recording: dict[str, Any]) -> list[float]:
    """MB of each file of a recording's entry; a folder counts as a round number, as no plan looks through it."""
    return [os.path.getsize(file) / 1e6 if os.path.isfile(file) else FOLDER_MB for file in pooled.files(recording)]


def prepare_mb(recording: dict[str, Any], dataset: dict[str, Any]) -> int:
    """Memory of preparing a recording: what its problem's `recording_memory.py` says of its files.

    Parameters
    ----------
    recording, dataset : entries of an expanded configuration
    """
    own = problems.find(recording["problem"], "recording_memory.prepare_mb")
    return round(BASE_MB + own(recording, dataset, files_mb(recording)))


def measure_mb(recording: dict[str, Any]) -> int:
    """Memory of measuring a recording beside that of its methods."""
    *others, largest = sorted(files_mb(recording))
    return round(MEASURED * largest + sum(others))
