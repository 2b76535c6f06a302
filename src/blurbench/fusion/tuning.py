"""Settings of a classical method, chosen on views with their truth as an experienced user would: for the kind of view.

Nuclei want other settings than membranes, and dim views others than bright ones. So there is a setting for each channel
at some brightnesses, and a view is restored with that of its own channel nearest to it.
"""

import time
from functools import cache, partial

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.fusion.flat_fielding import BLOCK_UM, block_means
from blurbench.fusion.items import CHANNELS, answers, read
from blurbench.fusion.score import n_ssim
from blurbench.learning.climb import climb

VIEWS = 12  # to choose on: more would hardly change the choice
BRIGHT = 0.99  # quantile of the blocks of a view that is its brightness
STEP = 1.0  # of the brightnesses, in octaves


class Tuned:
    """Base of the classical methods that choose their settings.

    grid : values of each number of a setting by its name, the usual one first
    target : one of `items.TARGETS`, which the settings are to come near
    """

    grid: dict[str, tuple[float, ...]] = {}
    target = "density"

    def restore(self, view, **setting):
        """What a method makes of a view (`items.View`) with one setting, (z, y, x) in photons."""
        raise TypeError(f"{type(self).__name__} restores nothing")

    def fit(self, splits, budget, device, seed):
        """Choose the settings. What a method is given and returns stands in blurbench.planning.method."""
        return choose(splits["validation"], self.restore, self.grid, type(self).__name__, self.target)

    def predict(self, dataset, model, device):
        """Every view, restored with the setting for it."""
        return answers(dataset, lambda view: self.restore(view, **chosen(model, view)))


def octave(view) -> float:
    """Brightness of a view: the binary logarithm of the photons in a voxel of its brightest blocks."""
    block = np.maximum(1, np.rint(BLOCK_UM / np.asarray(view.optics.spacing_um))).astype(int)
    return float(np.log2(max(np.quantile(block_means(view.photons, block), BRIGHT), 1.0)))


def choose(dataset, restore, grid, name, target="density"):
    """Settings with the best median N_SSIM against a target, for each channel at each brightness.

    A view counts at a brightness by a Gaussian weight of SD STEP. The settings that are
    tried are those of `climb`.

    Parameters
    ----------
    dataset : with its truth; at most VIEWS of its items are used, evenly spread
    restore : function (View, **setting) -> (z, y, x)
    grid : as in `Tuned`
    name : of the method, for the progress bar
    target : one of `items.TARGETS`; the noise-free truth unless it is stated

    Returns
    -------
    model : list of dicts: channel, octave, setting
    curve : DataFrame, a row per setting tried: items, seconds, channel (its number in CHANNELS), octave, the setting,
        n_ssim, validation_loss = 1 - n_ssim
    """
    start, rows, model = time.perf_counter(), [], []
    items = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), VIEWS)).astype(int)).tolist()
    views = pd.DataFrame([{"item": i, "channel": v.channel, "octave": octave(v)} for i, v in _read(dataset, items)])

    @cache
    def score(item, values):
        view = read(dataset, item)
        return n_ssim(restore(view, **dict(zip(grid, values))), getattr(view.truth, target), view.photons)

    for own, at in progress(list(_knots(views)), f"choose settings of {name}"):
        weights, channel = np.exp(-0.5 * ((own["octave"] - at) / STEP) ** 2).to_numpy(), own["channel"].iloc[0]
        median = partial(_middle, score, own["item"].tolist(), weights)
        best, tried = climb(grid, median)
        model.append({"channel": channel, "octave": at, "setting": dict(zip(grid, best))})
        about = {"items": len(own), "seconds": time.perf_counter() - start, "octave": at}
        about["channel"] = CHANNELS.index(channel)
        rows += [{**about, **dict(zip(grid, v)), "n_ssim": median(v), "validation_loss": 1 - median(v)} for v in tried]
    return {"settings": model}, pd.DataFrame(rows)


def _read(dataset, items):
    return ((i, read(dataset, i)) for i in items)


def _knots(views):
    """Views of each channel, and each brightness, in octaves, that a setting is chosen for."""
    for _, own in views.groupby("channel"):
        low, high = (round(float(end) / STEP) for end in (own["octave"].min(), own["octave"].max()))
        yield from ((own, k * STEP) for k in range(low, high + 1))


def _middle(score, items, weights, values):
    """Median of the scores of some items with one setting."""
    return _median([score(item, values) for item in items], weights)


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
