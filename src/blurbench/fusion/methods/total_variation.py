"""Total variation denoising by scikit-image (Rudin, Osher & Fatemi 1992; Chambolle 2004), its weight by validation.

Photons are made as noisy here as there by Anscombe's square root (1948, Biometrika 35:246, eq. 2) before it.
"""

import numpy as np
from skimage.restoration import denoise_tv_chambolle

from blurbench.fusion.restoration import tiled
from blurbench.fusion.tuning import Tuned

ITERATIONS = 40  # always so many: if each tile stopped for itself, seams would show


class TotalVariation(Tuned):
    kind = "classical"
    trains = True
    grid = {"weight": (1.0, 0.25, 0.5, 2.0, 4.0)}  # in SDs of the noise

    def restore(self, view, weight):
        return tiled(lambda part, box: _denoised(part.photons, weight), view)


def _denoised(photons, weight):
    even = 2 * np.sqrt(np.maximum(photons + np.float32(0.375), 0))
    return np.square(denoise_tv_chambolle(even, weight, eps=0, max_num_iter=ITERATIONS) / 2) - 0.375
