"""Settings of a classical method, chosen on images with their truth as an experienced user would: for stain and blur.

Nuclei want other settings than cell bodies, and blurred images others than sharp ones. So there is a setting for each
stain at some blurs, and an image is segmented with that of its own stain nearest to it.
"""

import time
from functools import cache, lru_cache, partial

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.learning.climb import climb
from blurbench.segmentation.items import STAINS, answers, labelled
from blurbench.segmentation.score import count_error, instance_f1, pixel_f1

IMAGES = 32  # to choose on: more would hardly change the choice
STEP = 8.0  # of the blurs that there are settings for, and SD of the weight of an image of another blur, pixels


def masks(found, truth):
    """How good a mask is: its F1; 1 where both are empty."""
    return pixel_f1(found, truth)


def cells(found, truth):
    """How good cells are: the mean of the F1 of their mask and their own F1 at half an overlap."""
    return (pixel_f1(found, truth) + instance_f1(found, truth)) / 2


def counts(found, truth):
    """How good a count is: 1 less its relative error."""
    return 1 - abs(count_error(found, truth)) / max(len(np.unique(truth)) - 1, 1)


class Tuned:
    """Base of the classical methods that choose their settings.

    Options are the values of each number of a setting that are tried, the usual one first. `prepare` takes the first
    ones, `ahead` of them, and `segment` the rest and what was prepared, which is made once for all values of the rest.
    """

    options: dict[str, list[float]] = {}
    ahead = 1
    judge = staticmethod(masks)

    def prepare(self, field, *first):
        """What is made of an image (`items.Field`) with the first numbers of a setting."""
        raise TypeError(f"{type(self).__name__} prepares nothing")

    def segment(self, field, prepared, *rest):
        """Cells of an image: label image (y, x)."""
        raise TypeError(f"{type(self).__name__} segments nothing")

    def found(self, field, *setting):
        """Cells of an image with one setting: label image (y, x)."""
        return self.segment(field, self.prepare(field, *setting[: self.ahead]), *setting[self.ahead :])

    def fit(self, splits, budget, device, seed):
        """Choose the settings. What a method is given and returns stands in blurbench.planning.method."""
        return choose(splits["validation"], self)

    def predict(self, dataset, model, device):
        """Every image, segmented with the setting for it."""
        return answers(dataset, lambda field: self.found(field, *chosen(model, field).values()))


def choose(dataset, method):
    """Settings of a `Tuned` with the best mean score, for each stain at each blur.

    An image counts at a blur by a Gaussian weight of SD STEP. The settings that are
    tried are those of `climb`.

    Parameters
    ----------
    dataset : with its truth; at most IMAGES of its items are used, as many of each stain at each blur as there are

    Returns
    -------
    model : list of dicts: stain, blur_px, setting
    curve : DataFrame, a row per setting tried: items, seconds, stain (its number in STAINS), blur_px, the setting,
        validation_loss = 1 - the mean score
    """
    start, rows, model = time.perf_counter(), [], []
    table, grid = _judged(dataset.items), {name: tuple(getattr(method, name)) for name in method.options}

    @cache
    def field(item):
        return labelled(dataset, item)

    @lru_cache(IMAGES)
    def prepared(item, *first):
        return method.prepare(field(item), *first)

    @cache
    def score(item, values):
        first, rest = values[: method.ahead], values[method.ahead :]
        return method.judge(method.segment(field(item), prepared(item, *first), *rest), field(item).labels)

    for own, at in progress(list(_knots(table)), f"choose settings of {type(method).__name__}"):
        weights = np.exp(-0.5 * ((own["blur_px"] - at) / STEP) ** 2).to_numpy()
        mean = partial(_mean, score, own["item"].tolist(), weights / weights.sum())
        best, tried = climb(grid, lambda settings, mean=mean: [mean(values) for values in settings])
        stain = int(own["stain"].iloc[0])
        model.append({"stain": STAINS[stain], "blur_px": at, "setting": dict(zip(grid, best))})
        about = {"items": len(own), "seconds": time.perf_counter() - start, "stain": stain, "blur_px": at}
        rows += [{**about, **dict(zip(grid, values)), "validation_loss": 1 - mean(values)} for values in tried]
    return {"settings": model}, pd.DataFrame(rows)


def _judged(items):
    """Stain, blur_px and number (`item`) of IMAGES images: of each stain at each blur one, then a second, and so on."""
    table = items[["stain", "blur_px"]].assign(item=np.arange(len(items))).sample(frac=1, random_state=0)
    rounds = table.groupby(["stain", "blur_px"]).cumcount().to_numpy()
    return table.iloc[rounds.argsort(kind="stable")[:IMAGES]].sort_values("item")


def _knots(table):
    """Images of each stain, and each blur that a setting is chosen for."""
    for _, own in table.groupby("stain"):
        low, high = own["blur_px"].min(), own["blur_px"].max()
        yield from ((own, float(at)) for at in np.linspace(low, high, 1 + round((high - low) / STEP)))


def _mean(score, items, weights, values):
    """Weighted mean of the scores of some items with one setting; those without a weight are not looked at."""
    return sum(weight * score(item, values) for item, weight in zip(items, weights) if weight > 0.01 / len(items))


def chosen(model, field) -> dict:
    """Setting of a model for an image: that of its stain, or of any if it was not there, at the nearest blur."""
    settings = [s for s in model["settings"] if s["stain"] == field.stain] or model["settings"]
    return min(settings, key=lambda one: abs(one["blur_px"] - field.blur_px))["setting"]
