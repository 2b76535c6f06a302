"""trackpy with its settings chosen on the validation volumes: separation, diameter, noise size and least mass."""

from blurbench.colloids import crocker_grier
from blurbench.colloids.items import answers
from blurbench.colloids.tuning import choose, chosen


class Trackpy:
    kind = "classical"
    trains = True

    def fit(self, splits, budget, device, seed):
        return choose(splits, crocker_grier.search, "choose trackpy's settings")

    def predict(self, dataset, model, device):
        return answers(dataset, lambda volume: crocker_grier.find(volume, chosen(model, volume)))
