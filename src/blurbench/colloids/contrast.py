"""What the spheres of a volume show against its noise: whether there are any, how bright along z, what outshines them.

The image goes through the difference of two Gaussians, one narrower than a sphere and one wider. How much white noise
passes is known in closed form, so spheres are seen without a method or a model; and the peak of a sphere is as high as
its own contrast, whatever else is in the volume.
"""

from math import comb
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.optimize import least_squares
from scipy.special import erf
from scipy.stats import median_abs_deviation

from blurbench.microscopy.separable import TRUNCATE, correlated, gaussian

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
SLAB, BAND = 16, 64  # slices that are filtered at a time; of these, rows along z
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
    """What is seen of spheres in a volume, of which a few slices and what is left of it by the filter are held.

    Parameters
    ----------
    photons : float32 (z, y, x), of which slices are asked for; spheres brighter than what is around them
    sides : (3,) of a voxel, diameters
    reach : (3,), how far an outlying sphere hides others, voxels
    """
    n, outlying = photons.shape[0], np.empty((0, 3), int)
    light, response, variance = _filtered(photons, sides)
    as_it_is = Seen(beyond := _beyond_noise(response, variance, sides), light, np.ones(n), outlying)
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
        del response
        _, response, variance = _filtered(Filled(photons, hidden), sides)


def within(shape, places, reach):
    """Voxels (z, y, x), bool, within an ellipsoid of half axes `reach` (3,) about any of the places (n, 3), voxels."""
    inside, reach = np.zeros(shape, bool), np.asarray(reach, float)
    most = np.floor(reach).astype(int)
    away = np.meshgrid(*(np.arange(-m, m + 1) / r for m, r in zip(most, reach)), indexing="ij", sparse=True)
    ellipsoid = sum(x**2 for x in away) < 1
    for place in np.asarray(places):
        first, last = np.maximum(place - most, 0), np.minimum(place + most + 1, shape)
        own = tuple(map(slice, first - place + most, last - place + most))
        inside[tuple(map(slice, first, last))] |= ellipsoid[own]
    return inside


class Filled:
    """A volume (z, y, x) with the median of its slice in place of hidden voxels, made when slices are asked for.

    Parameters
    ----------
    photons : as of `seen`
    hidden : (z, y, x), bool
    """

    def __init__(self, photons, hidden):
        self.photons, self.hidden, self.shape = photons, hidden, hidden.shape
        self.medians = np.zeros(len(hidden), np.float32)
        for z in np.flatnonzero(hidden.any((1, 2))):
            image, away = photons[z : z + 1][0], hidden[z]
            self.medians[z] = np.median(image if away.all() else image[~away])

    def __getitem__(self, slices):
        return np.where(self.hidden[slices], self.medians[slices][:, None, None], self.photons[slices])


def _filtered(photons, sides):
    """Mean (z,) of each slice of a volume, the volume filtered, and the variance (z,) that noise alone has in that."""
    n, ny, nx = photons.shape
    light, noise = np.empty(n), np.empty(n)
    for z in range(n):
        image = photons[z : z + 1][0]
        light[z] = image.mean(dtype=float)
        a, b, c, d = (image[i : ny // 2 * 2 : 2, k : nx // 2 * 2 : 2] for i in (0, 1) for k in (0, 1))
        noise[z] = np.square(a - b - c + d).mean(dtype=float) / 4  # nothing that is smooth over two pixels
    # At the faces the filters see the mirror image: light that falls along z would have an edge there.
    z = np.arange(n)
    trend = np.polynomial.Polynomial.fit(z, light, TREND)(z).astype(np.float32)
    narrow, wide = ([width / side for side in sides] for width in (NARROW, WIDE))
    response = np.empty(photons.shape, np.float32)
    for first in range(0, n, SLAB):
        part = slice(first, first + SLAB)
        response[part] = _slab(photons, trend, narrow, part)
        response[part] -= _slab(photons, trend, wide, part)
    for image in response:
        # What the polynomial leaves of light that changes along z is no peak of any sphere.
        image -= max(np.median(image), 0)
    return light, response, np.maximum(noise, NOISELESS) * _passed(sides, 2)


def _slab(photons, trend, sd, part):
    """Some slices of a volume without its trend (z,) through a Gaussian of SDs along z, y, x."""
    reach = int(TRUNCATE * sd[0] + 0.5)
    mirrored = np.pad(np.arange(len(trend)), reach, "symmetric")[part.start : part.stop + 2 * reach]
    low = mirrored.min()
    around = photons[low : mirrored.max() + 1] - trend[low : mirrored.max() + 1, None, None]
    point = np.zeros(2 * reach + 1)
    point[reach] = 1
    profile, smooth = gaussian(point, sd[:1]), np.empty((len(mirrored) - 2 * reach, *around.shape[1:]), np.float32)
    for first in range(0, smooth.shape[1], BAND):
        rows = slice(first, first + BAND)
        smooth[:, rows] = correlated(around[mirrored - low, rows], profile, 0, -reach)
    for image in smooth:
        image[:] = gaussian(image, sd[1:])
    return smooth


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
    own = response[clear]
    # Each slice's variance, as light that falls along z is no sphere.
    excess = np.mean([image.var(dtype=float) for image in own]) / variance[clear[0]].mean() - 1
    # Of a Gaussian field's mean square, and of the noise, which a quarter of the voxels tells.
    relative = 2 * _passed(sides, 4) / _passed(sides, 2) ** 2 / own.size + 8 / response.size
    return excess / np.sqrt(relative)


def _peaks(response, variance, sides):
    """Peaks (n, 3) beyond noise, voxels, and their heights (n,)."""
    apart = [int(APART / side) for side in sides]
    found = []
    for first in range(0, len(response), SLAB):
        low = max(first - apart[0], 0)
        slab = response[low : first + SLAB + apart[0]]
        highest = maximum_filter(slab, [2 * one + 1 for one in apart])[first - low :][:SLAB]
        own = response[first : first + SLAB]
        high = own > PEAK * np.sqrt(variance[first : first + SLAB])[:, None, None]
        found.append(np.argwhere(high & (own == highest)) + [first, 0, 0])
    at = np.concatenate(found)
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
