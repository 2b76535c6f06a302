"""Limit: the posterior mean of ln D, given every pixel: no answer has a lower mean square error of ln D over the prior.

Over the prior, that is over D drawn flat in ln D on the dataset's range. At the D of the test grid alone an answer that
is drawn towards one of them may be better there, and is worse elsewhere. Two chains or more of
`blurbench.diffusion.posterior` a stack, which go on until they agree; the intervals are quantiles.
"""

import numpy as np

from blurbench.diffusion.intervals import from_densities
from blurbench.diffusion.items import stacks
from blurbench.diffusion.posterior import posteriors


class Posterior:
    kind = "limit"
    trains = False
    # Sub-positions per frame stand for a path that is continuous; else there are as many as the dataset has.
    options = {"chains": 2, "warm_up": 200, "iterations": 500, "most": 4000, "positions": 30}
    allowed = {"warm_up": {"minimum": 0}}

    def predict(self, dataset, model, device):
        length = self.chains, self.warm_up, self.iterations, self.most, self.positions
        chains = [posteriors(stack, *length) for stack in stacks(dataset)]
        return from_densities([np.mean(densities, axis=0) for densities in chains], *dataset.spec["D_um2_s"])
