"""Richardson-Lucy deconvolution with the known point-spread function (Richardson 1972; Lucy 1974).

A Gaussian before it, the number of iterations and a Gaussian after it are chosen on validation.
"""

from blurbench.fusion.restoration import sharpened, tiled
from blurbench.fusion.tuning import Tuned


class RichardsonLucy(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {
        "iterations": (4, 1, 2, 8, 16),
        "before_px": (0.7, 0.0, 1.0, 1.5, 2.0),
        "after_px": (0.5, 0.0, 0.9),
    }

    def restore(self, view, iterations, before_px, after_px):
        return tiled(lambda part, box: sharpened(part, iterations, before_px, after_px), view)
