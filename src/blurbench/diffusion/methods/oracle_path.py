"""Limit: maximum likelihood on the true sub-positions, which no camera shows.

Given them, the images tell no more of D, and the maximum attains the bound of unbiased estimators of D.
"""

import numpy as np

from blurbench.diffusion.intervals import from_linear
from blurbench.diffusion.items import stacks


class OraclePath:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        pairs = []
        for stack in stacks(dataset):
            path, substeps = stack.truth.path, stack.truth.path.shape[1]
            within = stack.exposure_s / substeps
            steps = np.diff(path.reshape(-1, 2).astype(float), axis=0)
            durations = np.full(len(steps), within)
            durations[substeps - 1 :: substeps] += stack.frame_time_s - stack.exposure_s
            # Independent Gaussian steps of variance 2Dδ: the maximum is the mean of step²/(2δ).
            D = (steps**2 / (2 * durations[:, None])).mean()
            pairs.append((D, D / np.sqrt(len(steps))))
        return from_linear(*np.array(pairs).reshape(-1, 2).T)
