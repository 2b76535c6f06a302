"""Limit of detection: the places with the best expected F1 under the posterior of all spheres, begun at the truth.

Whoever knows the model that made the image, and in it the volume fraction, the light of the spheres, the noise, the
point-spread function and the spheres beyond the faces, can do no better on average than the best answer under the
posterior: the places at which a sphere is most likely within a quarter of a diameter, as many as make the expected F1
the highest. The posterior is drawn from by a Markov chain that begins at the truth (`sphere_posterior`). The truth is
one of its draws, so the chain is in equilibrium from its first state on; but as long as it has not forgotten the truth
its draws lie nearer to it than others would, and the F1 is too high.

So it is a limit of the mean over volumes, from above: of one volume, luck may find more. Where the posterior has modes
far from each other (a wide blur, dense spheres) the chain is short of `sweeps` and the limit lies above what can be
found: at a volume fraction of 0.39, a blur of 0.64 diameters and a CNR of 1.3, F1 is 0.96, 0.94 and 0.86 after 100, 400
and 1,600 sweeps. Bins of a fifth of a diameter, in which the image is compared, take a little of what it says of
places.
"""

import numpy as np
from scipy import ndimage

from blurbench.colloids.items import answers, own_seed
from blurbench.colloids.least_squares import true_scene
from blurbench.colloids.maxima import maxima
from blurbench.colloids.sphere_posterior import draws, pictures
from blurbench.microscopy.random_streams import key, stream

RADIUS = 0.25  # diameters, of a match
EVERY = 4  # sweeps from one draw to the next
FORGOTTEN = 0.25  # share of the draws that is left out at the beginning, as those most like the truth


class Detectable:
    kind = "limit"
    trains = False
    options = {"sweeps": 400}

    def predict(self, dataset, model, device):
        known = {}  # pictures of a sphere, of every side of a voxel

        def find(volume):
            if volume.voxel_um not in known:
                known[volume.voxel_um] = pictures(volume.diameter, volume.psf)
            return self._find(volume, known[volume.voxel_um])

        return answers(dataset, find)

    def _find(self, volume, known):
        random = stream(key("detectable", own_seed(volume)), 0, 0)
        centres, radii, scene = true_scene(volume)
        states = draws(volume.photons, centres, radii, scene, known, self.sweeps, EVERY, random)
        return best_places(states[int(FORGOTTEN * len(states)) :], volume.photons.shape, volume.diameter)


def best_places(states, shape, diameter):
    """Places with the highest expected F1, and the probability that a sphere lies within RADIUS of each.

    Of any places so far apart that no sphere counts twice, the best are the most probable ones, down to half of the
    F1 that they reach (Lipton, Elkan & Narayanaswamy 2014).

    Parameters
    ----------
    states : list of (n, 3), draws of all centres, voxels;  shape : voxels;  diameter : voxels

    Returns
    -------
    positions (m, 3) in voxels, probability (m,)
    """
    count = np.zeros(shape)
    at = np.rint(np.concatenate(states)).astype(int)
    np.add.at(count, tuple(np.clip(at, 0, np.array(shape) - 1).T), 1 / len(states))
    reach = int(RADIUS * diameter)
    square = sum(g.astype(float) ** 2 for g in np.ogrid[tuple(3 * [slice(-reach, reach + 1)])])
    near = np.where(square <= (RADIUS * diameter) ** 2, 1.0, 0.0)
    # Over the whole range in which a place is as good, the middle of the draws is taken.
    inner = near * (1 - square / (2 * (RADIUS * diameter) ** 2))
    positions, _ = maxima(ndimage.convolve(count, inner, mode="constant"), 2 * RADIUS * diameter)
    probability = ndimage.convolve(count, near, mode="constant")[tuple(np.rint(positions).astype(int).T)]
    order = np.argsort(-probability, kind="stable")
    expected = 2 * np.cumsum(probability[order]) / (np.arange(len(order)) + 1 + count.sum())
    best = order[: int(expected.argmax()) + 1] if len(order) else order
    return positions[best], np.minimum(probability[best], 1.0)
