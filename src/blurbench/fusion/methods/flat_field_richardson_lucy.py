"""Total variation and a Gaussian against noise, Richardson-Lucy against blur, a flat field for the light that is lost.

The settings of each step are chosen on validation, those that leave it out among them. Absorption changes over many
voxels and the blur over few, so that the order of the last two hardly matters.
"""

from blurbench.fusion import flat_fielding
from blurbench.fusion.restoration import sharpened, tiled
from blurbench.fusion.tuning import Tuned


class FlatFieldRichardsonLucy(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {
        "weight": (0.8, 0.0, 0.3, 0.5, 1.2),
        "planes": (0, 1),
        "before_px": (0.0, 0.5, 1.0),
        "iterations": (4, 1, 2, 8),
        "after_px": (0.9, 0.0, 0.5),
        "shrink": (0.1, 0.03, 0.3),
    }

    def restore(self, view, shrink, **setting):
        field = flat_fielding.fit(view.photons, view.optics.spacing_um, shrink)
        return flat_fielding.divided(tiled(lambda part, box: sharpened(part, **setting), view), field)
