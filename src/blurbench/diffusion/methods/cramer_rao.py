"""Limit: the Cramér-Rao bound of unbiased estimators of ln D that see the path alone.

A path of N + 1 mean positions in d dimensions, each with the error σ that the item's photons allow (Mortensen et al.
2010, eq. 5; `blurbench.diffusion.bounds.localisation_sd`). The sine transforms of its N displacements are independent,
with variances λ_k = 2DΔt(1 - 2R c_k) + 2σ²c_k, c_k = 1 - cos(πk/(N + 1)) (Berglund 2010), so that with
g_k = ∂ln λ_k/∂D, h_k = ∂ln λ_k/∂σ², I_DD = (d/2) Σ g_k², I_Ds = (d/2) Σ g_k h_k, I_ss = (d/2) Σ h_k²

    unknown : var(D) >= I_ss/(I_DD I_ss - I_Ds²), where the localisation error is fitted along with D
    known : var(D) >= 1/I_DD, where it is given
    none : the same with σ = 0, what the true mean position of every frame would tell

The bound of ln D is that of D over D: bounds transform as derivatives do. The row is an estimator of ln D that attains
it, its errors at the quantiles of the normal law, so that it passes through the same scoring as every other. An
estimator that is unbiased in D instead errs more in ln D (0.462 for 0.441, were its law a gamma law). Who has a bias (a
prior on D, the ends of its range) or reads the blur of the spots is not bound.
"""

import numpy as np

from blurbench.diffusion.bounds import efficient, localisation_sd
from blurbench.diffusion.estimators import cramer_rao
from blurbench.diffusion.items import stacks


class CramerRao:
    kind = "limit"
    trains = False
    bound = True
    options = {"localisation_error": "unknown"}  # or "known", or "none": the path as it was
    allowed = {"localisation_error": {"enum": ["unknown", "known", "none"]}}

    def predict(self, dataset, model, device):
        return efficient(dataset.items, np.array([self._relative_sd(stack) for stack in stacks(dataset)]))

    def _relative_sd(self, stack):
        sigma = 0.0 if self.localisation_error == "none" else localisation_sd(stack)
        known = self.localisation_error != "unknown"
        D, dt, R = stack.truth.D, stack.frame_time_s, stack.motion_blur
        return float(cramer_rao(D, sigma, dt, stack.frames, blur=R, sigma_known=known))
