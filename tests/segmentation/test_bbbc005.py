"""A folder of files with the names of BBBC005 becomes a dataset."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from blurbench.planning.merging import merged
from blurbench.segmentation import bbbc005, simulate
from blurbench.segmentation.items import STAINS, TRUTHS

TINY = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
LEVELS = {"A": 1, "B": 5, "C": 9}  # by the row of the well
COUNTS = {1: 4, 2: 7}  # by its column


def name(row, column, sample, channel):
    return f"SIMCEPImages_{row}{column:02d}_C{COUNTS[column]}_F{LEVELS[row]}_s{sample:02d}_w{channel}.TIF"


@pytest.fixture
def spec(tmp_path):
    """Entry of a folder of eight scenes, each in both stains at three levels, a grey level each; no mask of w2."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir(), masks.mkdir()
    for column in COUNTS:
        for sample in range(1, 5):
            for channel in (1, 2):
                for row in LEVELS:
                    grey = 10 * sample + 100 * (column - 1) + LEVELS[row] + 50 * (channel - 1)
                    tifffile.imwrite(images / name(row, column, sample, channel), np.full((64, 80), grey, np.uint8))
            mask = np.zeros((64, 80), np.uint8)
            mask[10:20, 10 : 20 + sample] = 255
            tifffile.imwrite(masks / name("A", column, sample, 1), mask)
    (images / "Thumbs.db").write_bytes(b"")
    return merged(TINY, {"folder": str(images), "masks": str(masks), "items": {"train": 3, "validation": 2, "test": 3}})


def made(spec, split):
    return [
        (images[0], row.iloc[0], truth["labels"][0]) for images, row, truth in simulate.dataset(spec, split, 1).shards
    ]


def test_images_of_a_scene_are_in_one_split(spec):
    found = {split: {row["scene"] for _, row, _ in made(spec, split)} for split in ("train", "validation", "test")}
    assert [len(found[split]) for split in ("train", "validation", "test")] == [3, 2, 3]
    assert len(set.union(*found.values())) == 8, "none is in two"
    assert len(made(spec, "test")) == 3 * 2 * 2 and len(made(spec, "train")) == 3


def test_every_item_is_what_its_name_says(spec):
    for image, row, labels in made(spec, "test") + made(spec, "train"):
        column, sample = divmod(int(row["scene"]), 100)
        stain = STAINS[int(row["stain"])]
        # w1 are the nuclei, whatever the collection's page says.
        grey = 10 * sample + 100 * (column - 1) + row["blur_px"] + 50 * (stain == "cells")
        assert (image == grey).all() and image.dtype == np.uint16
        assert row["count"] == COUNTS[column]
        assert row["diameter_px"] == {"nuclei": 10, "cells": 20}[stain]
        # The mask of the sharp image is that of all its levels.
        assert TRUTHS[int(row["truth"])] == ("mask" if stain == "nuclei" else "count")
        assert labels.sum() == (10 * (10 + sample) if stain == "nuclei" else 0)


def test_without_masks_cells_are_only_counted(spec):
    del spec["masks"]
    assert {TRUTHS[int(row["truth"])] for _, row, _ in made(spec, "test")} == {"count"}


def test_fewer_test_scenes_leave_the_training_scenes_as_they_are(spec):
    fewer = merged(spec, {"items": {"test": 1}})
    scenes = [[row["scene"] for _, row, _ in made(one, "train")] for one in (spec, fewer)]
    assert scenes[0] == scenes[1]


def _first(spec, split="test"):
    """A file of the first scene of a split."""
    row = made(spec, split)[0][1]
    column, sample = divmod(int(row["scene"]), 100)
    return Path(spec["folder"]) / name("A", column, sample, 1)


def test_what_lacks_or_is_wrong_is_told_with_its_file(spec, tmp_path):
    with pytest.raises(bbbc005.FolderError, match="found 8 scenes, expected at least 9: items"):
        made(merged(spec, {"items": {"train": 4}}), "train")
    file = _first(spec)
    file.write_bytes(b"II*\0 no more")
    with pytest.raises(bbbc005.FolderError, match=f"{file.name}: found no readable TIFF"):
        made(spec, "test")
    tifffile.imwrite(file, np.zeros((64, 81), np.uint8))
    with pytest.raises(bbbc005.FolderError, match=r"found \(64, 81\) uint8, expected \(64, 80\) uint8"):
        made(spec, "test")
    file.unlink()
    with pytest.raises(bbbc005.FolderError, match="found no nuclei at F1 of column"):
        made(spec, "test")
    (tmp_path / "none").mkdir()
    with pytest.raises(bbbc005.FolderError, match="found no SIMCEPImages"):
        made({**spec, "folder": str(tmp_path / "none")}, "test")


def test_a_scene_of_two_counts_is_told(spec):
    file = _first(spec)
    file.rename(file.with_name(file.name.replace("_C", "_C1")))
    with pytest.raises(bbbc005.FolderError, match="expected 1?[47] as in its other files"):
        made(spec, "test")
