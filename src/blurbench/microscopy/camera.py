"""Camera: from detected photons to grey values, and back to photons.

A pixel that detected n photoelectrons reads  clip(round(gain · (EM(n) + normal + Laplace) + offset), 0, saturation)  in
ADU, where EM(n) is n itself or, behind an EM register of mean gain g > 1, a gamma number of shape n and scale g, whose
excess-noise factor is 2 (Basden, Haniff & Mackay 2003, MNRAS 345:985).

A detector that counts photons, as that of a confocal microscope, has read noise and an offset alone: `detect`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import gammainc, gammaln, log_ndtr, ndtr, xlogy

from blurbench.microscopy.random_streams import alias_table, draw, fill, gamma, laplace, normal, pair_table, poisson

MOST_PAIRED = 256  # grey values; a table of more pairs takes longer to make and read than it saves
LARGEST = 65535  # of uint16
_NO_PAIRS = np.empty((0, 2), np.uint64)


class Camera(NamedTuple):
    """What the compiled camera reads: the configuration's settings in electrons and ADU, and two alias tables."""

    background: np.ndarray  # alias table of the number of background electrons
    gain: float
    offset: float
    read_noise: float
    laplace_noise: float
    em_gain: float
    saturation: float
    dark: np.ndarray  # pair table of pixels that hold background only; without rows where they are read one by one


def camera(settings: dict, background: float) -> Camera:
    """Camera of the configuration's `camera` entry at an expected background in photons per pixel and frame."""
    detected = background * settings["quantum_efficiency"]
    return Camera(
        alias_table(_poisson_law(_electrons(detected), detected)),
        float(settings["gain"]),
        float(settings["offset"]),
        float(settings["read_noise"]),
        float(settings["laplace_noise"]),
        float(settings["em_gain"]),
        float(settings["saturation"]),
        _dark_pairs(settings, detected),
    )


def _dark_pairs(settings, background):
    """Pair table of the grey values that occur: beyond is less than one pixel in 10¹¹."""
    if settings["em_gain"] > 1:
        return _NO_PAIRS
    first, p = dark_distribution(settings, background)
    likely = np.flatnonzero(p > 1e-12)
    p = p[likely[0] : likely[-1] + 1]
    return pair_table(p, first + likely[0]) if len(p) <= MOST_PAIRED else _NO_PAIRS


def _electrons(background):
    """Numbers of background electrons that occur: beyond, the Poisson law holds less than 1e-16."""
    return np.arange(int(background + 12 * math.sqrt(background)) + 40)


def _poisson_law(n, mean):
    """Probabilities of n; written out, for scipy.stats takes a second to import in every job that simulates or fits."""
    return np.exp(xlogy(n, mean) - mean - gammaln(n + 1.0))


def noise_cdf(x, normal_sd, laplace_scale):
    """P(normal + Laplace <= x), closed form (Reed 2006, the normal-Laplace law), for arrays x."""
    if normal_sd == 0 and laplace_scale == 0:
        return (np.asarray(x) >= 0).astype(float)
    if laplace_scale <= 1e-6 * normal_sd:  # without effect, and the terms below would cancel
        return ndtr(x / normal_sd)
    if normal_sd == 0:
        tail = 0.5 * np.exp(-np.abs(x) / laplace_scale)
        return np.where(x < 0, tail, 1 - tail)
    z, ratio = x / normal_sd, normal_sd / laplace_scale
    up = np.exp(x / laplace_scale + ratio**2 / 2 + log_ndtr(-z - ratio))
    down = np.exp(-x / laplace_scale + ratio**2 / 2 + log_ndtr(z - ratio))
    return ndtr(z) + (up - down) / 2


def dark_distribution(settings: dict, background: float):
    """Exact distribution of the grey value of a pixel that holds background and noise only, without EM register.

    Most pixels are of this kind, so one draw from a table replaces a Poisson and a normal number for two of them.

    Returns
    -------
    first : int, grey value of the first probability;  p : (n,) probabilities of first, first + 1, ...
    """
    gain, offset, saturation = settings["gain"], settings["offset"], int(settings["saturation"])
    spread = 9 * settings["read_noise"] + 37 * settings["laplace_noise"]  # beyond: less than 1e-16
    n = _electrons(background)
    first = max(0, math.floor(offset - gain * spread) - 1)
    last = min(saturation, math.ceil(offset + gain * (n[-1] + spread)) + 1)
    edges = (np.arange(first, last) + 0.5 - offset) / gain  # upper edge of every grey value but the last
    if settings["read_noise"] == 0 and settings["laplace_noise"] == 0:
        edges = np.nextafter(edges, -np.inf)  # round half up, as the direct draw does
    below = noise_cdf(edges[:, None] - n, settings["read_noise"], settings["laplace_noise"])
    below = below @ _poisson_law(n, background)
    p = np.diff(below, prepend=0.0, append=1.0)
    return first, np.clip(p, 0, None)


def reading_law(grey, electrons, settings: dict):
    """Probability of each grey value (n,) where so many electrons (m,) were detected, the background's among them.

    The law of `read`. Behind an EM register the noise is summed over 64 cells of its law, the gamma law of the register
    being exact in each.

    Returns
    -------
    (n, m)
    """
    grey, electrons = np.asarray(grey, float)[:, None], np.asarray(electrons, float)
    low = np.where(grey > 0, (grey - 0.5 - settings["offset"]) / settings["gain"], -np.inf)
    high = np.where(grey < settings["saturation"], (grey + 0.5 - settings["offset"]) / settings["gain"], np.inf)
    low, high = np.nextafter(low, -np.inf), np.nextafter(high, -np.inf)  # round half up
    noise = settings["read_noise"], settings["laplace_noise"]
    plain = _between(low - electrons, high - electrons, *noise)
    if settings["em_gain"] <= 1:
        return plain
    edges = np.linspace(-1, 1, 65) * (6 * noise[0] + 12 * noise[1])
    weights = np.diff(noise_cdf(edges, *noise)) if edges[-1] > 0 else np.r_[1.0, np.zeros(63)]
    law = np.zeros_like(plain)
    for z, weight in zip((edges[1:] + edges[:-1]) / 2, weights / weights.sum()):
        above = [gammainc(np.maximum(electrons, 1), np.maximum(x - z, 0) / settings["em_gain"]) for x in (low, high)]
        law += weight * (above[1] - above[0])
    return np.where(electrons > 0, law, plain)


def _between(low, high, normal_sd, laplace_scale):
    """P(low < normal + Laplace <= high); in the upper tail by symmetry, lest the difference of two ones be left."""
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    return noise_cdf(high, normal_sd, laplace_scale) - noise_cdf(low, normal_sd, laplace_scale)


@njit(cache=True)
def read_dark(s, camera, frame):
    """Fill `frame` (pixels,) with grey values of pixels without signal."""
    if len(camera.dark) > 0:
        fill(s, frame, camera.dark)
    else:
        none = np.int32(0)  # the type of a renderer's counts; numba would compile for a literal 0 once more
        for i in range(len(frame)):
            frame[i] = read(s, camera, none)


@njit(cache=True, forceinline=True)
def read(s, camera, signal):
    """Grey value of a pixel that detected `signal` photons beside its background."""
    electrons = float(signal + draw(s, camera.background))
    if camera.em_gain > 1.0 and electrons > 0.0:
        electrons = camera.em_gain * gamma(s, electrons)
    if camera.read_noise > 0.0:
        electrons += camera.read_noise * normal(s)
    if camera.laplace_noise > 0.0:
        electrons += laplace(s, camera.laplace_noise)
    adu = math.floor(camera.gain * electrons + camera.offset + 0.5)
    return min(max(adu, 0.0), camera.saturation)


@njit(cache=True)
def detect(s, photons, read_noise, offset):
    """Grey values, uint16, of the photons expected in each pixel; read_noise in photons, offset in ADU, 1 ADU a photon.

    A pixel detects a Poisson number of photons, normal read noise and the offset are added, and the sum is rounded and
    cut at the ends of the grey scale.
    """
    image = np.empty(photons.shape, np.uint16)
    flat, expected = image.reshape(-1), photons.reshape(-1)
    for i in range(len(flat)):
        value = poisson(s, np.float64(expected[i])) + read_noise * normal(s) + offset
        flat[i] = np.uint16(min(max(math.floor(value + 0.5), 0.0), LARGEST))
    return image


def to_photons(adu, settings: dict):
    """Detected photons, float32, of grey values: what every method starts from. Any shape."""
    scale = np.float32(1 / (settings["gain"] * settings["em_gain"]))
    return (np.asarray(adu, np.float32) - np.float32(settings["offset"])) * scale


def to_grey(photons, settings: dict):
    """Grey values, whole numbers, that `to_photons` made these of."""
    return np.rint(np.asarray(photons) * (settings["gain"] * settings["em_gain"]) + settings["offset"]).astype(np.int64)


def noise_variance(settings: dict) -> float:
    """Variance per pixel in photons² that is added to the (excess-noise-scaled) Poisson variance, rounding included."""
    electrons = settings["read_noise"] ** 2 + 2 * settings["laplace_noise"] ** 2 + 1 / (12 * settings["gain"] ** 2)
    return electrons / settings["em_gain"] ** 2


def excess_noise(settings: dict) -> float:
    """Factor by which the EM register multiplies the Poisson variance."""
    return 2.0 if settings["em_gain"] > 1 else 1.0
