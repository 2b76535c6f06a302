"""Scores of label images, per image, and the published numbers that they reduce to.

A label image holds 0 in the background and a number for every cell. Its mask are the pixels above 0, its count the
number of labels. An empty mask answers an image without cells rightly: F1 and IoU of two empty masks are 1, of one
empty mask and another 0. Precision is NaN where nothing was found, recall where there is nothing to be found.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench.files.answers import OK
from blurbench.scoring.clusters import CLUSTER
from blurbench.scoring.matching import assign
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.score_table import score_table
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.boundaries import hausdorff
from blurbench.segmentation.items import TRUTHS

IOUS = (0.5, 0.6, 0.7, 0.8, 0.9)  # over which the mean instance F1 is taken
FAILED_CELLS = 100.0  # by which the count of an item without an answer is wrong: as many as BBBC005's images hold
FAILED_PX = float(np.hypot(520, 696))  # by which its outlines are: the diagonal of BBBC005's images


def _share(name, *published):
    return Metric(name, "max", (0, 1), worst=0.0, published=published)


def _pixels(name):
    """A number of pixels, which the table of pooled scores adds up."""
    return Metric(name, "target", (0, np.inf), np.nan, unit="px", target=0)


METRICS = (  # the first published number orders the tables and is compared pair by pair
    _share("pixel_f1", Published("pixel_f1", "mean", "pixel F1", mistakes=True)),
    _share("pixel_precision", Published("pixel_precision", "mean")),
    _share("pixel_recall", Published("pixel_recall", "mean")),
    _share("pixel_iou", Published("pixel_iou", "mean", "pixel IoU")),
    _share("instance_f1_50", Published("instance_f1_50", "mean", "instance F1 at IoU 0.5")),
    _share("instance_f1_mean", Published("instance_f1_mean", "mean", "at IoU 0.5 to 0.9")),
    Metric(
        "count_error",
        "target",
        (-np.inf, np.inf),
        FAILED_CELLS,
        (
            Published("count_mae", "mean_abs", "error of the count", mistakes=True),
            Published("count_bias", "bias", "its bias"),
        ),
        unit="cells",
        target=0,
    ),
    Metric(
        "count_relative", "target", (-1, np.inf), 1.0, (Published("count_relative", "mean_abs", "over the count"),),
        target=0,
    ),
    Metric(
        "hausdorff_95", "min", (0, np.inf), FAILED_PX, (Published("hausdorff_95", "mean", "Hausdorff 95 (px)"),),
        unit="px",
    ),
    _share("success", Published("success_rate", "mean")),
    Metric("seconds", "min", (0, np.inf), np.nan, (Published("seconds", "mean", "s per image"),), unit="s"),
    *map(_pixels, ("true_px", "false_px", "missed_px")),
)  # fmt: skip

CAPTION = (
    "Cells in blurred images: masks, instances, counts. Mean over images [95 % interval, bootstrap over scenes, each "
    "with all of its images]; a failed image counts as an empty mask whose count is off by "
    f"{FAILED_CELLS:g} and its outlines by {FAILED_PX:.0f} px. Pixel F1, or Dice, is that of the mask of all cells, 1 "
    "where both masks are empty; pooled over pixels it stands in a table of its own. An instance is right where it and "
    "a true one, matched one to one, overlap by an intersection over union of at least the threshold; the mean is over "
    f"thresholds of {', '.join(f'{iou:g}' for iou in IOUS)}. Counts are held against the cells of the scene, those "
    "that others hide among them. Hausdorff 95 is the larger of the 95th percentiles of the distances between the "
    "outlines of the masks, one way and the other."
)


class Pixels(NamedTuple):
    """Numbers of pixels: found and there, found though not there, not found though there."""

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the pixels found that are there; NaN where none was found."""
        return _ratio(self.true, self.true + self.false)

    @property
    def recall(self) -> float:
        """Share of the pixels there that were found; NaN where there are none."""
        return _ratio(self.true, self.true + self.missed)

    @property
    def f1(self) -> float:
        """2 true / (2 true + false + missed), or Dice's coefficient; 1 of two empty masks."""
        return _ratio(2 * self.true, 2 * self.true + self.false + self.missed, empty=1.0)

    @property
    def iou(self) -> float:
        """true / (true + false + missed), or Jaccard's index; 1 of two empty masks."""
        return _ratio(self.true, self.true + self.false + self.missed, empty=1.0)


class Instances(NamedTuple):
    """Numbers of labels found and of those there, and the intersection over union of each matched pair."""

    found: int
    there: int
    overlaps: np.ndarray

    def f1(self, iou=0.5) -> float:
        """2 pairs / (found + there) of the pairs that overlap by `iou` at least; 1 where there are no labels at all."""
        return _ratio(2 * int((self.overlaps >= iou).sum()), self.found + self.there, empty=1.0)


def _ratio(part, whole, empty=np.nan):
    return part / whole if whole else empty


def pixel_f1(prediction, truth) -> float:
    """F1 score, or Dice's coefficient, of a mask; 1 where both masks are empty.

    Parameters
    ----------
    prediction, truth : arrays of one shape, of labels or of a mask; what is above 0 is foreground

    Raises
    ------
    ValueError if the shapes differ.
    """
    return pixels(prediction, truth).f1


def instance_f1(prediction, truth, iou=0.5) -> float:
    """F1 score of instances: one is right where it is matched with a true one, one to one, at `iou` or above.

    The matching is optimal: as many pairs as there can be, and of these the greatest overlap.

    Parameters
    ----------
    prediction, truth : int arrays of one shape, 0 in the background, each other number an instance, connected or not
    iou : least intersection over union of a pair

    Returns
    -------
    float; 1 where neither holds an instance

    Raises
    ------
    ValueError if the shapes differ.
    """
    return instances(prediction, truth, iou).f1(iou)


def count_error(prediction, truth) -> int:
    """Number of cells found less the number there are.

    Parameters
    ----------
    prediction, truth : int arrays, 0 in the background, each other number a cell; or the number of cells itself
    """
    found, there = (int(x) if np.ndim(x) == 0 else count(x) for x in (prediction, truth))
    return found - there


def count(labels) -> int:
    """Number of labels in an image, but for 0."""
    return int(np.count_nonzero(_areas(labels)[1:]))


def pixels(prediction, truth) -> Pixels:
    """Pixels of two masks, as `pixel_f1` takes them, by whether they agree."""
    found, there = (np.asarray(image) > 0 for image in _alike(prediction, truth))
    true, area, asked = (int(np.count_nonzero(mask)) for mask in (found & there, found, there))
    return Pixels(true, area - true, asked - true)


def instances(prediction, truth, iou=0.5) -> Instances:
    """Instances of two label images, as `instance_f1` takes them, matched at `iou` and above.

    No two instances of an image share a pixel: above 0.5 an instance has one partner at most, the pairs are the same
    at every threshold.
    """
    prediction, truth = _alike(prediction, truth)
    found, there = _areas(prediction), _areas(truth)
    both = (prediction > 0) & (truth > 0)
    pair, common = np.unique(truth[both].astype(np.int64) * len(found) + prediction[both], return_counts=True)
    i, j = np.divmod(pair, len(found))
    overlaps = common / (there[i] + found[j] - common)
    near = overlaps >= iou
    matched = assign(i[near], j[near], 1 - overlaps[near]) @ [len(found), 1]
    numbers = (int(np.count_nonzero(areas[1:])) for areas in (found, there))
    return Instances(*numbers, overlaps[np.searchsorted(pair, matched)])


def _areas(labels):
    """Pixels of each label, by its number."""
    return np.bincount(np.ravel(labels), minlength=1)


def _alike(prediction, truth):
    prediction, truth = np.asarray(prediction), np.asarray(truth)
    if prediction.shape != truth.shape:
        raise ValueError(f"found shapes {prediction.shape} and {truth.shape}, expected one shape")
    return prediction, truth


def score(dataset, found, metrics=METRICS) -> pd.DataFrame:
    """Score table of one method on one dataset, one image in memory at a time.

    Parameters
    ----------
    dataset : Dataset with truth;  found : ImageAnswers
    metrics : those of METRICS that are wanted; the first alone takes a part of the time

    Returns
    -------
    `score_table`: one row per item and metric. NaN where the method failed, and where a quantity is undefined or its
    truth is not known.
    """
    status = found.table["status"].to_numpy(object)
    of_image = _leading if metrics == METRICS[:1] else _image
    rows = [of_image(dataset, i, found.images[i]) if state == OK else {} for i, state in enumerate(status)]
    values = pd.DataFrame(rows, columns=[metric.name for metric in METRICS])
    values["seconds"] = found.table["seconds"].to_numpy(float)
    items = dataset.items[list(PROBLEM.conditions)].assign(**{CLUSTER: dataset.items["scene"]})
    return score_table(items, metrics, values, status, dataset.spec)


def _leading(dataset, i, answer):
    """The first metric of one answer."""
    return {} if _known(dataset, i) == "count" else {"pixel_f1": pixel_f1(answer, dataset.truth["labels"][i])}


def _known(dataset, i):
    return TRUTHS[int(dataset.items["truth"].iloc[i])]


def _image(dataset, i, answer):
    """Metrics of one answer: all but `success` and `seconds`."""
    known = _known(dataset, i)
    values = counting(count(answer), int(dataset.items["count"].iloc[i]))
    return values if known == "count" else values | masks(answer, dataset.truth["labels"][i], known == "instances")


def counting(found, there) -> dict[str, float]:
    """Metrics of a number of cells."""
    error = count_error(found, there)
    return {"count_error": error, "count_relative": _ratio(error, there)}


def masks(answer, truth, are_instances: bool) -> dict[str, float]:
    """Metrics of labels (y, x), of their mask alone where the truth is no more."""
    area = pixels(answer, truth)
    values = {f"pixel_{name}": getattr(area, name) for name in ("f1", "precision", "recall", "iou")}
    values |= {f"{name}_px": number for name, number in area._asdict().items()}
    values["hausdorff_95"] = hausdorff(answer, truth)
    if are_instances:
        pairs = instances(answer, truth, IOUS[0])
        by_iou = [pairs.f1(iou) for iou in IOUS]
        values |= {"instance_f1_50": by_iou[0], "instance_f1_mean": float(np.mean(by_iou))}
    return values
