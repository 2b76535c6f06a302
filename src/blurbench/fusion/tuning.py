"""Settings of a classical method, chosen on volumes with their truth as an experienced user would."""

import time

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.fusion.items import answers, read
from blurbench.fusion.score import n_ssim

VOLUMES = 12  # to choose on: more would hardly change the choice
ROUNDS = 2  # over all settings


class Tuned:
    """Base of the classical methods that choose their settings.

    grid : values of each setting by its name, the usual one first; numbers
    """

    grid: dict[str, tuple[float, ...]] = {}

    def restore(self, view, **setting):
        """What a method makes of a view (`items.View`) with one setting, (z, y, x) in photons."""
        raise TypeError(f"{type(self).__name__} restores nothing")

    def fit(self, splits, budget, device, seed):
        """Choose the setting. What a method is given and returns stands in blurbench.planning.method."""
        setting, curve = choose(splits["validation"], self.restore, self.grid, type(self).__name__)
        return {"setting": setting}, curve

    def predict(self, dataset, model, device):
        """Every view restored with the setting of the model."""
        return answers(dataset, lambda view: self.restore(view, **model["setting"]))


def choose(dataset, restore, grid, name):
    """Setting with the best median N_SSIM against the noise-free truth.

    One number of the setting is varied at a time, ROUNDS times over, from the usual ones on: as users do it, and at a
    small part of the cost of all combinations.

    Parameters
    ----------
    dataset : with its truth; at most VOLUMES of its items are used, evenly spread
    restore : function (View, **setting) -> (z, y, x)
    grid : as in `Tuned`
    name : of the method, for the progress bar

    Returns
    -------
    setting : dict of numbers
    curve : DataFrame, a row per setting tried: items, seconds, the setting, validation_n_ssim (the median),
        validation_loss = 1 - validation_n_ssim
    """
    start, tried = time.perf_counter(), {}
    items = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), VOLUMES)).astype(int)).tolist()
    rows = []
    best = {key: values[0] for key, values in grid.items()}
    trials = [(key, value) for _ in range(ROUNDS) for key, values in grid.items() for value in values]
    for key, value in progress(trials, f"choose settings of {name}"):
        setting = {**best, key: value}
        point = tuple(setting.values())
        if point not in tried:
            tried[point] = _score(dataset, items, restore, setting)
            about = {"items": len(items), "seconds": time.perf_counter() - start, **setting}
            rows.append({**about, "validation_n_ssim": tried[point], "validation_loss": 1 - tried[point]})
        if tried[point] > tried[tuple(best.values())]:
            best = setting
    return best, pd.DataFrame(rows)


def _score(dataset, items, restore, setting):
    """Median N_SSIM of one setting; a view that it cannot restore counts as the worst."""
    scores = []
    for i in items:
        view = read(dataset, i)
        scores.append(n_ssim(restore(view, **setting), view.truth.density, view.photons))
    return float(np.nanmedian(scores))
