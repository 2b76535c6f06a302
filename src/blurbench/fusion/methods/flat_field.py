"""Flat field: the light lost on the way, fitted to the view itself, is divided out; a Gaussian before it."""

from blurbench.fusion import flat_fielding
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.tuning import Tuned


class FlatField(Tuned):
    kind = "classical"
    trains = True
    grid = {
        "sigma_px": (1.0, 0.0, 0.5, 1.4, 2.0),
        "sigma_z_px": (0.5, 0.0, 0.35, 0.7),
        "degree": (1, 2),
        "shrink": (0.1, 0.01, 0.3, 1.0, 3.0),
        "shadows": (0.0, 0.5, 1.0),
    }

    def restore(self, view, sigma_px, sigma_z_px, **setting):
        field = flat_fielding.fit(view.photons, view.optics.spacing_um, **setting)
        flat = smooth(view.photons, (sigma_z_px, sigma_px, sigma_px))
        return flat_fielding.divided(flat, field)
