"""Fourier shell correlation of a volume with its truth, and the resolution that it says (Harauz and van Heel 1986)."""

import numpy as np
from scipy import fft

LEVEL = 0.5  # of the correlation with a truth that has no noise: there the answer's error is as strong as what is right
COARSEST_UM = 10.0  # about a cell: what is resolved no finer is not resolved


def shell_correlation(image, truth, spacing_um):
    """Correlation of two volumes in shells of spatial frequency.

    Hann windows along every axis keep the faces out of it. Shells are as wide as the shorter side of a plane allows
    and end at its Nyquist frequency; where the planes lie too far apart for a frequency, a shell is a ring.

    Parameters
    ----------
    image, truth : (z, y, x);  spacing_um : (3,) of the voxels

    Returns
    -------
    frequency : (k,), middles of the shells, 1/µm, without the mean;  correlation : (k,)
    """
    shape = np.array(image.shape)
    sides = shape * spacing_um
    step = 1 / sides[1:].min()
    shells = int(0.5 / max(spacing_um[1:]) / step)
    axes = [fft.fftfreq(n, d) for n, d in zip(shape[:2], spacing_um[:2])] + [fft.rfftfreq(shape[2], spacing_um[2])]
    squared = sum(np.square(f).reshape([-1 if k == axis else 1 for k in range(3)]) for axis, f in enumerate(axes))
    shell = np.minimum(np.rint(np.sqrt(squared) / step), shells + 1).astype(np.int16).ravel()
    # Of a real volume's half space, frequencies between the first and the last along x stand for two.
    weight = np.where((np.arange(len(axes[2])) == 0) | (2 * np.arange(len(axes[2])) == shape[2]), 1, 2)
    a, b = (_spectrum(volume) for volume in (image, truth))
    products = (weight * part for part in ((a * b.conj()).real, np.square(np.abs(a)), np.square(np.abs(b))))
    cross, first, second = (np.bincount(shell, part.ravel(), shells + 2)[1 : shells + 1] for part in products)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.arange(1, shells + 1) * step, cross / np.sqrt(first * second)


def resolution(image, truth, spacing_um) -> float:
    """Period in µm at which the correlation with the truth sinks below one half, linear between the shells.

    COARSEST_UM at most, and twice the pixel where it never sinks; NaN where there is nothing to correlate.
    """
    frequency, correlation = shell_correlation(image, truth, spacing_um)
    if np.isnan(correlation).all():
        return np.nan
    below = np.flatnonzero(~(correlation >= LEVEL))
    if not len(below):
        return 1 / frequency[-1]
    k = below[0]
    if k == 0:
        return COARSEST_UM
    share = (correlation[k - 1] - LEVEL) / (correlation[k - 1] - correlation[k])
    return float(min(1 / (frequency[k - 1] + share * (frequency[k] - frequency[k - 1])), COARSEST_UM))


def _spectrum(volume):
    """Fourier transform of a volume less its mean, under Hann windows; complex64."""
    volume = np.asarray(volume, np.float32) - np.float32(np.mean(volume, dtype=float))
    for axis, n in enumerate(volume.shape):
        # Without the zeros at its ends, which a thin volume cannot spare.
        volume = volume * np.hanning(n + 2)[1:-1].astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
    return fft.rfftn(volume)
