"""Total variation denoising (Rudin, Osher & Fatemi 1992); its weight, and whether plane by plane, by validation."""

from blurbench.fusion.denoising import total_variation
from blurbench.fusion.restoration import tiled
from blurbench.fusion.tuning import Tuned


class TotalVariation(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {"weight": (0.8, 0.2, 0.4, 1.6), "planes": (0, 1)}

    def restore(self, view, weight, planes):
        return tiled(lambda part, box: total_variation(part.photons, weight, planes), view)
