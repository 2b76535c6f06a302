"""What a schema cannot say of a dataset or a recording of this problem, and how much memory its items need."""

import math
from pathlib import Path

ARRAYS = 12  # float32 images that `simulate` holds at a time, both stains among them
FULL = 0.5  # share of the image that nuclei may take: beyond, hardly any scene finds a place for all
RANGES = {
    "imaging": ("photons", "background", "noise", "illumination", "autofluorescence"),
    "scene": ("clustering", "overlap", "depth_px"),
    "stain": ("diameter_px", "elongation", "brightness", "brightness_sd", "persistence", "bias"),
}


def faults(dataset, memory_mb):
    """Faults of an expanded dataset entry.

    Parameters
    ----------
    dataset : dict
    memory_mb : int, MB that one job may use; None where it is not known

    Yields
    ------
    (key, found, expected), key relative to the dataset's entry.
    """
    imaging, scene = dataset["imaging"], dataset["scene"]
    for key, value in ranges(dataset):
        if isinstance(value, list):
            if value[0] > value[1]:
                yield key, repr(value), "[lo, hi] with lo not above hi"
            elif value[0] <= 0:
                yield key, repr(value), "[lo, hi] above 0: its logarithm is uniform"
    for stain in ("nuclei", "cells"):
        if scene[stain]["octaves"][0] > scene[stain]["octaves"][1]:
            yield f"scene.{stain}.octaves", repr(scene[stain]["octaves"]), "[first, last] with first not above last"
    nucleus, cell = (scene[stain]["diameter_px"] for stain in ("nuclei", "cells"))
    if lowest(nucleus) > lowest(cell) or highest(nucleus) > highest(cell):
        yield "scene.nuclei.diameter_px", repr(nucleus), f"not above that of cells, {cell!r}"
    diameter = (1 + scene.get("size_error", 0)) * lowest(nucleus)
    taken = max(scene["counts"]) * math.pi / 4 * diameter**2 / math.prod(imaging["shape_px"])
    if taken > FULL:
        expected = f"nuclei on at most {FULL} of the image; these are on {taken:.2f} of it"
        yield "scene.counts", repr(max(scene["counts"])), expected
    for key in ("folder", "masks"):
        if key in dataset and not Path(dataset[key]).is_dir():
            yield key, repr(dataset[key]), "a folder that exists, seen from the working directory"
    if "masks" in dataset and "folder" not in dataset:
        yield "masks", repr(dataset["masks"]), "a folder of images beside it: folder"
    if memory_mb and (need := simulate_mb(dataset)) > memory_mb:
        expected = f"fewer pixels: simulating a scene needs {need:.0f} MB, memory_mb allows {memory_mb}"
        yield "imaging.shape_px", repr(imaging["shape_px"]), expected


def ranges(dataset):
    """(key, value) of everything that may be a range from which each scene draws."""
    parts = {"imaging": dataset["imaging"], "scene": dataset["scene"]}
    parts |= {f"scene.{stain}": dataset["scene"][stain] for stain in ("nuclei", "cells")}
    for where, part in parts.items():
        for key in RANGES.get(where, RANGES["stain"]):
            yield f"{where}.{key}", part[key]


def lowest(value):
    """The lower end of a range, or the number."""
    return value[0] if isinstance(value, list) else value


def highest(value):
    """The upper end of a range, or the number."""
    return value[1] if isinstance(value, list) else value


def recording_faults(recording, dataset):
    """Faults of a recording's entry that its schema lets pass: none."""
    return ()


def files(dataset):
    """Folders that a dataset is made from, by their keys."""
    return {key: dataset[key] for key in ("folder", "masks") if key in dataset}


def simulate_mb(dataset):
    """Memory of what `simulate` holds of a scene, MB."""
    return 4 * math.prod(dataset["imaging"]["shape_px"]) * ARRAYS / 1e6


def item_mb(dataset):
    """Memory of one image, MB."""
    return 2 * math.prod(dataset["imaging"]["shape_px"]) / 1e6
