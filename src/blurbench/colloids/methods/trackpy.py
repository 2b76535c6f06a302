"""trackpy with its settings chosen on validation: separation, diameter, noise size, percentile and least mass."""

from blurbench.colloids import crocker_grier
from blurbench.colloids.items import answers
from blurbench.colloids.tuning import choose, chosen

VOLUMES = 32  # to choose on: fewer than others take, as there are more settings


class Trackpy:
    kind = "classical"
    trains = True

    def fit(self, splits, budget, device, seed):
        return choose(splits, crocker_grier.search, "choose trackpy's settings", VOLUMES)

    def predict(self, dataset, model, device):
        return answers(dataset, lambda volume: crocker_grier.find(volume, chosen(model, volume)))
