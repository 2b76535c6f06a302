"""Richardson-Lucy deconvolution with the known PSF, then trackpy; settings of both chosen on validation volumes."""

from blurbench.colloids import crocker_grier
from blurbench.colloids.tuning import Tuned
from blurbench.microscopy.deconvolution import richardson_lucy

ITERATIONS = (15, 40, 80)
SIZES = crocker_grier.SIZES[:3]  # no stretch: the blur along z is undone
SMOOTHING = (0.1,)  # nor is there much noise left to smooth


class TrackpyDeconvolved(Tuned):
    kind = "classical"
    trains = True
    volumes = 24  # half of what the others take, at several times their cost

    def search(self, volume):
        sharp, done = None, 0
        for iterations in ITERATIONS:
            sharp = richardson_lucy(volume.photons, volume.psf, iterations - done, sharp)
            done = iterations
            for setting, positions, mass in crocker_grier.search(volume._replace(photons=sharp), SIZES, SMOOTHING):
                yield {"iterations": iterations, **setting}, positions, mass

    def find(self, volume, setting):
        sharp = richardson_lucy(volume.photons, volume.psf, setting["iterations"])
        return crocker_grier.find(volume._replace(photons=sharp), setting)
