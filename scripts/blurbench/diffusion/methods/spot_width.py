"""D from the blur of the spots alone: their mean variance beyond the PSF's is D t_E/3 (PSF known)."""

from blurbench.diffusion.paths import estimate
from blurbench.diffusion.width import width_D


class SpotWidth:
    kind = "classical"

    def predict(self, dataset, model, device):
        return estimate(dataset, lambda spots, row, R: width_D(spots, row, dataset.spec))
