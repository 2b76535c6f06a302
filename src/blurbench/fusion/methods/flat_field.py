"""Flat field: the light lost on the way, fitted to the view itself, is divided out; a Gaussian before it."""

from blurbench.fusion import flat_fielding
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.tuning import Tuned


class FlatField(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {
        "sigma_px": (1.0, 0.0, 0.44, 0.7, 1.4, 2.0),
        "sigma_z_px": (0.5, 0.0, 0.35, 0.7, 1.0),
        "shrink": (0.1, 0.03, 0.3, 1.0),
    }

    def prepare(self, view):
        return view, flat_fielding.fits(view)

    def restore(self, prepared, sigma_px, sigma_z_px, shrink):
        view, fitted = prepared
        return flat_fielding.divided(smooth(view.photons, (sigma_z_px, sigma_px, sigma_px)), fitted(shrink))
