"""BBBC005 of the Broad Bioimage Benchmark Collection (Ljosa et al. 2012, Nature Methods 9:637), from a folder of TIFFs.

A file SIMCEPImages_{well}_C{count}_F{blur}_s{sample}_w{stain}.TIF shows a scene; well column and sample name the scene,
the well's row its blur level. The page says that w1 are cell bodies and w2 nuclei. It is the other way round: objects
of w1 have a diameter of 31.5 px, those of w2 of 62.5 px, and masks of w1 lie within those of w2.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile

from blurbench.files import on_disk
from blurbench.microscopy.random_streams import key
from blurbench.segmentation.items import STAINS, TRUTHS

NAME = re.compile(r"SIMCEPImages_[A-P](\d\d)_C(\d+)_F(\d+)_s(\d+)_w([12])\.TIFF?", re.IGNORECASE)
CHANNELS = {"1": "nuclei", "2": "cells"}  # by content, see above
SHARP = 1  # blur level of which there are masks


class FolderError(ValueError):
    """A folder of BBBC005 that lacks a file, or holds one that is not as its name says."""


class Scene(NamedTuple):
    """A scene: `files` by stain and blur level, and the number of its cells as the names have it."""

    name: tuple
    count: int
    files: dict


def scenes(folder: str | Path) -> list[Scene]:
    """Scenes of a folder, in an order that its names alone decide, so that a split never parts images of one scene."""
    found: dict = {}
    for path in sorted(Path(folder).iterdir()):
        if match := NAME.fullmatch(path.name):
            column, count, blur, sample, channel = match.groups()
            name = (int(column), int(sample))
            one = found.setdefault(name, Scene(name, int(count), {}))
            if one.count != int(count):
                raise FolderError(f"{path}: found a scene of {count} cells, expected {one.count} as in its other files")
            one.files[CHANNELS[channel], int(blur)] = path
    if not found:
        raise FolderError(f"{folder}: found no SIMCEPImages_*.TIF, expected those of BBBC005")
    return sorted(found.values(), key=lambda one: key("bbbc005", *one.name))


def items(spec: dict, split: str):
    """(number of items, iterator of (image, labels, row)) of a split, as the simulator makes them.

    Test scenes are the first, validation scenes those that follow, training scenes the last.

    Raises
    ------
    FolderError if there are too few scenes, a file lacks, or an image is not as `imaging.shape_px` says.
    """
    found, (train, validation, test) = (
        scenes(spec["folder"]),
        (spec["items"][k] for k in ("train", "validation", "test")),
    )
    needed = {"test": test, "validation": test + validation, "train": test + validation + train}[split]
    if len(found) < needed:
        raise FolderError(f"{spec['folder']}: found {len(found)} scenes, expected at least {needed}: items")
    parts = {"test": found[:test], "validation": found[test:needed], "train": found[len(found) - train :]}
    shown = [(one, *way) for one in parts[split] for way in _shown(one, spec, split)]
    return len(shown), (_item(spec, *one) for one in shown)


def _shown(one, spec, split):
    """Stains and blur levels in which a scene is shown: in training one, drawn evenly."""
    levels = spec["test_blur_px"] if split == "test" else spec["imaging"]["blur_px"]
    ways = [(stain, blur) for stain in spec["stains"] for blur in levels]
    for way in ways:
        if way not in one.files:
            raise FolderError(
                f"{spec['folder']}: found no {way[0]} at F{way[1]} of column {one.name[0]}, sample {one.name[1]}"
            )
    return ways if split == "test" else [ways[key("shown", *one.name) % len(ways)]]


def _item(spec, one, stain, blur):
    image = _read(one.files[stain, blur], spec)
    labels, truth = _labels(spec, one, stain, image.shape)
    row = {
        "scene": 100 * one.name[0] + one.name[1],
        "stain": STAINS.index(stain),
        "blur_px": float(blur),
        "diameter_px": float(spec["scene"][stain]["diameter_px"]),
        "count": one.count,
        "truth": TRUTHS.index(truth),
        "height_px": image.shape[0],
        "width_px": image.shape[1],
    }
    return image.astype(np.uint16), labels, row


def _labels(spec, one, stain, shape):
    """The mask of a scene, of any of its blur levels, as labels: 1 wherever there is a cell; and what is known."""
    sharp = one.files.get((stain, SHARP))
    path = Path(spec["masks"]) / sharp.name if sharp and "masks" in spec else None
    if path is None or not path.is_file():
        return np.zeros(shape, np.uint16), "count"
    return (_read(path, spec) > 0).astype(np.uint16), "mask"


def _read(path, spec):
    """An image (y, x), judged by what it declares before it is read."""
    if found := on_disk.odd(path):
        raise FolderError(f"{path}: found {found}, expected a TIFF")
    try:
        with tifffile.TiffFile(path) as file:
            shape, dtype = file.pages[0].shape, file.pages[0].dtype
            if shape != tuple(spec["imaging"]["shape_px"]) or dtype != np.uint8:
                raise FolderError(f"{path}: found {shape} {dtype}, expected {tuple(spec['imaging']['shape_px'])} uint8")
            return file.pages[0].asarray()
    except FolderError:
        raise
    except Exception as error:  # whatever a damaged file raises in the decoder
        raise FolderError(f"{path}: found no readable TIFF ({error})") from error
