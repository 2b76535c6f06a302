"""Limit: least squares of the model that made the image, begun at the true centres.

A limit of places, and not of how many spheres are found, of which `detectable` is one: what remains is the error that
noise leaves when every sphere has been found and none is taken for another. Brightness,
background, bleaching and point-spread function are known; each sphere's own brightness is fitted, within the spread
that it was drawn with, and spheres do not overlap. Light of spheres beyond the volume is estimated with all others at
their true places.

Where the image says little (a wide blur with a low contrast) the search ends before it has left the surroundings of the
truth: up to half the error of the converged fit, on the safe side of a limit, and not to be read as what noise allows.
"""

import numpy as np

from blurbench.colloids.items import answers
from blurbench.colloids.least_squares import refine, true_scene


class Oracle:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, _refined)


def _refined(volume):
    centres, radii, scene = true_scene(volume)
    found, amplitudes = refine(volume.photons, centres, radii, volume.diameter, scene)
    shape = np.array(volume.photons.shape)
    inside = ((found > -0.5) & (found < shape - 0.5)).all(axis=1)
    return found[inside], amplitudes[inside] / scene.contrast
