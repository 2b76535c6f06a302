"""Limit: the Cramér-Rao bound of the path, at the localisation error that the item's photons allow.

An unbiased estimator that attains the bound, its errors of ln D placed at the quantiles of the normal law, so that this
row passes through the same scoring as every other. It binds unbiased methods that see the path alone; a method that
reads the blur, or has a prior on D, may go below it.
"""

import numpy as np

from blurbench.diffusion.bounds import efficient, localisation_sd
from blurbench.diffusion.estimators import cramer_rao
from blurbench.diffusion.items import stacks


class CramerRao:
    kind = "limit"
    trains = False
    bound = True

    def predict(self, dataset, model, device):
        def relative_sd(stack):
            sigma, R = localisation_sd(stack), stack.motion_blur
            return float(cramer_rao(stack.truth.D, sigma, stack.frame_time_s, stack.frames, blur=R))

        return efficient(dataset.items, np.array([relative_sd(stack) for stack in stacks(dataset)]))
