"""Limit: the bound if the arrival time of every photon were known; no camera method can pass it.

The Cramér-Rao bound of a path of one position per photon, localised with the PSF's SD, without blur. Loose, for a
camera discards the order of the photons, but rigorous.
"""

import numpy as np

from blurbench.diffusion.bounds import efficient
from blurbench.diffusion.estimators import cramer_rao
from blurbench.diffusion.items import stacks
from blurbench.diffusion.psf import FWHM_OVER_SD


class PhotonFloor:
    kind = "limit"
    trains = False
    bound = True

    def predict(self, dataset, model, device):
        def relative_sd(stack):
            photons = max(stack.brightness * stack.camera["quantum_efficiency"], 1.0)
            positions = max(int(stack.frames * photons), 3)
            s, dt = stack.truth.psf_fwhm_um / FWHM_OVER_SD, stack.frame_time_s / photons
            return float(cramer_rao(stack.truth.D, s, dt, positions, blur=0, sigma_known=True))

        return efficient(dataset.items, np.array([relative_sd(stack) for stack in stacks(dataset)]))
