"""A random forest on multi-scale filters of each pixel, as interactive pixel classifiers use it (Breiman 2001).

The simplest learner. A network that does not beat it has learned nothing yet.
"""

from sklearn.ensemble import RandomForestClassifier

from blurbench.learning.trees import leaves
from blurbench.segmentation import forest
from blurbench.segmentation.pixel_learning import PixelLearning


class PixelForest(PixelLearning):
    kind = "learned"
    trains = True
    network = False
    options = {
        "pixels": 100_000,  # to learn from
        "trees": 40,
        "smallest": 10,  # pixels in a leaf at least
        "sharpened": False,  # whether it sees the blur undone beside the image
    }

    def learned(self, x, y, held_out, seed):
        found = RandomForestClassifier(
            self.trees, min_samples_leaf=self.smallest, max_features="sqrt", n_jobs=1, random_state=seed
        ).fit(x, y)
        return {"trees": forest.nodes(found)}

    def odds(self, model, x):
        return leaves(model["trees"], x) - 0.5
