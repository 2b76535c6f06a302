"""Limit: the bound if the arrival time of every photon were known; no camera method can pass it.

The Cramér-Rao bound of a path of one position per photon, localised with the PSF's SD, without blur. Loose, for a
camera discards the order of the photons, but rigorous.
"""

import numpy as np

from blurbench.diffusion.bounds import efficient
from blurbench.diffusion.estimators import cramer_rao
from blurbench.diffusion.psf import FWHM_OVER_SD


class PhotonFloor:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        efficiency = dataset.spec["imaging"]["camera"]["quantum_efficiency"]

        def relative_sd(row):
            photons = max(row.photons * efficiency, 1.0)
            positions = max(int(row.frames * photons), 3)
            s = row.psf_fwhm_um / FWHM_OVER_SD
            return float(cramer_rao(row.D, s, row.frame_time_s / photons, positions, blur=0, sigma_known=True))

        return efficient(dataset.items, np.array([relative_sd(row) for row in dataset.items.itertuples()]))
