"""A random forest on multi-scale filters of each pixel, as interactive pixel classifiers use it (Breiman 2001).

The simplest learner, told the blur and the usual diameter. The mask is cut as that of `otsu_watershed`, by its shape. A
network that does not beat it has learned nothing yet.
"""

import time

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from blurbench.files.logs import progress
from blurbench.learning.tiles import window
from blurbench.learning.trees import leaves
from blurbench.segmentation import forest
from blurbench.segmentation.items import answers, labelled
from blurbench.segmentation.pixel_features import of_tiles
from blurbench.segmentation.score import pixel_f1
from blurbench.segmentation.watershed import by_distance

IMAGES = 24  # of the validation split, for the learning curve
SHARES = 1 / 4, 1  # of the training images, from each of which one learns
SEPARATION, SMOOTHING = 0.3, 0.05  # of the seeds, in usual diameters


class PixelForest:
    kind = "learned"
    trains = True
    network = False
    options = {
        "pixels": 100_000,  # to learn from
        "trees": 40,
        "smallest": 10,  # pixels in a leaf at least
        "sharpened": False,  # whether it sees the blur undone beside the image
    }

    def fit(self, splits, budget, device, seed):
        """Learn from pixels of splits["train"]."""
        start, train = time.perf_counter(), splits["train"]
        each = max(1, self.pixels // max(len(train), 1))
        sampled = [
            _sample(labelled(train, i), self.sharpened, each, [seed, i])
            for i in progress(range(len(train)), "sample pixels")
        ]
        fields = [labelled(splits["validation"], i) for i in range(min(len(splits["validation"]), IMAGES))]
        rows, model = [], {}
        for share in SHARES:
            images = max(1, round(share * len(train)))
            x, y = (np.concatenate(part) for part in zip(*sampled[:images]))
            found = RandomForestClassifier(
                self.trees, min_samples_leaf=self.smallest, max_features="sqrt", n_jobs=1, random_state=seed
            ).fit(x, y)
            model = forest.nodes(found)
            score = float(
                np.mean([pixel_f1(_mask(field, self.sharpened, model), field.labels > 0) for field in fields])
            )
            about = {"items": images, "seconds": time.perf_counter() - start}
            own = pixel_f1(found.predict(x), y)  # of the pixels that it learned from
            rows.append({**about, "train_loss": 1 - own, "validation_pixel_f1": score, "validation_loss": 1 - score})
        return {"trees": model}, pd.DataFrame(rows)

    def predict(self, dataset, model, device):
        """Every image, tile by tile. What a method answers stands in blurbench.planning.method."""

        def segment(field):
            return by_distance(_mask(field, self.sharpened, model["trees"]), field.diameter_px, SEPARATION, SMOOTHING)

        return answers(dataset, segment)


def _sample(field, sharpened, n, seed):
    """Features (n, columns) of pixels of an image at random, and whether they are of a cell (n,)."""
    (_, found), *_ = of_tiles(field, sharpened)  # the first tile, which is all of an image for training
    at = np.random.default_rng(seed).integers(0, found[..., 0].size, n)
    inside = field.labels[: found.shape[0], : found.shape[1]] > 0
    return found.reshape(-1, found.shape[-1])[at], inside.ravel()[at]


def _mask(field, sharpened, trees):
    """Where the forest says that a cell is likelier than not, (y, x)."""
    mask = np.empty(field.image.shape, bool)
    for tile, found in of_tiles(field, sharpened):
        chance = leaves(trees, found.reshape(-1, found.shape[-1]))
        mask[window(tile.core)] = chance.reshape(found.shape[:2]) > 0.5
    return mask
