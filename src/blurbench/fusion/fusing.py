"""Views made one: their content-weighted mean, and their Richardson-Lucy deconvolution.

Views are registered to the first one and stand on its grid.
"""

import math

import numpy as np

from blurbench.fusion.gaussian import smooth
from blurbench.fusion.optics import Optics, blur, blur_transposed

DETAIL_PX, AROUND_PX = 5, 11  # pixels: SDs of the Gaussians of a content weight
ITERATIONS = 10
FLOOR = 1e-3  # share of the mean below which no voxel is taken: read noise makes some negative


def content_weights(views, spacing_um) -> np.ndarray:
    """Weights of views, which sum to 1 in each voxel: where there is more detail, there is more weight.

    W = G2 * (I - G1 * I)², Gaussians of DETAIL_PX and AROUND_PX (Preibisch et al. 2008, ISBI; the SDs are those of
    multiview-stitcher). Both are in pixels of a plane; along z they are as long in µm.

    Parameters
    ----------
    views : (v, z, y, x);  spacing_um : (3,)

    Returns
    -------
    (v, z, y, x) float32
    """
    pixels = spacing_um[2] / np.asarray(spacing_um)
    weights = np.stack([smooth(np.square(v - smooth(v, DETAIL_PX * pixels)), AROUND_PX * pixels) for v in views])
    weights += np.finfo(np.float32).tiny
    return weights / weights.sum(axis=0)


def fused(views, spacing_um) -> np.ndarray:
    """Mean of views by their content weights, (z, y, x) float32; parameters as of `content_weights`."""
    return (content_weights(views, spacing_um) * views).sum(axis=0)


def deconvolved(views, optics, iterations: int = ITERATIONS) -> np.ndarray:
    """Multi-view Richardson-Lucy deconvolution (Preibisch et al. 2014, Nat. Methods 11:645, OPTIMIZATION II).

    View by view ψ ← ψ · K (1 + w (I / (ψ P) - 1)), where w are the content weights times the number of views, at most
    1, and K is the PSF to the power of the number of views: of a Gaussian one that is as much narrower as its root.

    Parameters
    ----------
    views : (v, z, y, x) photons;  optics : of each view

    Returns
    -------
    (z, y, x) float32, not negative
    """
    n, mean = len(views), float(np.clip(views, 0, None).mean())
    if not mean > 0:
        return np.zeros(views.shape[1:], np.float32)
    observed = np.maximum(views, np.float32(FLOOR * mean))
    weights = content_weights(views, optics[0].spacing_um)
    estimate = (weights * observed).sum(axis=0)
    weights = np.minimum(n * weights, 1)
    narrow = [_narrower(one, math.sqrt(n)) for one in optics]
    for _ in range(iterations):
        for seen, one, sharp, weight in zip(observed, optics, narrow, weights):
            ratio = seen / np.maximum(blur(estimate, one), np.float32(FLOOR**2 * mean))
            estimate = estimate * blur_transposed(1 + weight * (ratio - 1), sharp)
    return estimate


def _narrower(optics: Optics, factor) -> Optics:
    """Optics whose PSF is so many times narrower everywhere."""
    sigma = tuple(one / factor for one in optics.sigma_um)
    return optics._replace(sigma_um=sigma, sheet_waist_um=optics.sheet_waist_um / factor)
