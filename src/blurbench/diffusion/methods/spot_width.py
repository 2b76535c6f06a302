"""D from the blur of the spots alone: their mean variance beyond the PSF's is D t_E/3 (PSF known)."""

from blurbench.diffusion.blur_likelihood import width_D
from blurbench.diffusion.stack_estimates import estimate


class SpotWidth:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        return estimate(dataset, width_D)
