"""trackpy with its settings chosen on validation: separation, diameter, noise size, percentile and least mass."""

from blurbench.colloids import crocker_grier
from blurbench.colloids.tuning import Tuned


class Trackpy(Tuned):
    kind = "classical"
    trains = True
    volumes = 32  # fewer than others take, as there are more settings

    def search(self, volume):
        return crocker_grier.search(volume)

    def find(self, volume, setting):
        return crocker_grier.find(volume, setting)
