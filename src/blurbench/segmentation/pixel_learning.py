"""What learners of single pixels share: pixels of the training images to learn from, masks of images, tile by tile.

They read `pixel_features` and are told the blur and the usual diameter. The mask is cut as that of `otsu_watershed`, by
its shape.
"""

import time
from functools import cache

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.learning.tiles import window
from blurbench.segmentation.items import answers, labelled
from blurbench.segmentation.pixel_features import columns, of_tiles, planes_of_tiles
from blurbench.segmentation.score import pixel_f1
from blurbench.segmentation.watershed import by_distance

IMAGES = 24  # of the validation split, for the learning curve
SHARES = 1 / 4, 1  # of the training images, from each of which one learns
SEPARATION, SMOOTHING = 0.3, 0.05  # of the seeds, in usual diameters


class PixelLearning:
    """Base; a method's class has `learned` and `odds`.

    pixels : that it learns from, of all training images
    sharpened : whether it sees the blur undone beside the image
    filtered : whether filters are run over that as well
    """

    pixels, sharpened, filtered = 100_000, False, False

    def learned(self, x, y, held_out, seed):
        """Model, a dict of tensors, of whether a pixel is of a cell, y (n,) bool, by its features x (n, columns).

        held_out : function () -> (x, y) of pixels of the validation images
        """
        raise TypeError(f"{type(self).__name__} learns nothing")

    def odds(self, model, x):
        """What a model says of features x (n, columns): above 0 where it is likelier that a cell is there, (n,)."""
        raise TypeError(f"{type(self).__name__} has no odds")

    def fit(self, splits, budget, device, seed):
        """Learn from pixels of splits["train"]."""
        start, train = time.perf_counter(), splits["train"]
        each = max(1, self.pixels // max(len(train), 1))
        sampled = self._sample(train, len(train), each, seed, "sample pixels")
        judged = splits["validation"][:IMAGES]
        rows, models = [], []

        @cache
        def held_out():
            found = self._sample(judged, len(judged), each, seed, "sample pixels to validate on")
            return [np.concatenate(part) for part in zip(*found)]

        for share in SHARES:
            images = max(1, round(share * len(train)))
            x, y = (np.concatenate(part) for part in zip(*sampled[:images]))
            models.append(self.learned(x, y, held_out, seed))
            about = {"items": images, "seconds": time.perf_counter() - start}
            rows.append({**about, "train_loss": 1 - pixel_f1(self.odds(models[-1], x) > 0, y)})  # of the pixels given
        return models[-1], self._curve(rows, judged, models)

    def predict(self, dataset, model, device):
        """Every image, tile by tile. What a method answers stands in blurbench.planning.method."""

        def segment(field):
            *_, mask = self._masks(field, [model])
            return by_distance(mask, field.diameter_px, SEPARATION, SMOOTHING)

        return answers(dataset, segment)

    def _curve(self, rows, judged, models):
        """The learning curve, rows (a dict each) with the scores of the masks on validation images."""
        scores = []
        for i in progress(range(len(judged)), "validate"):
            field = labelled(judged, i)
            scores.append([pixel_f1(mask, field.labels > 0) for mask in self._masks(field, models)])
        score = np.mean(scores, axis=0)
        return pd.DataFrame(rows).assign(validation_pixel_f1=score, validation_loss=1 - score)

    def _sample(self, dataset, images, each, seed, what):
        """Features (each, columns) of pixels of each image at random, and whether they are of a cell (each,)."""
        return [self._pixels(labelled(dataset, i), each, [seed, i]) for i in progress(range(images), what)]

    def _pixels(self, field, n, seed):
        tile, planes = next(planes_of_tiles(field, self.sharpened))  # all of an image for training is one tile
        core = window(tile.core, tile.read)
        inside = field.labels[window(tile.core)] > 0
        at = np.random.default_rng(seed).integers(0, inside.size, n)
        found = [column[core].ravel()[at] for column in columns(planes, field, self.filtered)]
        return np.stack(found, axis=1), inside.ravel()[at]

    def _masks(self, field, models):
        """Where each model says that a cell is likelier than not, (models, y, x)."""
        masks = np.empty((len(models), *field.image.shape), bool)
        for tile, found in of_tiles(field, self.sharpened, self.filtered):
            for mask, model in zip(masks, models):
                odds = self.odds(model, found.reshape(-1, found.shape[-1]))
                mask[window(tile.core)] = odds.reshape(found.shape[:2]) > 0
        return masks
