"""Gain and offset of a detector, from the noise of the recording itself: a movie's in time, a volume's in space."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from blurbench.files.logs import progress
from blurbench.microscopy.calibration import ESTIMATE
from blurbench.microscopy.frames import Frames
from blurbench.microscopy.recording_error import RecordingError

MIN_FRAMES_TRANSFER = 8  # fewer do not tell a resting pixel from a moving one
STATIC = 1.5  # variance over all frames / variance from one frame to the next: 1 for a pixel where nothing moves
BINS = 20  # of the photon-transfer curve
RANGE = 0.2  # span of the grey values over their mean below which the curve has a slope but no usable intercept


class Transfer(NamedTuple):
    """Gain (ADU per electron) and offset (ADU) of a camera, and how they were found."""

    gain: float
    offset: float
    how: str

    def __str__(self):
        return f"gain {self.gain:.4g} ADU per electron, offset {self.offset:.4g} ADU ({self.how})"


def median(transfers: list[Transfer]) -> Transfer:
    """Of several recordings by one detector the medians; of one, or where they are given, what it is."""
    gains, offsets, how = zip(*transfers)
    said = how[0] if len(how) == 1 or set(how) == {"given"} else f"medians of {len(how)} estimates"
    return Transfer(float(np.median(gains)), float(np.median(offsets)), said)


@dataclass
class PixelStatistics:
    """Per pixel, over a movie: mean, variance, and variance from one frame to the next; each (y, x), ADU."""

    mean: np.ndarray
    variance: np.ndarray
    noise: np.ndarray  # half the mean square of successive differences: blind to what moves slowly


def pixel_statistics(movie: Frames) -> PixelStatistics:
    """One pass over a movie; every frame is checked on the way (RecordingError)."""
    first = movie[0].astype(float)
    total, squares, steps = (np.zeros(movie.shape[1:]) for _ in range(3))
    last = first
    for i in progress(range(len(movie)), "read"):
        image = movie[i].astype(float)
        total += image - first  # sums of small numbers keep their digits
        squares += (image - first) ** 2
        steps += (image - last) ** 2
        last = image
    n = len(movie)
    mean = total / n
    return PixelStatistics(first + mean, (squares - n * mean**2) / (n - 1), steps / (2 * (n - 1)))


def photon_transfer(movie: Frames, gain=ESTIMATE, offset=ESTIMATE, pixels: PixelStatistics | None = None) -> Transfer:
    """Gain and offset of a camera from the movie itself: noise against mean grey value, var = gain·(mean - offset).

    Only pixels in which nothing moves count. The noise is taken from successive frames, the line through the means of
    twenty groups of grey values by the median of pairwise slopes (Theil 1950, Sen 1968). The excess noise of an EM
    register counts as gain, read noise lowers the offset; the rounding to whole numbers is taken off.

    Limits: a movie of little range (bright field, an even background) gives the slope through a stated offset only.
    Compressed or filtered movies have lost their shot noise: the gain comes out too small and
    means nothing; state photon-equivalent numbers instead.

    Parameters
    ----------
    movie : Frames
    gain, offset : number, or 'estimate'
    pixels : what `pixel_statistics(movie)` returned, if it is at hand

    Raises
    ------
    RecordingError if a gain is asked of fewer than 8 frames, of a movie without noise or without resting pixels, or
    with the offset of one whose grey values hardly differ.
    """
    if gain != ESTIMATE and offset != ESTIMATE:
        return Transfer(float(gain), float(offset), "given")
    if len(movie) < MIN_FRAMES_TRANSFER:
        raise RecordingError(
            movie.file, "gain", f"{ESTIMATE!r} with {len(movie)} frames", f"a number, or {MIN_FRAMES_TRANSFER} frames"
        )
    pixels = pixels or pixel_statistics(movie)
    # A pixel at rest fluctuates as much from frame to frame as over the movie; its scatter sinks with the frames.
    static = (pixels.noise > 0) & (pixels.variance < (STATIC + 2 / np.sqrt(len(movie))) * pixels.noise)
    if static.sum() < 10 * BINS:
        raise RecordingError(
            movie.file,
            "gain",
            f"{static.sum()} pixels with noise in which nothing moves",
            "a number: too few to estimate from",
        )
    mean, noise = pixels.mean[static], pixels.noise[static] - (1 / 12 if movie.dtype.kind in "ui" else 0)
    groups = np.array_split(np.argsort(mean, kind="stable"), BINS)
    x, y = (np.array([values[g].mean() for g in groups]) for values in (mean, noise))
    return _transfer_line(movie.file, x, y, gain, offset, f"{static.sum()} resting pixels")


def spatial_transfer(volume: np.ndarray, file, gain=ESTIMATE, offset=ESTIMATE) -> Transfer:
    """Gain and offset of a detector from one volume, as `photon_transfer` has them from a movie.

    The noise is that between neighbours: (a - b - c + d)/2 of every 2 x 2 pixels of a slice has the variance of a
    pixel, and what is smooth over two pixels has no part in it. So objects of a few pixels count as noise and make the
    gain too large. A photomultiplier, or an image that was averaged or stretched to 8 bits, counts in steps of its own;
    the gain is then that of a camera whose photons would have as much noise.

    Parameters
    ----------
    volume : (z, y, x), ADU
    file : named in errors
    gain, offset : number, or 'estimate'

    Raises
    ------
    RecordingError if a gain is asked of a volume without noise, or with the offset of one whose grey values hardly
    differ.
    """
    if gain != ESTIMATE and offset != ESTIMATE:
        return Transfer(float(gain), float(offset), "given")
    sums, differences = _of_neighbours(volume)
    if len(sums) >= 10 * BINS:
        rounding = 1 / 12 if volume.dtype.kind in "ui" else 0
        groups = np.array_split(np.argsort(sums, kind="stable"), BINS)
        mean = np.array([sums[g].mean(dtype=float) / 4 for g in groups])
        noise = np.array([(differences[g].astype(float) ** 2 / 4 - rounding).mean() for g in groups])
    if len(sums) < 10 * BINS or not noise.mean() > 0:
        raise RecordingError(file, "gain", f"{ESTIMATE!r} and a volume without noise", "a number")
    return _transfer_line(file, mean, noise, gain, offset, f"the noise between neighbours of {4 * len(sums)} pixels")


def _of_neighbours(volume):
    """a + b + c + d and a - b - c + d of every 2 x 2 pixels of a slice that are not saturated, each (n,).

    They are made slice by slice, as what is held of a volume may be gigabytes; 32 bits hold those of whole numbers of
    16 bits exactly.
    """
    ny, nx = (n // 2 * 2 for n in volume.shape[1:])
    exact = np.float32 if volume.dtype.kind in "ui" and volume.dtype.itemsize <= 2 else float
    highest = np.iinfo(volume.dtype).max if volume.dtype.kind in "ui" else np.inf
    sums, differences = (np.empty(len(volume) * ny * nx // 4, exact) for _ in range(2))
    n = 0
    for image in volume:
        a, b, c, d = (image[i:ny:2, k:nx:2].astype(float) for i in (0, 1) for k in (0, 1))
        known = np.maximum.reduce([a, b, c, d]) < highest  # a saturated pixel has no noise
        part = slice(n, n := n + int(known.sum()))
        sums[part], differences[part] = (a + b + c + d)[known], (a - b - c + d)[known]
    return sums[:n], differences[:n]


def _transfer_line(file, x, y, gain, offset, of) -> Transfer:
    """Line of noise y (ADU²) against mean grey value x (ADU), of BINS groups each; one of its values is sought or both.

    of : what the pixels are, in words
    """
    pairs = np.triu_indices(BINS, 1)
    if offset == ESTIMATE:
        wide = np.ptp(x) > RANGE * x.mean() and np.corrcoef(x, y)[0, 1] > 0.9
        slope = float(np.median((y[pairs[1]] - y[pairs[0]]) / np.maximum(x[pairs[1]] - x[pairs[0]], 1e-12)))
        if gain != ESTIMATE:
            return Transfer(float(gain), float(np.median(x - y / gain)), f"offset from {of} at the given gain")
        if wide and slope > 0:
            range_ = f"{x[0]:.4g} to {x[-1]:.4g} ADU"
            return Transfer(slope, float(np.median(x - y / slope)), f"photon transfer over {of}, {range_}")
        found = f"{ESTIMATE!r}, and resting grey values of {x[0]:.4g} to {x[-1]:.4g} ADU that do not tell it"
        raise RecordingError(file, "offset", found, "the grey value of a dark frame, 0 where that was taken off")
    above = x > offset
    slope = float(np.median(y[above] / (x[above] - offset))) if 2 * above.sum() > BINS else 0.0
    if not slope > 0:
        raise RecordingError(
            file, "gain", f"no noise that grows with the grey value above the offset of {offset} ADU", "a number"
        )
    how = f"slope of the photon transfer through the offset {offset:g} ADU, {of}"
    return Transfer(slope, float(offset), how)
