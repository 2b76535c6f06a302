"""Settings of a classical method, chosen on volumes with their truth as an experienced user would: by the blur."""

import time

import numpy as np
import pandas as pd

from blurbench.colloids.items import answers, read, relative
from blurbench.colloids.volume_border import trim
from blurbench.files.logs import progress
from blurbench.scoring.matching import candidates, greedy

THRESHOLDS = (0.0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7)  # least strength of a detection, relative as in `relative`
VOLUMES = 48  # more would hardly change the choice
RADII, NEAR = (0.25, 0.1), 0.1  # of a match, in diameters; what the F1 at the second adds to that at the first
STEP = 0.1  # of the blur along z, in diameters: there is a setting for each, from volumes with about as much blur


class Tuned:
    """Base of the classical methods that choose their settings.

    A method's class gives `search(volume)`, as `choose` takes it, and `find(volume, setting)`: positions (n, 3) in
    voxels and strength (n,) of all that is found with one setting, whatever its threshold.
    """

    volumes = VOLUMES  # to choose on

    def fit(self, splits, budget, device, seed):
        """Choose the settings. What a method is given and returns stands in blurbench.planning.method."""
        return choose(splits, self.search, f"choose settings of {type(self).__name__}", self.volumes)

    def predict(self, dataset, model, device):
        """Centres of every volume, at the setting for its blur."""
        return answers(dataset, lambda volume: self._above_threshold(volume, chosen(model, volume)))

    def _above_threshold(self, volume, setting):
        positions, strength = self.find(volume, setting)
        strength = relative(strength)
        keep = strength >= setting["threshold"]
        return positions[keep], strength[keep]


def choose(splits, search, name, volumes=VOLUMES):
    """Settings with the best mean F1, for each blur along z; of equally good ones that which places spheres best.

    All validation volumes are used and as many training volumes as there is room for. A volume counts at a blur by a
    Gaussian weight of SD STEP, so that a choice rests on more than the few volumes at its side.

    Parameters
    ----------
    splits : dict with the datasets `validation` and `train`, with their truth
    search : function (Volume) -> iterator of (setting, positions (n, 3) in voxels, strength (n,)), the same settings in
        the same order for every volume, the usual one first
    name : of the progress bar
    volumes : at most so many are used

    Returns
    -------
    model : dict of `blur` (k,), PSF SD along z over the diameter, and `settings` (k,), dicts of numbers with their
        `threshold`
    curve : DataFrame, one row per blur and setting: items, seconds, blur, the setting, f1, validation_loss = 1 - f1
    """
    start, blur, f1 = time.perf_counter(), [], []
    used = [(splits["validation"], i) for i in _spread(len(splits["validation"]), volumes)]
    used += [(splits["train"], i) for i in _spread(len(splits["train"]), volumes - len(used))]
    for dataset, i in progress(used, name):
        row = dataset.items.iloc[i]
        blur.append(row["sigma_z_px"] / row["diameter_px"])
        settings, scores = _scores(dataset, i, search)
        f1.append(scores)
    blur, f1, seconds = np.array(blur), np.array(f1), time.perf_counter() - start
    knots = np.arange(round(blur.min() / STEP), round(blur.max() / STEP) + 1) * STEP
    model, rows = {"blur": [], "settings": []}, []
    for knot in knots.tolist():
        weight = np.exp(-0.5 * ((blur - knot) / STEP) ** 2)
        wide, narrow = np.einsum("v,vsr->rs", weight / weight.sum(), f1)
        model["blur"].append(knot)
        model["settings"].append(settings[int(np.argmax(wide + NEAR * narrow))])
        about = {"items": len(used), "seconds": seconds, "blur": knot}
        rows += [{**about, **s, "f1": f, "validation_loss": 1 - f} for s, f in zip(settings, wide)]
    return model, pd.DataFrame(rows)


def _spread(n, most):
    """Numbers of at most `most` of n items, evenly spread."""
    return np.unique(np.linspace(0, n - 1, max(0, min(n, most))).astype(int)).tolist()


def _scores(dataset, i, search):
    """Settings (s,), thresholds included, and the F1 (s, r) of each at RADII on item i."""
    volume = read(dataset, i)
    truth = volume.truth.centres_um.astype(float) / volume.voxel_um
    settings, f1 = [], []
    for setting, positions, strength in search(volume):
        settings += [{**setting, "threshold": threshold} for threshold in THRESHOLDS]
        given = truth, positions, relative(strength), THRESHOLDS, volume.photons.shape, volume.diameter
        f1.append(np.stack([f1_by_threshold(*given, radius) for radius in RADII], axis=1))
    return settings, np.concatenate(f1)


def f1_by_threshold(truth, found, strength, thresholds, shape, diameter, radius=0.25):
    """F1 of the centres of one volume that are at least as strong as each threshold: what settings are chosen by.

    One matching serves all: no centre found is within `radius` of two spheres, so each sphere is found as long as the
    strongest within its reach is there. The border of half a diameter is left out.

    Parameters
    ----------
    truth : (n, 3);  found : (m, 3), voxels from the centre of the first one;  strength : (m,)
    thresholds : (k,)
    shape : voxels;  diameter : voxels;  radius : of a match, in diameters, less than half

    Returns
    -------
    (k,); 1 where there is nothing to find and nothing was found
    """
    box = np.array([np.full(3, -0.5), np.array(shape) - 0.5])
    i, j, distance = candidates(truth, found, radius * diameter)
    pairs = greedy(i, j, np.lexsort((distance, -strength[j])))
    pairs, asked, counted = trim(truth, found, pairs, box, diameter / 2)
    right, all_found = (
        (strength[which][:, None] >= np.asarray(thresholds)).sum(axis=0) for which in (pairs[:, 1], counted)
    )
    total = asked.sum() + all_found
    return np.where(total, 2 * right / np.maximum(total, 1), 1.0)


def chosen(model, volume) -> dict:
    """Setting of a model for a volume: that of the nearest blur."""
    return model["settings"][int(np.argmin(np.abs(np.array(model["blur"]) - volume.blur)))]
