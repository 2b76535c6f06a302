"""Gaussian filter, its widths in the plane and along z by validation: hard to beat in the published challenge."""

from blurbench.fusion.gaussian import smooth
from blurbench.fusion.tuning import Tuned


class Gaussian(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {"sigma_px": (1.0, 0.0, 0.44, 0.7, 1.4, 2.0), "sigma_z_px": (0.5, 0.0, 0.35, 0.7, 1.0)}

    def restore(self, view, sigma_px, sigma_z_px):
        return smooth(view.photons, (sigma_z_px, sigma_px, sigma_px))
