"""Images: blur, light, camera, and the measured facts of BBBC005."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from configurations import layers
from skimage.filters import threshold_otsu
from skimage.measure import label

from blurbench.planning.merging import merged
from blurbench.segmentation import simulate
from blurbench.segmentation.configuration import faults
from blurbench.segmentation.items import STAINS, TRUTHS
from blurbench.segmentation.optics import blurred, kernel

TINY = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
DATASETS = layers("config")["problems"]["segmentation"]["datasets"]


def made(stain="nuclei", blur=1, number=1, **changes):
    """(image, labels, row) of a scene of the tiny dataset."""
    return simulate.Maker(merged(TINY, changes), 1, number).item(stain, blur)


# Blur


@pytest.mark.parametrize("diameter", [7, 14, 23, 48])
def test_the_kernel_is_a_gaussian_of_a_quarter_of_the_diameter(diameter):
    weights = kernel(diameter)
    x = np.arange(len(weights)) - len(weights) // 2
    assert weights.sum() == pytest.approx(1, abs=1e-6) and abs((weights * x).sum()) < 1e-5
    assert len(weights) in (diameter, diameter + 1)
    # A Gaussian that is cut off at 2 SD has 0.774 of its variance (Johnson, Kotz & Balakrishnan 1994, section 10.1).
    assert (weights * x**2).sum() == pytest.approx(0.774 * (diameter / 4) ** 2, rel=0.12)  # ends on whole pixels
    step = np.log(weights[len(x) // 2] / weights[len(x) // 2 + 1])
    assert step == pytest.approx(0.5 * (4 / diameter) ** 2, rel=1e-3)


def test_blur_keeps_the_light_and_no_blur_changes_nothing():
    image = np.random.default_rng(1).random((40, 50), np.float32)
    assert blurred(image, 1) is image
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    np.testing.assert_allclose(blurred(point, 9)[16:25, 16:25], np.outer(kernel(9), kernel(9)), rtol=1e-5)
    assert blurred(image, 9).sum() == pytest.approx(image.sum(), rel=0.02)  # mirrored at its edges


# Scenes


def test_both_stains_and_all_levels_show_the_same_cells():
    maker = simulate.Maker(TINY, 1, 1)
    items = {(stain, blur): maker.item(stain, blur) for stain in STAINS for blur in (1, 9)}
    for (stain, _), (_, labels, row) in items.items():
        assert (labels == items[stain, 1][1]).all()
        assert set(np.unique(labels)) - {0} <= set(range(1, row["count"] + 1))
    nuclei, cells = (items[stain, 1][1] for stain in STAINS)
    assert (cells[nuclei > 0] > 0).mean() > 0.99, "a nucleus lies within its cell"
    assert items["nuclei", 9][0].std() < items["nuclei", 1][0].std()


def test_an_image_is_the_same_whatever_is_shown_before_it():
    maker = simulate.Maker(TINY, 1, 1)
    maker.item("cells", 9)
    assert (maker.item("nuclei", 5)[0] == made(blur=5)[0]).all()


def test_test_scenes_are_shown_in_all_stains_at_all_levels():
    items = [row.iloc[0] for _, row, _ in simulate.dataset(TINY, "test", 1).shards]
    shown = [(row["scene"], STAINS[int(row["stain"])], row["blur_px"]) for row in items]
    assert shown == [(scene, stain, blur) for scene in (0, 1) for stain in STAINS for blur in (1, 9)]


def test_training_scenes_are_of_all_counts_stains_and_levels():
    spec = merged(TINY, {"items": {"train": 60}})
    items = [row.iloc[0] for _, row, _ in simulate.dataset(spec, "train", 1).shards]
    assert len({row["scene"] for row in items}) == 60
    asked = [simulate.parameters.count([3, 6, 9], n) for n in range(60)]
    assert all(abs(asked.count(n) - 20) <= 1 for n in (3, 6, 9)), "evenly, not by chance"
    assert {row["count"] for row in items} >= {3, 6, 9}
    for column, values in (("stain", 2), ("blur_px", 3)):
        found = np.unique([row[column] for row in items], return_counts=True)[1]
        expected = 60 / values
        assert len(found) == values and abs(found - expected).max() < 4 * np.sqrt(expected)


def test_validation_shows_every_stain_at_every_level_as_often():
    """Else a threshold would be used at a blur at which it never saw that stain."""
    spec = merged(TINY, {"items": {"validation": 18}})
    shown = [
        (row["stain"].iloc[0], row["blur_px"].iloc[0]) for _, row, _ in simulate.dataset(spec, "validation", 1).shards
    ]
    levels = {(stain, float(blur)) for stain in (0, 1) for blur in TINY["imaging"]["blur_px"]}
    turns = [shown[i : i + len(levels)] for i in range(0, 18, len(levels))]
    assert all(set(turn) == levels for turn in turns) and len({tuple(turn) for turn in turns}) > 1


def test_a_range_gives_each_scene_its_own_and_leaves_the_others_alone():
    plain = simulate.Maker(TINY, 1, 3)
    ranged = [
        simulate.Maker(
            merged(TINY, {"scene": {"nuclei": {"diameter_px": [5, 10]}, "cells": {"diameter_px": [10, 20]}}}), 1, n
        )
        for n in range(100)
    ]
    sizes = np.array([[maker.told_px[stain] for stain in STAINS] for maker in ranged])
    np.testing.assert_allclose(sizes[:, 1], 2 * sizes[:, 0])  # large nuclei in large cells
    assert sizes.min() >= 5 and np.log2(sizes[:, 0] / 5).mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 100))
    assert ranged[3].imaging == plain.imaging


# Camera


def test_noise_is_of_the_laws_of_poisson_and_of_the_camera():
    light = np.full((400, 400), 50, np.float32)
    imaging = {**TINY["imaging"], "photons": 40, "noise": 3, "offset": 20}
    image = simulate.photographed(light, 100, imaging, np.random.default_rng(1)).astype(float)
    # 20 photons of 2.5 grey levels each, a camera's 3 grey levels, rounding
    variance = 20 * 2.5**2 + 3**2 + 1 / 12
    assert image.mean() == pytest.approx(70, abs=4 * np.sqrt(variance / image.size))
    assert image.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / image.size))


# What is wrong in one way


def test_an_inverted_image_is_the_other_one_upside_down():
    assert (made(imaging={"inverted": True})[0] == 255 - made()[0]).all()


def test_saturation_cuts_and_changes_nothing_below():
    plain, cut = made()[0], made(imaging={"saturation": 90})[0]
    assert plain.max() > 90 and (cut == np.minimum(plain, 90)).all()


def test_an_empty_field_has_no_cell():
    image, labels, row = made(imaging={"empty": True})
    assert row["count"] == 0 and not labels.any() and image.max() < 15  # background and noise of SD 1.6


def test_larger_cells_are_told_with_their_usual_size():
    spec = {"scene": {"counts": [1], "overlap": 1.0, "clustering": 0.0}, "imaging": {"shape_px": [96, 96]}}
    larger = merged(spec, {"scene": {"size_error": 1.0}})
    ratios = []
    for n in range(12):
        (_, small, told), (_, large, still) = made(number=n, **spec), made(number=n, **larger)
        assert told["diameter_px"] == still["diameter_px"] == 10
        if not _edges(large).any():
            ratios.append((large > 0).sum() / (small > 0).sum())
    assert np.mean(ratios) == pytest.approx(4, rel=0.08)  # pixels on outlines of a diameter of 10


def _edges(labels):
    return np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])


def test_a_blur_that_is_told_wrong_is_another_blur():
    row = made(blur=8, imaging={"blur_error": 0.25})[2]
    assert row["blur_px"] == 8
    bright = {"noise": 0.0, "background": 0.0, "saturation": 65535}
    wrong, right = (made(blur=b, imaging={**bright, **one})[0] for b, one in ((8, {"blur_error": 0.25}), (10, {})))
    assert (wrong == right).all()


def test_uneven_light_is_brightest_in_the_middle_and_keeps_its_least_share():
    maker = simulate.Maker(merged(TINY, {"imaging": {"illumination": 0.6}}), 1, 1)
    share = maker._illumination()
    assert share.min() == pytest.approx(0.4, abs=1e-5) and share.max() == pytest.approx(1, abs=1e-3)
    place = np.array(np.unravel_index(share.argmax(), share.shape)) / share.shape
    assert ((place > 0.2) & (place < 0.8)).all()


# BBBC005 as measured on its own images


@pytest.fixture(scope="module")
def bbbc005():
    """Of 12 scenes of counts from 1 to 100, (image, labels, row) by stain and blur level."""
    spec = {**DATASETS["bbbc005"], "stream": "bbbc005"}
    spec = merged(spec, {"imaging": simulate.DEFAULTS["imaging"], "scene": simulate.DEFAULTS["scene"]})
    makers = [simulate.Maker(spec, 1, n) for n in range(12)]
    return {(s, b): [maker.item(s, b) for maker in makers] for s in STAINS for b in (1, 23, 48)}


@pytest.mark.parametrize("stain, area, sd, grey", [("nuclei", 779, 62, 137), ("cells", 3071, 471, 146)])
def test_objects_are_as_large_and_bright_as_those_of_bbbc005(bbbc005, stain, area, sd, grey):
    alone = []
    for _, labels, _ in bbbc005[stain, 1]:
        blobs = label(labels > 0)
        within = np.setdiff1d(np.unique(blobs), _edges(blobs))
        sizes = np.bincount(blobs.ravel())
        alone += [sizes[b] for b in within if len(np.unique(labels[blobs == b])) == 1 and sizes[b] > 0.2 * area]
    # Cells that touch no other are small ones: some 3 % here.
    assert np.mean(alone) == pytest.approx(area, rel=0.06) and np.std(alone) == pytest.approx(sd, rel=0.2)
    assert np.mean([image[labels > 0].mean() for image, labels, _ in bbbc005[stain, 1]]) == pytest.approx(
        grey, rel=0.03
    )


def test_the_background_is_that_of_bbbc005(bbbc005):
    image, labels, _ = min(bbbc005["nuclei", 1], key=lambda item: item[2]["count"])
    dark = image[labels == 0]
    dark = dark[dark < 10]  # without the rim of what is out of focus
    assert np.mean(dark == 0) == pytest.approx(0.5, abs=0.02)
    assert dark.mean() == pytest.approx(1, abs=0.15) and dark.std() == pytest.approx(1.1, abs=0.15)


def test_cells_touch_as_often_as_in_bbbc005(bbbc005):
    """Measured: components of the true masks miss 6.3 nuclei and 36.8 cells; nuclei are on 0.29 of the area."""
    missing = {s: np.mean([row["count"] - label(x > 0).max() for _, x, row in bbbc005[s, 1]]) for s in STAINS}
    assert missing["nuclei"] == pytest.approx(6.3, abs=2.5) and missing["cells"] == pytest.approx(36.8, abs=2.5)
    shares = [np.mean([(labels > 0).mean() for _, labels, _ in bbbc005[stain, 1]]) for stain in STAINS]
    assert shares[0] / shares[1] == pytest.approx(0.29, abs=0.035)


@pytest.mark.parametrize(
    "stain, blur, dice",
    [("nuclei", 1, 0.959), ("nuclei", 23, 0.906), ("nuclei", 48, 0.742),
     ("cells", 1, 0.990), ("cells", 23, 0.968), ("cells", 48, 0.932)],
)  # fmt: skip
def test_thresholds_do_as_well_as_on_bbbc005(bbbc005, stain, blur, dice):
    """Pooled Dice of Otsu's threshold, measured on 1,200 images of that collection."""
    found = [(image > threshold_otsu(image), labels > 0) for image, labels, _ in bbbc005[stain, blur]]
    both, total = (sum(part) for part in zip(*(((a & b).sum(), a.sum() + b.sum()) for a, b in found)))
    assert 2 * both / total == pytest.approx(dice, abs=0.025)


# What a schema cannot say


@pytest.mark.parametrize("name", ["bbbc005", "hard", "wide"])
def test_the_datasets_of_the_configuration_are_right(name):
    entry = merged(DATASETS["bbbc005"], DATASETS[name])
    assert list(faults(entry, None)) == []


@pytest.mark.parametrize(
    "key, change",
    [
        ("imaging.noise", {"imaging": {"noise": [3, 2]}}),
        ("imaging.background", {"imaging": {"background": [0, 2]}}),
        ("scene.nuclei.octaves", {"scene": {"nuclei": {"octaves": [4, 2]}}}),
        ("scene.nuclei.diameter_px", {"scene": {"counts": [1], "nuclei": {"diameter_px": 21}}}),
        ("scene.counts", {"scene": {"counts": [40]}}),
        ("folder", {"folder": "no_such"}),
        ("masks", {"masks": "tests"}),
    ],
)
def test_what_cannot_be_is_told(key, change):
    assert [found for found, _, _ in faults(merged(TINY, change), None)] == [key]


def test_a_scene_that_needs_too_much_memory_is_told():
    assert [key for key, _, _ in faults(merged(TINY, {"imaging": {"shape_px": [4000, 4000]}}), 500)] == [
        "imaging.shape_px"
    ]


def test_simulated_items_have_instances_for_truth():
    assert TRUTHS[made()[2]["truth"]] == "instances"
