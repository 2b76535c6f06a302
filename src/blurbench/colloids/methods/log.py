"""Maxima of the Laplacian of a Gaussian at the scale of the blurred sphere, between the voxels by a quadratic.

A sharp sphere of radius r answers most to a Laplacian of SD r/√3. The point-spread function has blurred it already, so
along each axis only what is missing is added, and not less than a floor, chosen on the validation volumes with the
weight of the z axis, the distance of two maxima and the least response.
"""

from itertools import product

import numpy as np

from blurbench.colloids.maxima import maxima
from blurbench.colloids.tuning import Tuned
from blurbench.microscopy.separable import gaussian

FLOORS = (0.3, 0.25, 0.35)  # least SD of the filter, in diameters
# Power of the blurred sphere's variance that an axis is weighted by: 1 makes up for what the wide blur along z takes
# from the second derivative there, 0 is the plain Laplacian.
POWERS = (1.0, 0.5, 0.0)
SEPARATIONS = (0.4, 0.6)  # diameters


class Log(Tuned):
    kind = "classical"
    trains = True

    def search(self, volume):
        for floor in FLOORS:
            curvatures, width = _curvatures(volume, floor)
            for power, separation in product(POWERS, SEPARATIONS):
                setting = {"floor": floor, "power": power, "separation": separation}
                yield setting, *_maxima(volume, curvatures, width, setting)

    def find(self, volume, setting):
        return _maxima(volume, *_curvatures(volume, setting["floor"]), setting)


def _curvatures(volume, floor):
    """Negative second derivatives (3, z, y, x) along each axis, and the variances (3,) of the blurred filter."""
    missing = volume.diameter**2 / 12 - volume.psf.sigma**2
    sd = np.sqrt(np.maximum(missing, (floor * volume.diameter) ** 2))
    orders = 2 * np.eye(3, dtype=int)
    return [-gaussian(volume.photons, sd, o) for o in orders], sd**2 + volume.psf.sigma**2


def _maxima(volume, curvatures, variance, setting):
    if not np.ptp(volume.photons) > 0:  # rounding alone would have maxima
        return np.empty((0, 3)), np.empty(0)
    response = sum(c * np.float32(w) for c, w in zip(curvatures, variance ** setting["power"]))
    return maxima(response, setting["separation"] * volume.diameter)
