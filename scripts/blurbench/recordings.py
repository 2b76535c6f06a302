"""Movies from a microscope: read frame by frame, checked, and put into photons.

A movie is a TIFF stack, an OME-TIFF, an OME-Zarr or a folder of images. Nothing is held in memory but the frame in use.
Whatever is wrong with a movie or its calibration is a RecordingError that names the file, the key, what was found and
what was expected.
"""

import re
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
import zarr
from scipy.ndimage import median_filter, zoom
from skimage.io import imread

from blurbench.logs import progress

ESTIMATE = "estimate"
TOLERANCE = 0.01  # relative difference of the file's metadata from the configuration's calibration
MICROMETRES = {"m": 1e6, "meter": 1e6, "mm": 1e3, "millimeter": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0}
MICROMETRES |= {"micrometer": 1.0, "nm": 1e-3, "nanometer": 1e-3, "cm": 1e4, "centimeter": 1e4, "inch": 25400.0}
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "millisecond": 1e-3, "µs": 1e-6, "microsecond": 1e-6}
SECONDS |= {"us": 1e-6, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
MIN_FRAMES_TRANSFER = 8  # fewer do not tell a resting pixel from a moving one
STATIC = 1.5  # variance over all frames / variance from one frame to the next: 1 for a pixel where nothing moves
BINS = 20  # of the photon-transfer curve
RANGE = 0.2  # span of the grey values over their mean below which the curve has a slope but no usable intercept


class RecordingError(ValueError):
    """A movie or its calibration that cannot be used."""

    def __init__(self, file, key, found, expected):
        super().__init__(f"{file}: {key}: found {found}, expected {expected}")


@dataclass
class Movie:
    """Frames of a file: `len(movie)`, `movie.shape` (t, y, x) and `movie[i]`, read when asked for.

    pixel_size_um and frame_time_s are what the file says of itself, None where it is silent.
    """

    file: str
    shape: tuple
    dtype: np.dtype
    frame: Callable[[int], np.ndarray] = field(repr=False)
    pixel_size_um: float | None = None
    frame_time_s: float | None = None

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, i):
        """Frame i, (y, x).

        Raises RecordingError if it cannot be read, has a NaN, an infinite value or another shape than the first frame.
        """
        try:
            image = np.asarray(self.frame(i))
        except RecordingError:
            raise
        except Exception as error:  # whatever a truncated file raises in the decoder
            raise RecordingError(
                self.file, f"frame {i}", f"nothing that can be read ({error})", "a whole file"
            ) from error
        if image.shape != self.shape[1:]:
            raise RecordingError(self.file, f"frame {i}", f"the shape {image.shape}", f"{self.shape[1:]} as in frame 0")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            bad = int((~np.isfinite(image)).sum())
            raise RecordingError(
                self.file, f"frame {i}", f"{bad} pixels that are NaN or infinite", "numbers everywhere"
            )
        return image


def read(file) -> Movie:
    """Open a movie.

    Parameters
    ----------
    file : str or Path; TIFF stack, OME-TIFF, OME-Zarr (its highest resolution) or folder of images in natural order

    Returns
    -------
    Movie

    Raises
    ------
    RecordingError if there is no such file, no image in it, more than one channel, several long axes beside y and x,
    fewer than two frames, or a pixel type that is no real number.
    """
    path = Path(file)
    if not path.exists():
        raise RecordingError(
            file, "file", "nothing there", "a TIFF stack, an OME-TIFF, an OME-Zarr or a folder of images"
        )
    if path.is_file():
        movie = _tiff(path)
    elif any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray")):
        movie = _ome_zarr(path)
    else:
        movie = _folder(path)
    if movie.dtype.kind not in "uif":
        raise RecordingError(file, "pixel type", movie.dtype, "whole or floating-point numbers")
    if 0 in movie.shape:
        raise RecordingError(file, "file", f"an empty movie of shape {movie.shape}", "at least two frames (t, y, x)")
    if len(movie) < 2:
        raise RecordingError(file, "file", "one frame", "a movie of at least two frames (t, y, x)")
    return movie


def _tiff(path):
    with ExitStack() as opened:
        try:
            tiff = opened.enter_context(tifffile.TiffFile(path))
            series = tiff.series[0]
            pixels = zarr.open_array(series.aszarr(level=0), mode="r")
        except Exception as error:  # whatever a damaged file raises in the decoder
            raise RecordingError(
                path, "file", f"no image that can be read ({error})", "a TIFF stack or an OME-TIFF"
            ) from error
        # tifffile names pages without a meaning Q or I, and samples of one pixel S.
        select, shape = _time_first(path, series.axes, pixels.shape)
        movie = Movie(str(path), shape, pixels.dtype, lambda i: pixels[select(i)], *_tiff_calibration(tiff))
        weakref.finalize(movie, opened.pop_all().close)  # frames are read as long as there is a movie
    return movie


def _tiff_calibration(tiff):
    """Pixel size (µm) and frame time (s) from OME or ImageJ metadata, None where silent."""
    if tiff.ome_metadata:
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        return (
            _quantity(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "µm"), MICROMETRES),
            _quantity(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS),
        )
    if tiff.imagej_metadata:
        about = tiff.imagej_metadata
        resolution = tiff.pages[0].tags.get("XResolution")
        per_unit = resolution.value[0] / resolution.value[1] if resolution and resolution.value[1] else 0
        size = _quantity(1 / per_unit if per_unit else None, about.get("unit", "").replace("\\u00B5", "µ"), MICROMETRES)
        return size, _quantity(about.get("finterval"), "s", SECONDS)
    return None, None


def _quantity(value, unit, units):
    return float(value) * units[unit] if value and unit in units else None


def _ome_zarr(path):
    try:
        group = zarr.open_group(path, mode="r")
        attributes = group.attrs.get("ome", group.attrs)
        scales = attributes["multiscales"][0]
        level = scales["datasets"][0]
        pixels = group[level["path"]]
    except Exception as error:  # whatever a damaged store raises in the decoder
        raise RecordingError(
            path, "file", f"no multiscale image ({error})", "an OME-Zarr image (0.4 or 0.5)"
        ) from error
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in scales.get("axes", "tczyx")]
    select, shape = _time_first(path, "".join(axis["name"] for axis in axes).upper(), pixels.shape)
    scale = np.ones(len(axes))
    for change in [*level.get("coordinateTransformations", []), *scales.get("coordinateTransformations", [])]:
        scale = scale * change.get("scale", 1.0)
    known = {axis["name"]: (value, axis.get("unit")) for axis, value in zip(axes, scale)}
    return Movie(
        str(path), shape, pixels.dtype, lambda i: pixels[select(i)],
        _quantity(*known["x"], MICROMETRES), _quantity(*known.get("t", (None, None)), SECONDS),
    )  # fmt: skip


def _folder(path):
    files = sorted((f for f in path.iterdir() if f.is_file() and not f.name.startswith(".")), key=_natural)
    if not files:
        raise RecordingError(path, "file", "an empty folder", "a folder of images, one per frame")

    def frame(i):
        try:
            image = imread(files[i])
        except Exception as error:  # each format's plugin raises its own
            raise RecordingError(
                files[i], "file", f"no image that can be read ({error})", "images only in the folder"
            ) from error
        if image.ndim != 2:
            _refuse_colours(files[i], image.shape[-1])
        return image

    first = frame(0)
    return Movie(str(path), (len(files), *first.shape), first.dtype, frame)


def _natural(path):
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", path.name)]


def _refuse_colours(file, n):
    raise RecordingError(
        file, "channels", f"{n} channels (RGB or several colours)",
        "one grey channel: split the channels, keep the one that shows the spots and save it alone",
    )  # fmt: skip


def _time_first(file, axes, shape):
    """How to index frame i of an array with these axes, and the movie's shape (t, y, x).

    The one long axis beside y and x is time whatever its name, colours excepted: many programs save time as z.
    """
    if "Y" not in axes or "X" not in axes:
        raise RecordingError(file, "axes", repr(axes), "axes y and x")
    for axis, n in zip(axes, shape):
        if axis in "CS" and n > 1:
            _refuse_colours(file, n)
    long = [k for k, axis in enumerate(axes) if axis not in "YX" and shape[k] != 1]
    if len(long) > 1:
        found = ", ".join(f"{axes[k].lower()}: {shape[k]}" for k in long)
        raise RecordingError(file, "axes", f"several long axes ({found})", "time alone beside y and x: save one plane")
    time = long[0] if long else None
    if axes.index("Y") > axes.index("X"):
        raise RecordingError(file, "axes", repr(axes), "y before x")

    def select(i):
        return tuple(slice(None) if axis in "YX" else i if k == time else 0 for k, axis in enumerate(axes))

    return select, (1 if time is None else shape[time], shape[axes.index("Y")], shape[axes.index("X")])


class Transfer(NamedTuple):
    """Gain (ADU per electron) and offset (ADU) of a camera, and how they were found."""

    gain: float
    offset: float
    how: str


@dataclass
class Statistics:
    """Per pixel, over a movie: mean, variance, and variance from one frame to the next; each (y, x), ADU."""

    mean: np.ndarray
    variance: np.ndarray
    noise: np.ndarray  # half the mean square of successive differences: blind to what moves slowly


def statistics(movie: Movie) -> Statistics:
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
    return Statistics(first + mean, (squares - n * mean**2) / (n - 1), steps / (2 * (n - 1)))


def photon_transfer(movie: Movie, gain=ESTIMATE, offset=ESTIMATE, seen: Statistics | None = None) -> Transfer:
    """Gain and offset of a camera from the movie itself: noise against mean grey value, var = gain·(mean - offset).

    Only pixels in which nothing moves count. The noise is taken from successive frames, the line through the means of
    twenty groups of grey values by the median of pairwise slopes (Theil 1950, Sen 1968). The excess noise of an EM
    register counts as gain, read noise lowers the offset; the rounding to whole numbers is taken off.

    Limits: a movie of little range (bright field) gives the slope through a fixed offset only, and 'estimate' then
    takes 0 for the offset. Compressed or filtered movies have lost their shot noise: the gain comes out too small and
    means nothing; state photon-equivalent numbers instead.

    Parameters
    ----------
    movie : Movie
    gain, offset : number, or 'estimate'
    seen : what `statistics(movie)` returned, if it is at hand

    Raises
    ------
    RecordingError if a gain is asked of fewer than 8 frames, of a movie without noise or without resting pixels.
    """
    if gain != ESTIMATE and offset != ESTIMATE:
        return Transfer(float(gain), float(offset), "given")
    if len(movie) < MIN_FRAMES_TRANSFER:
        raise RecordingError(
            movie.file, "gain", f"{ESTIMATE!r} with {len(movie)} frames", f"a number, or {MIN_FRAMES_TRANSFER} frames"
        )
    seen = seen or statistics(movie)
    # A pixel at rest fluctuates as much from frame to frame as over the movie; its scatter sinks with the frames.
    static = (seen.noise > 0) & (seen.variance < (STATIC + 2 / np.sqrt(len(movie))) * seen.noise)
    if static.sum() < 10 * BINS:
        raise RecordingError(
            movie.file,
            "gain",
            f"{static.sum()} pixels with noise in which nothing moves",
            "a number: too few to estimate from",
        )
    mean, noise = seen.mean[static], seen.noise[static] - (1 / 12 if movie.dtype.kind in "ui" else 0)
    groups = np.array_split(np.argsort(mean), BINS)
    x, y = (np.array([values[g].mean() for g in groups]) for values in (mean, noise))
    pairs = np.triu_indices(BINS, 1)
    if offset == ESTIMATE:
        wide = np.ptp(x) > RANGE * x.mean() and np.corrcoef(x, y)[0, 1] > 0.9
        slope = float(np.median((y[pairs[1]] - y[pairs[0]]) / np.maximum(x[pairs[1]] - x[pairs[0]], 1e-12)))
        if gain != ESTIMATE:
            return Transfer(
                float(gain),
                float(np.median(x - y / gain)),
                f"offset from {static.sum()} resting pixels at the given gain",
            )
        if wide and slope > 0:
            return Transfer(
                slope,
                float(np.median(x - y / slope)),
                f"photon transfer over {static.sum()} resting pixels, {x[0]:.4g} to {x[-1]:.4g} ADU",
            )
        offset = 0.0
    slope = float(np.median(y / (x - offset)))
    if not (np.all(x > offset) and slope > 0):
        raise RecordingError(
            movie.file, "gain", f"no noise that grows with the grey value above the offset of {offset} ADU", "a number"
        )
    return Transfer(
        slope,
        float(offset),
        f"slope of the photon transfer through the offset {offset:g} ADU, {static.sum()} resting pixels; little range",
    )


def check_calibration(spec: dict, file) -> None:
    """Refuse a recording's entry whose calibration is missing or impossible.

    Raises
    ------
    RecordingError naming the first key that is wrong.
    """
    for key, unit in (("pixel_size_um", "µm"), ("frame_time_s", "s"), ("exposure_s", "s")):
        if not _is_number(spec.get(key)) or not spec[key] > 0:
            raise RecordingError(file, key, _shown(spec, key), f"a number above 0 ({unit})")
    if spec["exposure_s"] > spec["frame_time_s"] * (1 + 1e-9):
        raise RecordingError(
            file, "exposure_s", spec["exposure_s"], f"at most the frame time of {spec['frame_time_s']} s"
        )
    for key, possible, words in (
        ("gain", lambda v: v > 0, "above 0 (ADU per electron)"),
        ("offset", np.isfinite, "(ADU)"),
    ):
        if spec.get(key) != ESTIMATE and not (_is_number(spec.get(key)) and possible(spec[key])):
            raise RecordingError(file, key, _shown(spec, key), f"a number {words}, or {ESTIMATE!r}")
    if spec.get("polarity") not in ("bright", "dark"):
        raise RecordingError(
            file, "polarity", _shown(spec, "polarity"), "bright (spots lighter than their surroundings) or dark"
        )


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isfinite(value)


def _shown(spec, key):
    return repr(spec[key]) if spec.get(key) is not None else "nothing"


class Recording:
    """A movie in photons, spots as peaks: what a tracker works on.

    `signal(i)` is frame i above its background, `photons(i)` the same with the background on, as a camera would see it
    if the spots shone. For bright spots that is the movie itself. Dark spots on a bright field are reflected about the
    smooth background; of the bright field then nothing counts but its noise, so the background put under the spots is
    the level whose shot noise is the movie's (median over pixels of the frame-to-frame variance, photons²).

    Parameters
    ----------
    spec : entry of the configuration
    scale_px : distance beyond which structure is background, some ten spot diameters

    Raises
    ------
    RecordingError for whatever `read`, `check_calibration`, `statistics` and `photon_transfer` refuse, and for a file
    whose own calibration differs from the configuration's by more than 1 %.
    """

    def __init__(self, spec: dict, scale_px: float):
        file = spec.get("file")
        check_calibration(spec, file)
        self.movie, self.spec, self.scale_px = read(file), spec, scale_px
        for key in ("pixel_size_um", "frame_time_s"):
            inside = getattr(self.movie, key)
            if inside is not None and abs(inside / spec[key] - 1) > TOLERANCE:
                raise RecordingError(
                    file, key, f"{spec[key]:g} in the configuration", f"{inside:g} as in the file's own metadata"
                )
        self.seen = statistics(self.movie)
        self.transfer = photon_transfer(self.movie, spec["gain"], spec["offset"], self.seen)
        self.sign = 1 if spec["polarity"] == "bright" else -1

    def __len__(self):
        return len(self.movie)

    @cached_property
    def surroundings(self):
        """Smooth background (y, x), ADU: the median over `scale_px` of the mean image."""
        step = max(1, int(self.scale_px // 16))  # a median over some 16 x 16 samples is smooth enough
        coarse = median_filter(self.seen.mean[::step, ::step], size=max(3, int(self.scale_px / step)), mode="nearest")
        factors = np.array(self.seen.mean.shape) / coarse.shape
        return zoom(coarse, factors, order=1, mode="nearest", grid_mode=True)

    @property
    def level(self):
        """Background under the spots, photons: scalar for dark spots, (y, x) for bright ones."""
        if self.sign > 0:
            return (self.surroundings - self.transfer.offset) / self.transfer.gain
        return float(np.median(self.seen.noise)) / self.transfer.gain**2

    def signal(self, i):
        """Frame i above the background, photons, float32 (y, x)."""
        return (self.sign * (self.movie[i] - self.surroundings) / self.transfer.gain).astype(np.float32)

    def photons(self, i):
        """Frame i, photons, float32 (y, x)."""
        return self.signal(i) + np.asarray(self.level, np.float32)
