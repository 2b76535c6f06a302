"""Limit: the Cramér-Rao bound of the path, at the localisation error that the item's photons allow.

An unbiased estimator that attains the bound, its errors of ln D placed at the quantiles of the normal law, so that this
row passes through the same scoring as every other. It binds unbiased methods that see the path alone; a method that
reads the blur, or has a prior on D, may go below it.
"""

import numpy as np

from blurbench.diffusion.bounds import efficient, localisation_sd
from blurbench.diffusion.estimators import cramer_rao
from blurbench.diffusion.stack_estimates import blur


class CramerRao:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        def relative_sd(row):
            sigma, R = localisation_sd(row, dataset.spec), blur(row, dataset.spec)
            return float(cramer_rao(row.D, sigma, row.frame_time_s, int(row.frames), blur=R))

        return efficient(dataset.items, np.array([relative_sd(row) for row in dataset.items.itertuples()]))
