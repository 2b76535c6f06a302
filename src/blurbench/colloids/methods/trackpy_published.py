"""trackpy as in the published comparison: diameter 2r + 1 and every other setting at its default.

So it was called for the comparison of Kawafi et al. 2025 (Soft Matter, 10.1039/D4SM01307G). The default separation,
diameter + 1, is more than the distance of two touching spheres, and of such a pair one is lost.
"""

from blurbench.colloids.items import answers, relative
from blurbench.colloids.locating import locate, odd, smoothed


class TrackpyPublished:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, _find)


def _find(volume):
    [(positions, mass)] = locate(smoothed(volume.photons, odd(volume.diameter)))
    return positions, relative(mass)
