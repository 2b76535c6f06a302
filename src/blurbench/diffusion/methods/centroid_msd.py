"""Elliptical Gaussian fit to every frame, then the mean square displacement: the practice of most laboratories.

With lags "all" through the origin, as in the published comparison (CS-433/ml-project-2-big-burger, 2024); with
"optimal" the lags of Michalet & Berglund 2012.
"""

from blurbench.diffusion.estimators import cve_sigma, msd_sd, msd_slope
from blurbench.diffusion.localise import ellipse_centres
from blurbench.diffusion.stack_estimates import estimate_stacks


class CentroidMsd:
    kind = "classical"
    trains = False
    options = {"lags": "all"}

    def predict(self, dataset, model, device):
        def of_stack(stack, row, R):
            positions = ellipse_centres(stack, row, dataset.spec)
            D = msd_slope(positions, row.frame_time_s, self.lags)
            return D, msd_sd(D, cve_sigma(positions, R), row.frame_time_s, row.frames, self.lags, blur=R)

        return estimate_stacks(dataset, of_stack)
