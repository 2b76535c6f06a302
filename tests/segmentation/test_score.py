"""Scores against scikit-learn, scikit-image and scipy, in closed form, and at their ends."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skimage.metrics import hausdorff_distance
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from blurbench.files.answers import OK, ImageAnswers
from blurbench.segmentation import score
from blurbench.segmentation.boundaries import hausdorff, outline
from blurbench.segmentation.items import TRUTHS
from blurbench.segmentation.score import METRICS, count_error, instance_f1, pixel_f1

EMPTY = np.zeros((12, 17), np.uint16)
DOT = EMPTY.copy()
DOT[5, 6] = 3


def random_labels(seed, shape=(37, 41)):
    """Label images with large, small, touching and scattered instances, and gaps between their numbers."""
    rng = np.random.default_rng(seed)
    truth = np.kron(rng.integers(0, 9, (5, 5)), np.ones((8, 9), int))[: shape[0], : shape[1]]
    truth[rng.random(shape) < 0.1] = 0
    moved = np.roll(truth, rng.integers(-3, 4, 2), (0, 1))
    merged = np.where(moved == 2, 3, moved)
    return np.where(rng.random(shape) < 0.05, rng.integers(0, 40, shape), 5 * merged).astype(np.uint16), truth


SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_pixel_scores_are_scikit_learns(seed):
    prediction, truth = random_labels(seed)
    flat = (truth > 0).ravel(), (prediction > 0).ravel()
    found = score.pixels(prediction, truth)
    for name, reference in {
        "f1": f1_score, "iou": jaccard_score, "precision": precision_score, "recall": recall_score
    }.items():  # fmt: skip
        assert getattr(found, name) == pytest.approx(reference(*flat), rel=1e-12)
    assert pixel_f1(prediction, truth) == found.f1 == pixel_f1(truth, prediction)  # it is symmetric


def overlaps(prediction, truth):
    """Intersection over union of every pair of instances, one by one."""
    a, b = (np.unique(image[image > 0]) for image in (truth, prediction))
    table = np.empty((len(a), len(b)))
    for i, j in np.ndindex(table.shape):
        there, found = truth == a[i], prediction == b[j]
        table[i, j] = (there & found).sum() / (there | found).sum()
    return table


@pytest.mark.parametrize("iou", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("seed", SEEDS)
def test_instance_scores_are_those_of_an_optimal_assignment(seed, iou):
    """Below 0.5 an instance may have several partners; scipy's assignment of the dense matrix is the reference."""
    prediction, truth = random_labels(seed)
    table = overlaps(prediction, truth)
    allowed = table >= iou
    i, j = linear_sum_assignment(np.where(allowed, 1 + table, 0), maximize=True)
    expected = 2 * allowed[i, j].sum() / sum(table.shape)
    assert instance_f1(prediction, truth, iou) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_matching_serves_every_threshold(seed):
    prediction, truth = random_labels(seed)
    pairs = score.instances(prediction, truth)
    for iou in score.IOUS:
        assert pairs.f1(iou) == instance_f1(prediction, truth, iou)


def test_numbers_of_labels_mean_nothing():
    prediction, truth = random_labels(3)
    numbers = np.random.default_rng(1).permutation(np.arange(1, 65536))[: prediction.max()]
    other = np.r_[0, numbers].astype(np.uint16)[prediction]
    assert instance_f1(other, truth) == instance_f1(prediction, truth)
    assert count_error(other, truth) == count_error(prediction, truth)


def test_touching_cells_are_told_apart():
    truth = np.zeros((10, 20), int)
    truth[2:8, 2:10], truth[2:8, 10:18] = 1, 2
    merged = (truth > 0).astype(int)
    assert pixel_f1(merged, truth) == 1 and count_error(merged, truth) == -1
    # The one found overlaps each by exactly one half.
    assert instance_f1(merged, truth, 0.5) == pytest.approx(2 / 3) and instance_f1(merged, truth, 0.51) == 0
    assert instance_f1(truth, truth, 1.0) == 1


@pytest.mark.parametrize("empty", [EMPTY, EMPTY.astype(bool)])
def test_an_empty_mask_is_right_where_there_are_no_cells_and_nowhere_else(empty):
    assert pixel_f1(empty, empty) == instance_f1(empty, empty) == 1 and hausdorff(empty, empty) == 0
    for pair in ((empty, DOT), (DOT, empty)):
        assert pixel_f1(*pair) == instance_f1(*pair) == 0 and hausdorff(*pair) == pytest.approx(np.hypot(12, 17))
    nothing = score.pixels(empty, DOT)
    assert np.isnan(nothing.precision) and nothing.recall == 0
    assert np.isnan(score.pixels(DOT, empty).recall) and score.pixels(DOT, empty).iou == 0
    assert (count_error(empty, DOT), count_error(DOT, empty), count_error(empty, 7)) == (-1, 1, -7)


def test_one_pixel():
    other = np.roll(DOT, (3, 4), (0, 1))
    assert pixel_f1(DOT, DOT) == instance_f1(DOT, DOT) == 1
    assert pixel_f1(other, DOT) == instance_f1(other, DOT) == 0 and hausdorff(other, DOT) == 5
    assert count_error(other, DOT) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_distances_of_outlines_are_those_of_all_pairs(seed):
    masks = [image > 0 for image in random_labels(seed)]
    edges = []
    for mask in masks:
        around = np.pad(mask, 1)
        inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
        edges.append(mask & ~inner)
        np.testing.assert_array_equal(outline(mask), np.argwhere(edges[-1]))
    away = cdist(*map(np.argwhere, edges))
    expected = max(np.percentile(away.min(axis=axis), 95) for axis in (0, 1))
    assert hausdorff(*masks) == pytest.approx(expected, rel=1e-12)
    assert hausdorff(*masks, percentile=100) == pytest.approx(hausdorff_distance(*edges), rel=1e-12)


def test_a_disc_that_grew_is_as_far_off_as_it_grew():
    away = np.hypot(*(np.indices((101, 101)) - 50))
    # Pixels lie within half a pixel's diagonal of the circle that they stand for.
    assert hausdorff(away < 34, away < 30) == pytest.approx(4, abs=np.sqrt(0.5))


def test_images_of_two_shapes_are_told():
    for function in (pixel_f1, instance_f1):
        with pytest.raises(ValueError, match=r"found shapes \(12, 16\) and \(12, 17\), expected one shape"):
            function(EMPTY[:, 1:], EMPTY)


# The table


def dataset(labels, counts, known):
    items = pd.DataFrame(
        {
            "scene": range(len(counts)),
            "stain": 0,
            "blur_px": 1.0,
            "count": counts,
            "truth": [TRUTHS.index(k) for k in known],
        }
    )
    return SimpleNamespace(items=items, truth={"labels": np.stack(labels)}, spec={})


def scored(data, answer, status=None):
    status = [OK] * len(answer) if status is None else status
    table = pd.DataFrame({"item": range(len(answer)), "seconds": 0.5, "status": status})
    answers = ImageAnswers(table, np.stack(answer))
    found = score.score(data, answers)
    pd.testing.assert_frame_equal(score.score(data, answers, METRICS[:1]), found[found["metric"] == "pixel_f1"])
    return found.pivot(index="metric", columns="item", values="value"), found


def test_the_truth_has_no_error_but_for_cells_that_others_hide():
    truth = random_labels(1)[1].astype(np.uint16)
    cells = len(np.unique(truth)) - 1
    answer = [truth, 0 * truth]
    found, _ = scored(dataset(answer, [cells + 2, 0], ["instances"] * 2), answer)
    ones = ["pixel_f1", "pixel_iou", "instance_f1_50", "instance_f1_mean", "success"]
    assert (found.loc[ones] == 1).all(axis=None) and (found.loc["hausdorff_95"] == 0).all()
    assert found.loc["count_error"].tolist() == [-2, 0]
    assert found.loc["count_relative"].tolist() == pytest.approx([-2 / (cells + 2), np.nan], nan_ok=True)
    assert found.loc["true_px", 0] == (truth > 0).sum() and found.loc[["false_px", "missed_px"]].sum(axis=None) == 0


def test_what_is_not_known_of_the_truth_is_not_scored():
    prediction, truth = (image.astype(np.uint16) for image in random_labels(2))
    mask = (truth > 0).astype(np.uint16)
    found, _ = scored(dataset([truth, mask, mask], [9, 9, 9], ["instances", "mask", "count"]), [prediction] * 3)
    assert found.loc["count_error"].nunique() == 1 and found.loc["count_error"].notna().all()
    assert found.loc["pixel_f1"].tolist() == pytest.approx([pixel_f1(prediction, mask)] * 2 + [np.nan], nan_ok=True)
    assert found.loc["instance_f1_50"].notna().tolist() == [True, False, False]
    assert found.loc["hausdorff_95"].notna().tolist() == [True, True, False]


def test_a_failed_item_keeps_its_row_and_counts_as_worst():
    truth = random_labels(1)[1].astype(np.uint16)
    found, table = scored(dataset([truth] * 2, [5, 5], ["instances"] * 2), [truth] * 2, [OK, "out of memory"])
    assert found.loc[found.index != "success", 1].isna().all() and found.loc["success"].tolist() == [1, 0]
    worst = table[table["item"] == 1].set_index("metric")["worst"]
    assert worst["pixel_f1"] == worst["instance_f1_50"] == 0 and worst["count_error"] == 100


def test_a_full_image_takes_no_time():
    """100 cells on 520 x 696 pixels are to take 50 ms; the limit allows for a machine that does other things."""
    rng = np.random.default_rng(1)
    truth = np.zeros((520, 696), np.uint16)
    y, x = np.indices(truth.shape, np.float32)
    for k, (cy, cx) in enumerate(rng.uniform((0, 0), truth.shape, (100, 2))):
        truth[(y - cy) ** 2 + (x - cx) ** 2 < 16**2] = k + 1
    answer, times = np.roll(truth, (2, 3), (0, 1)), []
    for _ in range(5):
        start = time.process_time()
        score.masks(answer, truth, True)
        times.append(time.process_time() - start)
    assert min(times) < 0.1
