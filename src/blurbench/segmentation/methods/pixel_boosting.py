"""Gradient boosting on multi-scale filters of each pixel, of the image and of it with the blur undone.

Friedman 2001 (Ann Stat 29:1189). The simplest learner that is told all that `ours` is: what a network is ahead of it by
is what it is worth to learn the filters too.
"""

from sklearn.ensemble import HistGradientBoostingClassifier

from blurbench.learning.trees import classifier, odds
from blurbench.segmentation.pixel_learning import PixelLearning


class PixelBoosting(PixelLearning):
    kind = "learned"
    trains = True
    network = False
    options = {
        "pixels": 300_000,  # to learn from
        "trees": 150,
        "leaves": 63,
        "learning_rate": 0.15,
        "patience": 20,
    }
    allowed = {"leaves": {"minimum": 2}}
    sharpened = filtered = True

    def learned(self, x, y, held_out, seed):
        return classifier(HistGradientBoostingClassifier, self, x, y, held_out(), seed)

    def odds(self, model, x):
        return odds(model, x)
