"""Movies and volumes from a microscope: read frame by frame, checked, and put into photons.

Either is a TIFF stack, an OME-TIFF, an OME-Zarr or a folder of images. Nothing is held in memory but the frame in use.
Whatever is wrong with a file or its calibration is a RecordingError that names the file, the key, what was found and
what was expected.

What a problem makes of its recordings stands in two modules of its folder: preparation (`prepare`: the items that its
methods take, as a dataset without truth) and measurement (`measure`, which returns a Measurement, and `draw`).
"""

import math
import re
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import tifffile
import zarr
from scipy.ndimage import median_filter, zoom
from skimage.io import imread

from blurbench.files.logs import progress

ESTIMATE = "estimate"
TOLERANCE = 0.01  # relative difference of the file's metadata from the configuration's calibration
MICROMETRES = {"m": 1e6, "meter": 1e6, "mm": 1e3, "millimeter": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0}
MICROMETRES |= {"micrometer": 1.0, "nm": 1e-3, "nanometer": 1e-3, "cm": 1e4, "centimeter": 1e4, "inch": 25400.0}
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "millisecond": 1e-3, "µs": 1e-6, "microsecond": 1e-6}
SECONDS |= {"us": 1e-6, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
MIN_FRAMES_TRANSFER = 8  # fewer do not tell a resting pixel from a moving one
STATIC = 1.5  # variance over all frames / variance from one frame to the next: 1 for a pixel where nothing moves
BINS = 20  # of the photon-transfer curve
LIMIT_MB = 4096  # of what is held in memory at once, a movie's frame or a whole volume: a file may declare any size
RANGE = 0.2  # span of the grey values over their mean below which the curve has a slope but no usable intercept


class RecordingError(ValueError):
    """A recording or its calibration that cannot be used."""

    def __init__(self, file, key, found, expected):
        super().__init__(f"{file}: {key}: found {found}, expected {expected}")


class Measurement(NamedTuple):
    """What the methods of a problem find in a recording.

    methods : one row per method
    details : one row per track, centre or whatever else the problem's answers are, and method
    reference : what can be said without a method or of all answers together: a mean squared displacement, g(r)
    """

    methods: pd.DataFrame
    details: pd.DataFrame
    reference: pd.DataFrame


class Kind(NamedTuple):
    """What the frames of a file are, in words, and the axis along which they follow each other."""

    name: str
    part: str
    axis: str
    meaning: str


MOVIE = Kind("movie", "frame", "t", "time")
VOLUME = Kind("volume", "slice", "z", "depth")


@dataclass
class Frames:
    """Frames of a movie or slices of a volume: `len(frames)`, `frames.shape` (t or z, y, x) and `frames[i]`, read when
    asked for.

    pixel_size_um, frame_time_s and slice_um are what the file says of itself, None where it is silent.
    """

    file: str
    shape: tuple
    dtype: np.dtype
    frame: Callable[[int], np.ndarray] = field(repr=False)
    kind: Kind = MOVIE
    pixel_size_um: float | None = None
    frame_time_s: float | None = None
    slice_um: float | None = None

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, i):
        """Frame i, (y, x).

        Raises RecordingError if it cannot be read, has a NaN, an infinite value or another shape than the first frame.
        """
        part = self.kind.part
        try:
            image = np.asarray(self.frame(i))
        except RecordingError:
            raise
        except Exception as error:  # whatever a truncated file raises in the decoder
            raise RecordingError(
                self.file, f"{part} {i}", f"nothing that can be read ({error})", "a whole file"
            ) from error
        if image.shape != self.shape[1:]:
            raise RecordingError(
                self.file, f"{part} {i}", f"the shape {image.shape}", f"{self.shape[1:]} as in {part} 0"
            )
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            bad = int((~np.isfinite(image)).sum())
            raise RecordingError(
                self.file, f"{part} {i}", f"{bad} pixels that are NaN or infinite", "numbers everywhere"
            )
        return image


def read(file, kind: Kind = MOVIE) -> Frames:
    """Open a movie or a volume.

    Parameters
    ----------
    file : str or Path; TIFF stack, OME-TIFF, OME-Zarr (its highest resolution) or folder of images in natural order
    kind : MOVIE or VOLUME

    Returns
    -------
    Frames

    Raises
    ------
    RecordingError if there is no such file, no image in it, more than one channel, several long axes beside y and x,
    fewer than two frames, a pixel type that is no real number, or a declared size that no memory holds.
    """
    path = Path(file)
    if not path.exists():
        raise RecordingError(
            file, "file", "nothing there", "a TIFF stack, an OME-TIFF, an OME-Zarr or a folder of images"
        )
    if path.is_file():
        frames = _tiff(path, kind)
    elif any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray")):
        frames = _ome_zarr(path, kind)
    else:
        frames = _folder(path, kind)
    if frames.dtype.kind not in "uif":
        raise RecordingError(file, "pixel type", frames.dtype, "whole or floating-point numbers")
    held = frames.shape[1:] if kind is MOVIE else frames.shape
    if (size := math.prod(map(float, held)) * frames.dtype.itemsize / 1e6) > LIMIT_MB:
        whole = f"{kind.name}'s {kind.part}" if kind is MOVIE else kind.name
        raise RecordingError(file, "size", f"{size:.4g} MB declared for a {whole}", f"at most {LIMIT_MB} MB: cut it")
    enough = f"at least two {kind.part}s ({kind.axis}, y, x)"
    if 0 in frames.shape:
        raise RecordingError(file, "file", f"an empty {kind.name} of shape {frames.shape}", enough)
    if len(frames) < 2:
        raise RecordingError(file, "file", f"one {kind.part}", f"a {kind.name} of {enough}")
    return frames


def _tiff(path, kind):
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
        select, shape = _frames_first(path, kind, series.axes, pixels.shape)
        frames = Frames(str(path), shape, pixels.dtype, lambda i: pixels[select(i)], kind, *_tiff_calibration(tiff))
        weakref.finalize(frames, opened.pop_all().close)  # they are read as long as there is an object
    return frames


def _tiff_calibration(tiff):
    """Pixel size (µm), frame time (s) and distance of slices (µm) from OME or ImageJ metadata, None where silent."""
    if tiff.ome_metadata:
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        return (
            _quantity(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "µm"), MICROMETRES),
            _quantity(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS),
            _quantity(pixels.get("PhysicalSizeZ"), pixels.get("PhysicalSizeZUnit", "µm"), MICROMETRES),
        )
    if tiff.imagej_metadata:
        about = tiff.imagej_metadata
        resolution = tiff.pages[0].tags.get("XResolution")
        per_unit = resolution.value[0] / resolution.value[1] if resolution and resolution.value[1] else 0
        unit = about.get("unit", "").replace("\\u00B5", "µ")
        return (
            _quantity(1 / per_unit if per_unit else None, unit, MICROMETRES),
            _quantity(about.get("finterval"), "s", SECONDS),
            _quantity(about.get("spacing"), unit, MICROMETRES),
        )
    return None, None, None


def _quantity(value, unit, units):
    return float(value) * units[unit] if value and unit in units else None


def _ome_zarr(path, kind):
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
    select, shape = _frames_first(path, kind, "".join(axis["name"] for axis in axes).upper(), pixels.shape)
    scale = np.ones(len(axes))
    for change in [*level.get("coordinateTransformations", []), *scales.get("coordinateTransformations", [])]:
        scale = scale * change.get("scale", 1.0)
    known = {axis["name"]: (value, axis.get("unit")) for axis, value in zip(axes, scale)}
    silent = (None, None)
    return Frames(
        str(path), shape, pixels.dtype, lambda i: pixels[select(i)], kind, _quantity(*known["x"], MICROMETRES),
        _quantity(*known.get("t", silent), SECONDS), _quantity(*known.get("z", silent), MICROMETRES),
    )  # fmt: skip


def _folder(path, kind):
    files = sorted((f for f in path.iterdir() if f.is_file() and not f.name.startswith(".")), key=_natural)
    if not files:
        raise RecordingError(path, "file", "an empty folder", f"a folder of images, one per {kind.part}")

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
    return Frames(str(path), (len(files), *first.shape), first.dtype, frame, kind)


def _natural(path):
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", path.name)]


def _refuse_colours(file, n):
    raise RecordingError(
        file, "channels", f"{n} channels (RGB or several colours)",
        "one grey channel: split the channels, keep the one that shows the objects and save it alone",
    )  # fmt: skip


def _frames_first(file, kind, axes, shape):
    """How to index frame i of an array with these axes, and the shape (frames, y, x).

    The one long axis beside y and x is that of the frames whatever its name, colours excepted: many programs save time
    as z.
    """
    if "Y" not in axes or "X" not in axes:
        raise RecordingError(file, "axes", repr(axes), "axes y and x")
    for axis, n in zip(axes, shape):
        if axis in "CS" and n > 1:
            _refuse_colours(file, n)
    long = [k for k, axis in enumerate(axes) if axis not in "YX" and shape[k] != 1]
    if len(long) > 1:
        found = ", ".join(f"{axes[k].lower()}: {shape[k]}" for k in long)
        alone = {"t": "save one plane", "z": "save one point in time"}[kind.axis]
        raise RecordingError(
            file, "axes", f"several long axes ({found})", f"{kind.meaning} alone beside y and x: {alone}"
        )
    first = long[0] if long else None
    if axes.index("Y") > axes.index("X"):
        raise RecordingError(file, "axes", repr(axes), "y before x")

    def select(i):
        return tuple(slice(None) if axis in "YX" else i if k == first else 0 for k, axis in enumerate(axes))

    return select, (1 if first is None else shape[first], shape[axes.index("Y")], shape[axes.index("X")])


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


def statistics(movie: Frames) -> Statistics:
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


def photon_transfer(movie: Frames, gain=ESTIMATE, offset=ESTIMATE, seen: Statistics | None = None) -> Transfer:
    """Gain and offset of a camera from the movie itself: noise against mean grey value, var = gain·(mean - offset).

    Only pixels in which nothing moves count. The noise is taken from successive frames, the line through the means of
    twenty groups of grey values by the median of pairwise slopes (Theil 1950, Sen 1968). The excess noise of an EM
    register counts as gain, read noise lowers the offset; the rounding to whole numbers is taken off.

    Limits: a movie of little range (bright field) gives the slope through a fixed offset only, and 'estimate' then
    takes 0 for the offset. Compressed or filtered movies have lost their shot noise: the gain comes out too small and
    means nothing; state photon-equivalent numbers instead.

    Parameters
    ----------
    movie : Frames
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
    return _transfer_line(movie.file, mean, noise, gain, offset, f"{static.sum()} resting pixels")


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
    RecordingError if a gain is asked of a volume without noise.
    """
    if gain != ESTIMATE and offset != ESTIMATE:
        return Transfer(float(gain), float(offset), "given")
    ny, nx = (n // 2 * 2 for n in volume.shape[1:])
    corners = [volume[:, i:ny:2, k:nx:2].astype(float) for i in (0, 1) for k in (0, 1)]
    highest = np.iinfo(volume.dtype).max if volume.dtype.kind in "ui" else np.inf
    known = np.max(corners, axis=0) < highest  # a saturated pixel has no noise
    a, b, c, d = (corner[known] for corner in corners)
    mean, noise = (a + b + c + d) / 4, (a - b - c + d) ** 2 / 4 - (1 / 12 if volume.dtype.kind in "ui" else 0)
    if len(mean) < 10 * BINS or not noise.mean() > 0:
        raise RecordingError(file, "gain", f"{ESTIMATE!r} and a volume without noise", "a number")
    return _transfer_line(file, mean, noise, gain, offset, f"the noise between neighbours of {4 * len(mean)} pixels")


def _transfer_line(file, mean, noise, gain, offset, of) -> Transfer:
    """Line of noise (ADU²) against mean grey value (ADU), one of each per pixel; at least one of its values is sought.

    of : what the pixels are, in words
    """
    groups = np.array_split(np.argsort(mean, kind="stable"), BINS)
    x, y = (np.array([values[g].mean() for g in groups]) for values in (mean, noise))
    pairs = np.triu_indices(BINS, 1)
    little = ""
    if offset == ESTIMATE:
        wide = np.ptp(x) > RANGE * x.mean() and np.corrcoef(x, y)[0, 1] > 0.9
        slope = float(np.median((y[pairs[1]] - y[pairs[0]]) / np.maximum(x[pairs[1]] - x[pairs[0]], 1e-12)))
        if gain != ESTIMATE:
            return Transfer(float(gain), float(np.median(x - y / gain)), f"offset from {of} at the given gain")
        if wide and slope > 0:
            range_ = f"{x[0]:.4g} to {x[-1]:.4g} ADU"
            return Transfer(slope, float(np.median(x - y / slope)), f"photon transfer over {of}, {range_}")
        offset, little = 0.0, "; little range"
    above = x > offset
    slope = float(np.median(y[above] / (x[above] - offset))) if 2 * above.sum() > BINS else 0.0
    if not slope > 0:
        raise RecordingError(
            file, "gain", f"no noise that grows with the grey value above the offset of {offset} ADU", "a number"
        )
    how = f"slope of the photon transfer through the offset {offset:g} ADU, {of}{little}"
    return Transfer(slope, float(offset), how)


def check_calibration(spec: dict, file) -> None:
    """Refuse a movie's entry whose calibration is missing or impossible.

    Raises
    ------
    RecordingError naming the first key that is wrong.
    """
    for key, unit in (("pixel_size_um", "µm"), ("frame_time_s", "s"), ("exposure_s", "s")):
        check_positive(spec, file, key, unit)
    if spec["exposure_s"] > spec["frame_time_s"] * (1 + 1e-9):
        raise RecordingError(
            file, "exposure_s", spec["exposure_s"], f"at most the frame time of {spec['frame_time_s']} s"
        )
    check_camera(spec, file)


def check_positive(spec: dict, file, key, unit, n=None) -> None:
    """Refuse an entry whose value is not a number above 0, or not a list of n of them. Raises RecordingError."""
    values = [spec.get(key)] if n is None else spec.get(key)
    expected = f"a number above 0 ({unit})" if n is None else f"{n} numbers above 0 ({unit})"
    is_list = isinstance(values, (list, tuple, np.ndarray)) and len(values) == (n or 1)
    if not is_list or not all(_is_number(v) and v > 0 for v in values):
        raise RecordingError(file, key, _shown(spec, key), expected)


def check_camera(spec: dict, file) -> None:
    """Refuse an entry whose gain, offset or polarity is missing or impossible. Raises RecordingError."""
    for key, possible, words in (
        ("gain", lambda v: v > 0, "above 0 (ADU per electron)"),
        ("offset", np.isfinite, "(ADU)"),
    ):
        if spec.get(key) != ESTIMATE and not (_is_number(spec.get(key)) and possible(spec[key])):
            raise RecordingError(file, key, _shown(spec, key), f"a number {words}, or {ESTIMATE!r}")
    if spec.get("polarity") not in ("bright", "dark"):
        raise RecordingError(
            file, "polarity", _shown(spec, "polarity"), "bright (objects lighter than their surroundings) or dark"
        )


def check_metadata(file, key, stated, inside) -> None:
    """Refuse a calibration that differs from what the file says of itself, None where it is silent."""
    if inside is not None and abs(inside / stated - 1) > TOLERANCE:
        raise RecordingError(file, key, f"{stated:g} in the configuration", f"{inside:g} as in the file's own metadata")


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
            check_metadata(file, key, spec[key], getattr(self.movie, key))
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
