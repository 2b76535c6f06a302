"""Total variation denoising of photons, by scikit-image (Rudin, Osher & Fatemi 1992; Chambolle 2004).

Anscombe's square root (1948, Biometrika 35:246) makes their noise as strong in dark places as in bright ones before it.
"""

import numpy as np
from skimage.restoration import denoise_tv_chambolle

ITERATIONS = 40  # always so many: if each tile of a view stopped for itself, seams would show


def total_variation(photons, weight, planes=0) -> np.ndarray:
    """Photons (z, y, x) without most of their noise, float32.

    Parameters
    ----------
    weight : of the total variation against the noise of SD 1; 0 leaves the photons as they are
    planes : 1 if each plane is denoised for itself, as structures thinner than their distance must be; 0 if not
    """
    if not weight:
        return np.asarray(photons, np.float32)
    even = 2 * np.sqrt(np.maximum(np.asarray(photons, np.float32) + np.float32(3 / 8), 0))
    axis = 0 if planes else None
    even = denoise_tv_chambolle(even, weight, eps=0, max_num_iter=ITERATIONS, channel_axis=axis)
    return np.square(even / 2) - np.float32(3 / 8)
