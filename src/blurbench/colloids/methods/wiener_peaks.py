"""Maxima of Wiener's estimate of where centres are, between the voxels by a quadratic: the known blur, no network.

How much of the noise the filter is to leave, the distance of two maxima and the least height are chosen on the
validation volumes.
"""

from itertools import product

from blurbench.colloids import wiener
from blurbench.colloids.items import answers, relative
from blurbench.colloids.locating import maxima
from blurbench.colloids.tuning import choose, chosen

FACTORS = (3.0, 1.0, 0.3, 10.0, 30.0)  # on the noise power, as in `wiener`
SEPARATIONS = (0.45, 0.6, 0.3)  # diameters


class WienerPeaks:
    kind = "classical"
    trains = True

    def fit(self, splits, budget, device, seed):
        return choose(splits, _search, "choose the strength of Wiener's filter")

    def predict(self, dataset, model, device):
        return answers(dataset, lambda volume: _find(volume, chosen(model, volume)))


def _search(volume):
    for (factor, sharp), separation in product(zip(FACTORS, _estimates(volume, FACTORS)), SEPARATIONS):
        yield {"factor": factor, "separation": separation}, *maxima(sharp, separation * volume.diameter)


def _find(volume, setting):
    (sharp,) = _estimates(volume, (setting["factor"],))
    positions, height = maxima(sharp, setting["separation"] * volume.diameter)
    strength = relative(height)
    keep = strength >= setting["threshold"]
    return positions[keep], strength[keep]


def _estimates(volume, factors):
    """Density of centres (len(factors), z, y, x), one estimate per factor."""
    values, noise_share = wiener.normalised(volume.photons)
    return wiener.wiener(values, noise_share, volume.diameter, volume.psf.sigma, factors)
