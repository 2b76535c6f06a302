"""Structural similarity of patches as a loss (Wang et al. 2004, eq. 13), in the form that `fusion.ssim` scores by."""

import torch
from torch.nn import functional

from blurbench.fusion.ssim import K1, K2, PERCENTILES, WINDOW

UNBIASED = WINDOW**3 / (WINDOW**3 - 1)


def scored_ssim(image, target):
    """Mean SSIM of patches (n, z, y, x) as volumes are scored: each scaled by its percentiles, the larger range."""
    (image, one), (target, other) = _scaled(image), _scaled(target)
    return ssim(image, target, torch.maximum(one, other).detach())


def _scaled(patches):
    """Patches whose percentiles are 0 and 1, and their data ranges (n, 1, 1, 1)."""
    flat = patches.flatten(1)
    low, high = torch.quantile(flat, torch.tensor(PERCENTILES, device=flat.device) / 100, dim=1)[..., None, None, None]
    scale = (high - low).clamp_min(1e-6)
    return (patches - low) / scale, (flat.amax(dim=1) - flat.amin(dim=1))[:, None, None, None] / scale


def ssim(image, target, span):
    """Mean SSIM of patches (n, z, y, x), over voxels with a whole window around them; `span` is the data range."""
    p, q = _mean(image), _mean(target)
    pp, qq, pq = (UNBIASED * _mean(product) for product in (image * image, target * target, image * target))
    pp, qq, pq = pp - UNBIASED * p * p, qq - UNBIASED * q * q, pq - UNBIASED * p * q
    c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
    return ((2 * p * q + c1) * (2 * pq + c2) / ((p * p + q * q + c1) * (pp + qq + c2))).mean()


def _mean(x):
    """Means over windows, axis by axis: at once would be 16 times as much work."""
    for side in ((WINDOW, 1, 1), (1, WINDOW, 1), (1, 1, WINDOW)):
        x = functional.avg_pool3d(x, side, stride=1)
    return x
