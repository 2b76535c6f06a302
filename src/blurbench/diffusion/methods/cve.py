"""Covariance-based estimator on maximum-likelihood positions (Vestergaard, Blainey & Flyvbjerg 2014)."""

from blurbench.diffusion.estimators import cve, cve_sd, cve_sigma
from blurbench.diffusion.stack_estimates import estimate


class Cve:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        return estimate(dataset, self._estimate)

    def _estimate(self, spots, stack):
        D, R = cve(spots.positions, stack.frame_time_s), stack.motion_blur
        return D, cve_sd(D, cve_sigma(spots.positions, R), stack.frame_time_s, stack.frames, blur=R)
