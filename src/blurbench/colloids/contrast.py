"""What the spheres of a volume show against its noise: whether there are any, how bright along z, what outshines them.

The image goes through the difference of two Gaussians, one narrower than a sphere and one wider. How much white noise
passes is known in closed form, so spheres are seen without a method or a model; and the peak of a sphere is as high as
its own contrast, whatever else is in the volume.
"""

from math import comb
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt, maximum_filter
from scipy.optimize import least_squares
from scipy.special import erf
from scipy.stats import median_abs_deviation

from blurbench.microscopy.separable import gaussian

NARROW, WIDE = 0.3, 0.6  # diameters: SDs of the two Gaussians
TREND = 3  # degree of the polynomial in z that is taken off: light may fall as smoothly, layers of spheres do not
FACES = 1.0  # diameters from a face within which the filters see its mirror image
PRESENT = 3.0  # SDs by which the variance of what is filtered must be beyond that of noise
PEAK, APART = 4.0, 0.45  # SDs of noise that a peak is beyond; diameters to each side in which none is higher
FEWEST = 24  # peaks: fewer tell neither how light falls nor what outshines the others
NOISELESS = 1e-6  # photons², variance of a volume without noise: something to judge it by
SPREAD = 0.2  # of the logarithm of peaks: what is farther from the fit counts less
EVEN = 0.6  # height of peaks at one end over that at the other, from which on light is even
OUTLYING = 5.0  # times as high as the others at its depth, a peak is outlying
SURE = 5.0  # SDs: of peaks about the fit that an outlying one is beyond, and of the fit that a loss is beyond
UNLIKE = 0.5  # SD of the logarithm of peaks about the fit: beyond, spheres differ too much to tell light by them
MOST = 0.2  # of the volume may be about outlying peaks: more is another kind of spheres


class Seen(NamedTuple):
    """What is seen of spheres in one volume.

    beyond_noise : SDs by which the variance of what is filtered exceeds that of noise
    light : (z,), mean photons per voxel of each slice
    kept : (z,), height of peaks in each slice, of geometric mean 1; exactly 1 where it is even, or not told
    outlying : (n, 3) int, peaks that outshine the others, voxels
    """

    beyond_noise: float
    light: np.ndarray
    kept: np.ndarray
    outlying: np.ndarray


def seen(photons, sides, reach) -> Seen:
    """What is seen of spheres in a volume.

    Parameters
    ----------
    photons : float32 (z, y, x), spheres brighter than what is around them;  sides : (3,) of a voxel, diameters
    reach : (3,), how far an outlying sphere hides others, voxels
    """
    n, light = len(photons), photons.mean((1, 2))
    response, variance = _filtered(photons, sides)
    beyond, outlying = _beyond_noise(response, variance, sides), np.empty((0, 3), int)
    as_it_is = Seen(beyond, light, np.ones(n), outlying)
    if beyond < PRESENT:
        return as_it_is
    while True:
        at, height = _peaks(response, variance, sides)
        if len(at) < FEWEST:
            return as_it_is
        curve, scatter, error = _height(at[:, 0], height, n)
        if scatter > UNLIKE:
            return as_it_is
        high = np.log(height / curve[at[:, 0]]) > max(np.log(OUTLYING), SURE * scatter)
        if not high.any():
            even = np.ptp(np.log(curve)) < max(-np.log(EVEN), SURE * error)
            kept = np.ones(n) if even else curve / np.exp(np.log(curve).mean())
            return Seen(beyond, light, kept, outlying)
        # What it hid may outshine the others too: it is looked for where the brightest is taken away.
        outlying = np.concatenate([outlying, at[high]])
        hidden = within(photons.shape, outlying, reach)
        if hidden.mean() > MOST:
            return as_it_is
        response, variance = _filtered(filled(photons, hidden), sides)


def within(shape, places, reach):
    """Voxels (z, y, x), bool, within an ellipsoid of half axes `reach` (3,) about any of the places (n, 3), voxels."""
    nowhere = np.ones(shape, bool)
    nowhere[tuple(np.asarray(places).T)] = False
    return distance_transform_edt(nowhere, 1 / np.asarray(reach)) < 1


def filled(photons, hidden):
    """The volume with the median of its slice in place of hidden voxels, (z, y, x) bool."""
    photons = photons.copy()
    for image, away in zip(photons, hidden):
        if away.any():
            image[away] = np.median(image if away.all() else image[~away])
    return photons


def _filtered(photons, sides):
    """The filtered volume, and the variance (z,) that noise alone has in each of its slices."""
    # At the faces the filters see the mirror image: light that falls along z would have an edge there.
    z = np.arange(len(photons))
    trend = np.polynomial.Polynomial.fit(z, photons.mean((1, 2)), TREND)(z).astype(np.float32)
    even = photons - trend[:, None, None]
    narrow, wide = (gaussian(even, [width / side for side in sides]) for width in (NARROW, WIDE))
    ny, nx = (n // 2 * 2 for n in photons.shape[1:])
    a, b, c, d = (photons[:, i:ny:2, k:nx:2] for i in (0, 1) for k in (0, 1))
    noise = np.square(a - b - c + d).mean((1, 2), dtype=float) / 4  # nothing that is smooth over two pixels
    noise = np.maximum(noise, NOISELESS)
    response = narrow - wide
    # What the polynomial leaves of light that changes along z is no peak of any sphere.
    response -= np.maximum(np.median(response, axis=(1, 2)), 0)[:, None, None]
    return response, noise * _passed(sides, 2)


def _passed(sides, power):
    """Mean over all wave vectors q of a power of the filter, exp(-q² NARROW²/2) - exp(-q² WIDE²/2)."""
    total = 0.0
    for k in range(power + 1):
        variance = ((power - k) * NARROW**2 + k * WIDE**2) / np.square(sides)
        means = erf(np.pi * np.sqrt(variance / 2)) / np.sqrt(2 * np.pi * variance)  # of exp(-q² variance / 2), by axis
        total += (-1) ** k * comb(power, k) * means.prod()
    return total


def _beyond_noise(response, variance, sides):
    """SDs by which the variance of what is filtered exceeds that of noise, clear of the faces."""
    margins = [min(int(np.ceil(FACES / side)), (n - 1) // 2) for n, side in zip(response.shape, sides)]
    clear = tuple(slice(m, n - m) for n, m in zip(response.shape, margins))
    own = response[clear] - response[clear].mean((1, 2), keepdims=True)  # light that falls along z is no sphere
    excess = float(np.square(own).mean(dtype=float)) / variance[clear[0]].mean() - 1
    # Of a Gaussian field's mean square, and of the noise, which a quarter of the voxels tells.
    relative = 2 * _passed(sides, 4) / _passed(sides, 2) ** 2 / own.size + 8 / response.size
    return excess / np.sqrt(relative)


def _peaks(response, variance, sides):
    """Peaks (n, 3) beyond noise, voxels, and their heights (n,)."""
    size = [2 * int(APART / side) + 1 for side in sides]
    high = response > PEAK * np.sqrt(variance)[:, None, None]
    at = np.argwhere(high & (response == maximum_filter(response, size)))
    return at, response[tuple(at.T)]


def _height(slices, height, n):
    """How high peaks are in each slice (n,): exponential, as what absorption and bleaching leave.

    Few outlying peaks hardly move the fit, and beyond the last peaks nothing is told. Beside it stand the SD of the
    peaks' logarithms about it, by their median distance, and that of the logarithm of its two ends.
    """
    z, log = np.linspace(-1, 1, n), np.log(height)
    own, start = z[slices], [np.median(log), 0.0]
    fit = least_squares(lambda c: c[0] + c[1] * own - log, start, loss="soft_l1", f_scale=SPREAD)
    scatter = median_abs_deviation(fit.fun, scale="normal")
    curve = np.exp(fit.x[0] + fit.x[1] * np.clip(z, own.min(), own.max()))
    return curve, scatter, 2 * scatter / (np.sqrt(len(own)) * max(own.std(), 1e-9))
