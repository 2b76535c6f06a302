"""Limit of the centroid methods: maximum likelihood on the true mean position of every frame, without error."""

from blurbench.diffusion.estimators import cramer_rao, mle
from blurbench.diffusion.stack_estimates import estimate_true


class TrueCentroidMle:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        def of_centres(centres, stack):
            dt, R = stack.frame_time_s, stack.true_motion_blur
            D = mle(centres, dt, 0.0, R)
            return D, D * cramer_rao(max(D, 1e-9), 0.0, dt, stack.frames, blur=R, sigma_known=True)

        return estimate_true(dataset, of_centres)
