"""Gradient boosting of single pixels in two stages: the second sees what the first says around a pixel.

Auto-context (Tu and Bai 2010, IEEE TPAMI 32:1744) with gradient boosting (Friedman 2001). The first stage sees what
`pixel_boosting` does and the image after Richardson and Lucy; the second the same, and `context_features` of the first
stage's answer. What a network is ahead of it by is what it is worth to learn filters and context at once.
"""

import time

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from blurbench.files.logs import progress
from blurbench.learning.tiles import window
from blurbench.learning.trees import classifier, odds
from blurbench.segmentation.coarse_to_fine import SURE, coarse_to_fine
from blurbench.segmentation.context_features import context, reach
from blurbench.segmentation.items import labelled
from blurbench.segmentation.pixel_features import features, planes_of_tiles
from blurbench.segmentation.pixel_learning import IMAGES, SEPARATION, SMOOTHING, PixelLearning
from blurbench.segmentation.score import pixel_f1

FIRST = 1 / 3  # of the images, from which the first stage learns: what it says of those of the second is no memory
HELD_OUT = 1 / 8  # of the images of each stage, by which its trees are stopped
FEWEST = 4  # images: of each stage one to learn from and one to stop by
LIT_PX, LIT = 2.0, 0.1  # SD of a Gaussian, pixels, and light after Richardson and Lucy over the range: less is no cell
RARE = 0.01  # weight of the other pixels, or of those the first stage is sure of, among those that a stage learns from
LOOKED_AT = 2, 4  # planes that the second stage sees along the gradient too: Wiener's filter, Richardson and Lucy


class PixelContext(PixelLearning):
    kind = "learned"
    trains = True
    network = False
    options = {
        "images": 200,  # of the training split, at most: a second and a half each
        "pixels_an_image": 2500,
        "trees": 200,  # of each stage
        "leaves": 63,
        "learning_rate": 0.1,
        "patience": 20,
    }
    allowed = {"leaves": {"minimum": 2}}

    def fit(self, splits, budget, device, seed):
        """Learn the first stage from some images of splits["train"], the second from others."""
        start, train, model, rows = time.perf_counter(), splits["train"][: self.images], {}, []
        if len(train) < FEWEST:
            raise ValueError(f"found {len(train)} training images, expected {FEWEST} at least for two stages")
        split = max(FEWEST // 2, round(FIRST * len(train)))
        for stage, among in {"first": range(split), "second": range(split, len(train))}.items():
            given, n = progress(among, f"sample pixels for the {stage} stage"), self.pixels_an_image
            sampled = [self._pixels(labelled(train, i), n, [seed, i], model) for i in given]
            held = max(1, round(HELD_OUT * len(among)))
            by, (x, y) = ([np.concatenate(part) for part in zip(*some)] for some in (sampled[:held], sampled[held:]))
            model[stage] = classifier(HistGradientBoostingClassifier, self, x, y, by, seed)
            about = {"items": among.stop, "seconds": time.perf_counter() - start}
            rows.append({**about, "train_loss": 1 - pixel_f1(odds(model[stage], x) > 0, y)})  # of the pixels given
        return model, self._curve(rows, splits["validation"][:IMAGES], [model])

    def _pixels(self, field, n, seed, model):
        """Features (n, columns) of pixels at random for the next stage of a model, and whether they are cells' (n,)."""
        (_, planes), *_ = self._planes(field)  # all of an image for training is one tile
        found, rng = features(planes, field, filtered=True), np.random.default_rng(seed)
        inside = field.labels[: found.shape[0], : found.shape[1]] > 0
        if not model:
            at = _drawn(gaussian_filter(planes[-1], LIT_PX) > LIT, n, rng)
            return found[at], inside[at]
        first = coarse_to_fine(lambda x: odds(model["first"], x), found)
        at = _drawn(abs(first) < SURE, n, rng)
        return self._second(found, first, planes, at, field), inside[at]

    def _masks(self, field, models):
        """Where each stage of the model says that a cell is likelier than not, (2, y, x)."""
        (model,) = models
        masks = np.empty((2, *field.image.shape), bool)
        for tile, planes in self._planes(field):
            found = features(planes, field, filtered=True)
            first = coarse_to_fine(lambda x: odds(model["first"], x), found)
            second, core = first.copy(), window(tile.core, tile.read)
            at = np.nonzero(abs(first) < SURE)
            second[at] = odds(model["second"], self._second(found, first, planes, at, field))
            masks[:, *window(tile.core)] = first[core] > 0, second[core] > 0
        return masks

    def _planes(self, field):
        return planes_of_tiles(field, sharpened=True, restored=True, beyond=reach(field.diameter_px))

    def _second(self, found, first, planes, at, field):
        """Features of the second stage, (n, columns)."""
        seen = [planes[i] for i in LOOKED_AT]
        around = context(expit(first).astype(np.float32), seen, at, field.diameter_px, SEPARATION, SMOOTHING)
        return np.concatenate([found[at], around], axis=1)


def _drawn(worth, n, rng):
    """Pixels, (n,) rows and (n,) columns, most of them where they are worth it, (y, x) bool."""
    weight = np.where(worth, 1, RARE).ravel()
    return np.unravel_index(rng.choice(weight.size, n, p=weight / weight.sum()), worth.shape)
