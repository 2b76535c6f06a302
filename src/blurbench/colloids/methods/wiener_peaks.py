"""Maxima of Wiener's estimate of where centres are, between the voxels by a quadratic: the known blur, no network.

How much of the noise the filter is to leave, the distance of two maxima and the least height are chosen on the
validation volumes.
"""

from itertools import product

from blurbench.colloids import wiener
from blurbench.colloids.maxima import maxima
from blurbench.colloids.tuning import Tuned

FACTORS = (3.0, 1.0, 0.3, 10.0, 30.0)  # on the noise power, as in `wiener`
SEPARATIONS = (0.45, 0.6, 0.3)  # diameters


class WienerPeaks(Tuned):
    kind = "classical"
    trains = True

    def search(self, volume):
        for (factor, sharp), separation in product(zip(FACTORS, _estimates(volume, FACTORS)), SEPARATIONS):
            yield {"factor": factor, "separation": separation}, *maxima(sharp, separation * volume.diameter)

    def find(self, volume, setting):
        (sharp,) = _estimates(volume, (setting["factor"],))
        return maxima(sharp, setting["separation"] * volume.diameter)


def _estimates(volume, factors):
    """Density of centres (len(factors), z, y, x), one estimate per factor."""
    values, noise_share = wiener.normalised(volume.photons)
    return wiener.wiener(values, noise_share, volume.diameter, volume.psf.sigma, factors)
