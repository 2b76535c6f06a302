"""Items: what is seen of them, and answers of images that a store has filled up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from blurbench.files.datasets import Dataset
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.items import TRUTHS, answers, labelled, read

TINY = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def dataset():
    """Three images of 30 x 40 in a store of 64 x 80, their dark level 20; each with another truth."""
    images = np.zeros((3, 64, 80), np.uint16)
    images[:, :30, :40] = 25
    labels = (images > 0).astype(np.uint16)
    labels[:, 5] = 0  # two parts
    row = {"stain": 1, "blur_px": 7.0, "diameter_px": 20.0, "count": 5, "height_px": 30, "width_px": 40}
    items = pd.DataFrame([{**row, "truth": number} for number in range(len(TRUTHS))])
    spec = {**TINY, "imaging": {**TINY["imaging"], "offset": 20}}
    attrs = {"problem": "segmentation", "axes": ["item", "y", "x"], "voxel_size": [None] * 3, "units": [None] * 3}
    return Dataset({**attrs, "spec": spec}, images, items, {"labels": labels})


def test_an_image_is_above_its_dark_level_and_as_large_as_it_was(dataset):
    field = read(dataset, 1)
    assert field.image.shape == field.labels.shape == (30, 40) and (field.image == 5).all()
    assert (field.stain, field.blur_px, field.diameter_px, field.count) == ("cells", 7, 20, 5)


def test_truth_is_seen_as_far_as_it_is_known_and_may_be_seen(dataset):
    assert [read(dataset, i).labels is None for i in range(3)] == [True, False, False]
    blind = [read(dataset.blind(), i) for i in range(3)]
    assert all(field.labels is None and field.count is None for field in blind)


def test_answers_have_the_shape_of_the_store(dataset):
    for answer in answers(dataset, lambda field: np.full(field.image.shape, 7)):
        assert answer.shape == (64, 80) and (answer[:30, :40] == 7).all() and answer.sum() == 7 * 30 * 40


def test_more_cells_than_16_bits_count_keep_their_numbers():
    images = np.zeros((1, 300, 300), np.uint16)
    row = {"stain": 0, "blur_px": 1.0, "diameter_px": 1.0, "count": 90_000, "height_px": 300, "width_px": 300}
    many = Dataset({"problem": "segmentation", "spec": TINY}, images, pd.DataFrame([row]), {})
    (answer,) = answers(many, lambda field: np.arange(1, 90_001, dtype=np.int32).reshape(300, 300))
    stored = PROBLEM.answer.checked(answer, (300, 300))
    assert len(np.unique(stored)) == 90_000 and stored.max() == 90_000


def test_what_is_learned_from_has_labels_or_says_what_lacks(dataset):
    with pytest.raises(ValueError, match="item 0: found a count alone, expected the labels .*: state `masks`"):
        labelled(dataset, 0)
    assert len(np.unique(labelled(dataset, 1).labels)) == 3  # background and the two parts of a mask
    np.testing.assert_array_equal(labelled(dataset, 2).labels, read(dataset, 2).labels)
