"""What networks see of a volume: its contrast on one scale whatever the brightness, and estimates of where centres are.

The image is, but for noise, the density of centres under the sphere's form factor and the point-spread function, both
known. Wiener's filter undoes both as far as the noise allows (Wiener 1949); it is the best that a linear method can do,
and what a network would have to learn first. Its kernel is cut off smoothly, so that a part of a volume gives what the
whole gives, REACH voxels from the cut.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

REACH = 2.4  # diameters from the centre of a kernel to its end
LEAST = 0.005  # share of the variance that noise and signal have at least: beyond, the filter does not change
NOISE_FACTORS = (1.0, 0.1)  # on the noise power: as it is, and sharper at the price of noise


def normalised(photons) -> tuple[np.ndarray, float]:
    """Photons (z, y, x) less their mean, over their SD, float32; and the share of the variance that is noise.

    The noise is that of diagonal second differences in the plane, where the spheres are smooth: their median magnitude
    is 0.6745 SDs (Donoho & Johnstone 1994).
    """
    spread = float(photons.std())
    if not spread > 0:
        return np.zeros(photons.shape, np.float32), 1.0
    corners = photons[:, ::2, ::2], photons[:, 1::2, ::2], photons[:, ::2, 1::2], photons[:, 1::2, 1::2]
    ny, nx = np.min([c.shape[1:] for c in corners], axis=0)
    a, b, c, d = (corner[:, :ny, :nx] for corner in corners)
    noise = float(np.median(np.abs(a - b - c + d))) / 2 / 0.6745
    share = min(max((noise / spread) ** 2, 1e-3), 0.999)
    return ((photons - photons.mean()) / spread).astype(np.float32), share


def reach(diameter) -> int:
    """Voxels from the centre of a Wiener kernel to its end."""
    return int(np.ceil(REACH * diameter))


def wiener(values, noise_share, diameter, psf, factors=NOISE_FACTORS) -> np.ndarray:
    """Estimates of the density of centres, float32 (len(factors), z, y, x), each of variance one.

    Parameters
    ----------
    values : (z, y, x), what `normalised` gave; outside of it the image is taken for its mean
    noise_share : share of its variance that is noise
    diameter, psf : of the spheres, and the SDs (3,) of the point-spread function, voxels
    factors : tuple, on the noise power, one for each estimate
    """
    share = min(max(round(noise_share, 2), LEAST), 1 - LEAST)
    kernels = _kernels(share, float(diameter), tuple(np.round(psf, 3).tolist()), factors)
    margin = reach(diameter)
    # What goes round the end of the transform comes down on the margin, which is left out.
    shape = [fft.next_fast_len(n + margin, real=True) for n in values.shape]
    spectrum = fft.rfftn(values, shape)
    inside = tuple(slice(margin, margin + n) for n in values.shape)
    return np.stack([fft.irfftn(spectrum * fft.rfftn(kernel, shape), shape)[inside] for kernel in kernels])


@lru_cache(maxsize=256)
def _kernels(noise_share, diameter, psf, factors):
    """Kernels (2 reach + 1)³, float32, one per noise factor."""
    margin = reach(diameter)
    n = 2 * margin + 1
    q = [2 * np.pi * fft.fftfreq(n) for _ in range(2)] + [2 * np.pi * fft.rfftfreq(n)]
    q = np.meshgrid(*q, indexing="ij")
    x = np.sqrt(sum(one**2 for one in q)) * diameter / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        sphere = np.where(x > 1e-2, 3 * (np.sin(x) - x * np.cos(x)) / x**3, 1 - x**2 / 10)
    transfer = sphere * np.exp(-sum((one * s) ** 2 for one, s in zip(q, psf)) / 2)
    weight = np.full(transfer.shape[-1], 2.0)  # a half spectrum holds each mode but those of q_x = 0 for two
    weight[0] = 1.0
    # Centres at random have a flat spectrum, so the signal's power is that of the transfer function.
    power = (1 - noise_share) / noise_share / ((transfer**2 * weight).sum() / n**3)
    r = np.sqrt(sum(g.astype(float) ** 2 for g in np.ogrid[tuple(3 * [slice(-margin, margin + 1)])])) / margin
    taper = np.where(r < 1, np.cos(np.pi / 2 * np.clip(2 * r - 1, 0, 1)) ** 2, 0)
    kernels = []
    for factor in factors:
        kernel = fft.irfftn(transfer / (transfer**2 + factor / power), (n, n, n))
        kernel = fft.fftshift(kernel) * taper
        through = np.abs(fft.rfftn(fft.ifftshift(kernel))) ** 2 * weight
        variance = ((1 - noise_share) * through * transfer**2 / (transfer**2 * weight).sum() * n**3).sum() / n**3
        variance += noise_share * through.sum() / n**3
        kernels.append((kernel / np.sqrt(variance)).astype(np.float32))
    return kernels
