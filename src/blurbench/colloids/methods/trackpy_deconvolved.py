"""Richardson-Lucy deconvolution with the known PSF, then trackpy; settings of both chosen on validation volumes."""

from blurbench.colloids import crocker_grier
from blurbench.colloids.items import answers
from blurbench.colloids.tuning import choose, chosen
from blurbench.microscopy.deconvolution import richardson_lucy

ITERATIONS = (15, 40, 80)
SIZES = crocker_grier.SIZES[:3]  # no stretch: the blur along z is undone
SMOOTHING = (0.1,)  # nor is there much noise left to smooth
VOLUMES = 24  # to choose on: half of what the others take, at several times their cost


class TrackpyDeconvolved:
    kind = "classical"
    trains = True

    def fit(self, splits, budget, device, seed):
        return choose(splits, _search, "choose iterations and trackpy's settings", VOLUMES)

    def predict(self, dataset, model, device):
        return answers(dataset, lambda volume: _find(volume, chosen(model, volume)))


def _search(volume):
    sharp, done = None, 0
    for iterations in ITERATIONS:
        sharp = richardson_lucy(volume.photons, volume.psf, iterations - done, sharp)
        done = iterations
        for setting, positions, mass in crocker_grier.search(volume._replace(photons=sharp), SIZES, SMOOTHING):
            yield {"iterations": iterations, **setting}, positions, mass


def _find(volume, setting):
    sharp = richardson_lucy(volume.photons, volume.psf, setting["iterations"])
    return crocker_grier.find(volume._replace(photons=sharp), setting)
