"""Wiener's filter for a light-sheet view (Wiener 1949): the best that a linear one can do where noise is even.

What fluoresces is taken for a random medium of two phases, whose spectrum falls as (1 + q² L²)^-2 (Debye & Bueche
1949, J Appl Phys 20:518), L a length of its structure. The cosine transform makes the view go on beyond its faces as
its mirror image. As the blur changes along the sheet, the filter does: it is made for some widths, and between them it
is linear.
"""

import numpy as np
from scipy import fft

from blurbench.fusion.optics import axial_sigma

WIDTHS = 4  # axial ones that filters are made for


def noise_share(photons, read_noise=0.0) -> float:
    """Share of the variance of photons (z, y, x) that is shot and read noise; 0.001 to 0.999."""
    variance = float(photons.var(dtype=np.float64))
    noise = max(float(photons.mean(dtype=np.float64)), 0.0) + read_noise**2
    return float(np.clip(noise / max(variance, 1e-9), 1e-3, 0.999))


def wiener(photons, optics, length_um, noise_over_signal):
    """Estimate of what was there before the blur, float32 (z, y, x).

    Parameters
    ----------
    photons : (z, y, x);  optics : `optics.Optics` of the view
    length_um : L
    noise_over_signal : variance of the noise over that of the unblurred signal
    """
    shape, spacing = photons.shape, np.asarray(optics.spacing_um)
    qz, qy, qx = np.meshgrid(
        *(np.pi * np.arange(n) / n / s for n, s in zip(shape, spacing)), indexing="ij", sparse=True
    )
    structure = (1 + (qz**2 + qy**2 + qx**2) * length_um**2) ** -2.0
    floor = noise_over_signal * structure.mean() / structure
    in_plane = np.exp(-0.5 * ((qy * optics.sigma_um[1]) ** 2 + (qx * optics.sigma_um[2]) ** 2))
    spectrum = fft.dctn(photons.astype(np.float32), norm="ortho")
    width = axial_sigma(optics, np.arange(shape[2]) * spacing[2])
    nodes = np.linspace(width.min(), width.max(), WIDTHS if np.ptp(width) > 0.01 * width.min() else 1)
    answer = np.zeros(shape, np.float32)
    for k, node in enumerate(nodes):
        transfer = in_plane * np.exp(-0.5 * (qz * node) ** 2)
        weight = np.interp(width, nodes, np.arange(len(nodes)) == k).astype(np.float32)
        filtered = spectrum * (transfer / (transfer**2 + floor)).astype(np.float32)
        answer += weight * fft.idctn(filtered, norm="ortho", overwrite_x=True)
    return answer
