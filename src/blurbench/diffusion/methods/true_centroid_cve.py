"""Limit of the centroid methods: CVE on the true mean position of every frame."""

from blurbench.diffusion.estimators import cve, cve_sd
from blurbench.diffusion.stack_estimates import estimate_true


class TrueCentroidCve:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        def of_centres(centres, stack):
            D = cve(centres, stack.frame_time_s)
            return D, cve_sd(D, 0.0, stack.frame_time_s, stack.frames, blur=stack.true_motion_blur)

        return estimate_true(dataset, of_centres)
