"""Limit of the centroid methods: CVE on the true mean position of every frame."""

from blurbench.diffusion.estimators import cve, cve_sd
from blurbench.diffusion.stack_estimates import estimate_true


class TrueCentroidCve:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        def of_centres(centres, row, R):
            D = cve(centres, row.frame_time_s)
            return D, cve_sd(D, 0.0, row.frame_time_s, row.frames, blur=R)

        return estimate_true(dataset, of_centres)
