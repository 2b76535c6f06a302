"""Total variation and a Gaussian against noise, Richardson-Lucy against blur, a flat field for the light that is lost.

The settings of each step are chosen on validation, those that leave it out among them. Absorption changes over many
voxels and the blur over few, so that the order of the last two hardly matters.
"""

from blurbench.fusion import flat_fielding
from blurbench.fusion.denoising import total_variation
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

    ahead = 2

    def prepare(self, view, weight, planes):
        even = tiled(lambda part, box: total_variation(part.photons, weight, planes), view)
        return view._replace(photons=even), flat_fielding.fits(view)

    def restore(self, prepared, before_px, iterations, after_px, shrink):
        even, fitted = prepared
        sharp = tiled(lambda part, box: sharpened(part, iterations, before_px, after_px), even)
        return flat_fielding.divided(sharp, fitted(shrink))
