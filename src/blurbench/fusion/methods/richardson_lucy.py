"""Richardson-Lucy deconvolution with the known point-spread function (Richardson 1972; Lucy 1974).

A Gaussian before it, the number of iterations and a Gaussian after it are chosen on validation.
"""

from blurbench.fusion.restoration import smoothed_richardson_lucy, tiled
from blurbench.fusion.tuning import Tuned


class RichardsonLucy(Tuned):
    kind = "classical"
    trains = True
    grid = {"iterations": (10, 3, 6, 20), "before_px": (1.0, 0.0, 0.5, 1.5), "after_px": (0.5, 0.0, 0.9)}

    def restore(self, view, **setting):
        return tiled(lambda part, box: smoothed_richardson_lucy(part, **setting), view)
