"""Settings of a classical method, chosen on views with their truth as an experienced user would: for the kind of view.

Nuclei want other settings than membranes, and dim views others than bright ones. So there is a setting for each channel
at some brightnesses, and a view is restored with that of its own channel nearest to it.
"""

import time
from functools import cache, lru_cache, partial

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.fusion.flat_fielding import BLOCK_UM, block_means
from blurbench.fusion.items import CHANNELS, answers, read
from blurbench.fusion.score import comparison
from blurbench.learning.climb import climb

VIEWS = 12  # to choose on: more would hardly change the choice
BRIGHT = 0.99  # quantile of the blocks of a view that is its brightness
STEP = 1.0  # of the brightnesses, in octaves


class Tuned:
    """Base of the classical methods that choose their settings.

    `prepare` takes the first numbers of a setting, `ahead` of them, and `restore` the rest and what was prepared, which
    is made once for all values of the rest.

    grid : values of each number of a setting by its name, the usual one first
    target : one of `items.TARGETS`, which the settings are to come near
    """

    grid: dict[str, tuple[float, ...]] = {}
    ahead = 0
    target = "density"

    def prepare(self, view, *first):
        """What is made of a view (`items.View`) with the first numbers of a setting."""
        return view

    def restore(self, prepared, *rest):
        """What a method makes of a view, (z, y, x) in photons."""
        raise TypeError(f"{type(self).__name__} restores nothing")

    def restored(self, view, *setting):
        """A view with one setting, (z, y, x) in photons."""
        return self.restore(self.prepare(view, *setting[: self.ahead]), *setting[self.ahead :])

    def fit(self, splits, budget, device, seed):
        """Choose the settings. What a method is given and returns stands in blurbench.planning.method."""
        return choose(splits["validation"], self)

    def predict(self, dataset, model, device):
        """Every view, restored with the setting for it."""
        return answers(dataset, lambda view: self.restored(view, *chosen(model, view).values()))


def octave(view) -> float:
    """Brightness of a view: the binary logarithm of the photons in a voxel of its brightest blocks."""
    block = np.maximum(1, np.rint(BLOCK_UM / np.asarray(view.optics.spacing_um))).astype(int)
    return float(np.log2(max(np.quantile(block_means(view.photons, block), BRIGHT), 1.0)))


def choose(dataset, method):
    """Settings of a `Tuned` with the best median N_SSIM against its target, for each channel at each brightness.

    A view counts at a brightness by a Gaussian weight of SD STEP. The settings that are tried are those of `climb`.

    Parameters
    ----------
    dataset : with its truth; at most VIEWS of its items are used, evenly spread

    Returns
    -------
    model : list of dicts: channel, octave, setting
    curve : DataFrame, a row per setting tried: items, seconds, channel (its number in CHANNELS), octave, the setting,
        n_ssim, validation_loss = 1 - n_ssim
    """
    start, rows, model, grid = time.perf_counter(), [], [], method.grid
    items = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), VIEWS)).astype(int)).tolist()
    views = pd.DataFrame([{"item": i, "channel": v.channel, "octave": octave(v)} for i, v in _read(dataset, items)])

    @lru_cache(1)
    def view(item):
        return read(dataset, item, [method.target])

    @lru_cache(1)
    def compared(item):
        return comparison(getattr(view(item).truth, method.target), view(item).photons)

    @lru_cache(1)
    def prepared(item, *first):
        return method.prepare(view(item), *first)

    @cache
    def score(item, values):
        return compared(item)(method.restore(prepared(item, *values[: method.ahead]), *values[method.ahead :]))

    for own, at in progress(list(_knots(views)), f"choose settings of {type(method).__name__}"):
        weights, channel = np.exp(-0.5 * ((own["octave"] - at) / STEP) ** 2).to_numpy(), own["channel"].iloc[0]
        medians = partial(_medians, score, own["item"].tolist(), weights)
        best, tried = climb(grid, medians)
        model.append({"channel": channel, "octave": at, "setting": dict(zip(grid, best))})
        about = {"items": len(own), "seconds": time.perf_counter() - start, "octave": at}
        about["channel"] = CHANNELS.index(channel)
        for values, median in zip(tried, medians(tried)):
            rows.append({**about, **dict(zip(grid, values)), "n_ssim": median, "validation_loss": 1 - median})
    return {"settings": model}, pd.DataFrame(rows)


def _read(dataset, items):
    return ((i, read(dataset, i, [])) for i in items)


def _knots(views):
    """Views of each channel, and each brightness, in octaves, that a setting is chosen for."""
    for _, own in views.groupby("channel"):
        low, high = (round(float(end) / STEP) for end in (own["octave"].min(), own["octave"].max()))
        yield from ((own, k * STEP) for k in range(low, high + 1))


def _medians(score, items, weights, settings):
    """Median of the scores of some items with each of some settings; one item at a time is held, for all of them."""
    scores = np.array([[score(item, values) for values in settings] for item in items])
    return [_median(column, weights) for column in scores.T]


def _median(values, weights):
    """Weighted median of numbers (n,); one that is not defined counts as the least."""
    values = np.nan_to_num(values, nan=-np.inf)
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(below, 0.5)])


def chosen(model, view) -> dict:
    """Setting of a model for a view: that of its channel, or of any if it was not there, at the nearest brightness."""
    settings = [s for s in model["settings"] if s["channel"] == view.channel] or model["settings"]
    at = octave(view)
    return min(settings, key=lambda one: abs(one["octave"] - at))["setting"]
