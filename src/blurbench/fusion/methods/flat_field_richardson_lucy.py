"""Flat field and Richardson-Lucy deconvolution in one: the light lost on the way is part of the model of the view.

To divide by it first would make the noise of dark places count as much as that of bright ones.
"""

from blurbench.fusion import flat_fielding
from blurbench.fusion.restoration import smoothed_richardson_lucy, tiled
from blurbench.fusion.tuning import Tuned


class FlatFieldRichardsonLucy(Tuned):
    kind = "classical"
    trains = True
    grid = {
        "iterations": (10, 3, 6, 20),
        "before_px": (1.0, 0.0, 0.5, 1.5),
        "after_px": (0.5, 0.0, 0.9),
        "degree": (1, 2),
        "shrink": (0.1, 0.01, 0.3, 1.0, 3.0),
        "shadows": (0.0, 0.5, 1.0),
    }

    def restore(self, view, degree, shrink, shadows, **setting):
        field = flat_fielding.fit(view.photons, view.optics.spacing_um, degree, shrink, shadows)
        return tiled(lambda part, box: smoothed_richardson_lucy(part, left=field.on(box), **setting), view)
