"""Maximum likelihood of the path (Berglund 2010), with the localisation error fitted or taken from the spots' fits."""

import numpy as np

from blurbench.diffusion.estimators import cramer_rao, mle_fit
from blurbench.diffusion.stack_estimates import estimate


class Mle:
    kind = "classical"
    trains = False
    options = {"localisation_error": "fitted"}  # or "known": the root mean square of the fits' Fisher errors
    allowed = {"localisation_error": {"enum": ["fitted", "known"]}}

    def predict(self, dataset, model, device):
        return estimate(dataset, self._estimate)

    def _estimate(self, spots, stack):
        known = self.localisation_error == "known"
        given = float(np.sqrt(np.mean(spots.sigma**2))) if known else None
        R, dt = stack.motion_blur, stack.frame_time_s
        D, sigma = mle_fit(spots.positions, dt, given, R)
        relative = cramer_rao(max(D, 1e-6), max(sigma, 1e-6), dt, stack.frames, blur=R, sigma_known=known)
        return D, max(D, 1e-6) * relative
