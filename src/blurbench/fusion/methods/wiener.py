"""Wiener's filter with the known point-spread function; how fine structures and how strong noise is, by validation."""

from blurbench.fusion.restoration import tiled
from blurbench.fusion.tuning import Tuned
from blurbench.fusion.wiener import noise_share, wiener


class Wiener(Tuned):
    kind = "classical"
    trains = True
    options = {"target": "density"}  # what its settings are chosen for
    allowed = {"target": {"enum": ["density", "fused", "deconvolved"]}}
    grid = {"noise_factor": (3.0, 0.3, 1.0, 10.0, 30.0), "length_um": (2.0, 0.5, 1.0, 4.0, 8.0)}

    def restore(self, view, noise_factor, length_um):
        share = noise_share(view.photons)
        noise = noise_factor * share / (1 - share)
        return tiled(lambda part, box: wiener(part.photons, part.optics, length_um, noise), view)
