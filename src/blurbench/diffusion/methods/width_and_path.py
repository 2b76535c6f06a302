"""Width of the spots and path of the molecule together: what the product of their likelihoods says of D."""

import numpy as np

from blurbench.diffusion.blur_likelihood import joint_log_likelihood, posterior
from blurbench.diffusion.intervals import from_posterior
from blurbench.diffusion.items import stacks
from blurbench.diffusion.localise import localise
from blurbench.diffusion.stack_estimates import estimate

GRID = 400


class WidthAndPath:
    kind = "classical"
    trains = False
    options = {"answer": "mean"}  # of the posterior of ln D, flat on the dataset's range; or "mode": of the likelihood
    allowed = {"answer": {"enum": ["mean", "mode"]}}

    def predict(self, dataset, model, device):
        return _mean(dataset) if self.answer == "mean" else _mode(dataset)


def _mean(dataset):
    found = [posterior(localise(stack), stack) for stack in stacks(dataset)]
    return from_posterior(found[0][0] if found else np.zeros(1), [probability for _, probability in found])


def _mode(dataset):
    lo, hi = map(float, dataset.spec["D_um2_s"])
    grid = np.geomspace(lo / 3, hi * 3, GRID)  # beyond the range, so that the maximum is seldom at an end

    def of_spots(spots, stack):
        if np.isfinite(spots.positions).all(axis=1).sum() < 3:
            return np.nan, np.nan
        log_likelihood = joint_log_likelihood(grid, spots, stack)
        at = int(np.argmax(log_likelihood))
        inside = min(max(at, 1), GRID - 2)
        below, middle, above = log_likelihood[inside - 1 : inside + 2]
        step = np.log(grid[1] / grid[0])
        curvature = max((2 * middle - below - above) / step**2, 1e-3)
        return grid[at], grid[at] / np.sqrt(curvature)

    return estimate(dataset, of_spots)
