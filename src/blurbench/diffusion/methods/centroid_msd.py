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
    allowed = {"lags": {"anyOf": [{"enum": ["all", "optimal"]}, {"type": "integer", "minimum": 2}]}}

    def predict(self, dataset, model, device):
        def of_stack(stack):
            positions, R = ellipse_centres(stack), stack.motion_blur
            D = msd_slope(positions, stack.frame_time_s, self.lags)
            return D, msd_sd(D, cve_sigma(positions, R), stack.frame_time_s, stack.frames, self.lags, blur=R)

        return estimate_stacks(dataset, of_stack)
