"""What a file of images says of its own calibration: OME-TIFF, ImageJ's TIFF, tifffile's "shaped" TIFF, OME-Zarr."""

import math
from typing import Any, NamedTuple

import numpy as np

from blurbench.microscopy import ome_tiff
from blurbench.microscopy.recording_error import RecordingError


def _spelt(units):
    """Units with their plurals and British spellings."""
    plural = {f"{name}s": value for name, value in units.items() if len(name) > 2}
    return units | plural | {name.replace("meter", "metre"): value for name, value in (units | plural).items()}


MICROMETRES = {"m": 1e6, "meter": 1e6, "mm": 1e3, "millimeter": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0}
MICROMETRES |= {"micrometer": 1.0, "nm": 1e-3, "nanometer": 1e-3, "cm": 1e4, "centimeter": 1e4, "inch": 25400.0}
MICROMETRES = _spelt(MICROMETRES | {"Å": 1e-4, "angstrom": 1e-4, "pm": 1e-6, "inches": 25400.0})
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "µs": 1e-6, "μs": 1e-6}
SECONDS |= {"us": 1e-6, "usec": 1e-6, "microsecond": 1e-6, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
SECONDS = _spelt(SECONDS)

INCH_OR_CM = {2: "inch", 3: "cm"}  # what a TIFF calls the units of its resolution
PRINTED = 5.0  # µm, of a pixel: a coarser resolution is that of a screen or a page

TIME = {"time": "t"}  # what else axes are called
AXES = "xyz"
TOLERANCE = 0.01  # relative difference of two statements of one size


class Stated(NamedTuple):
    """What a file says of itself, None where it is silent."""

    pixel_size_um: float | None = None
    frame_time_s: float | None = None
    slice_um: float | None = None
    row_um: float | None = None
    exposure_s: float | None = None


def of_tiff(tiff, series=0) -> Stated:
    """From the OME, ImageJ or "shaped" metadata of an open tifffile.TiffFile; in OME's of one of its images.

    Raises RecordingError where these state one size twice, and differently, or a size that is no number.
    """
    try:
        return _of_tiff(tiff, series)
    except RecordingError:
        raise
    except Exception as error:  # whatever the tags of a damaged file raise, and whatever they may hold
        raise RecordingError(
            tiff.filehandle.path, "metadata", f"a size that is no number ({error})", "numbers"
        ) from error


def _of_tiff(tiff, series):
    if tiff.ome_metadata:
        pixels = ome_pixels(tiff, series)
        x, y, z = (_physical(pixels, axis, pixels.get(f"PhysicalSize{axis.upper()}Unit", "µm")) for axis in AXES)
        between, exposure = ome_tiff.plane_times(pixels, SECONDS)
        nominal = quantity(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS)
        return Stated(x, between or nominal, z, y, exposure)
    about = description(tiff)
    unit = str(about.get("unit", "")).replace("\\u00B5", "µ")
    spacing = np.ravel(about.get("spacing", [])).tolist()  # of the slices alone, or along z, y and x
    known = {axis: [_physical(about, axis, unit or "µm")] for axis in AXES}
    for axis, value in zip("zyx", spacing):
        known[axis].append(quantity(value, unit, MICROMETRES))
    for axis in "xy":
        known[axis].append(_resolved(tiff, axis, unit))
    x, y, z = (_agreed(tiff, axis, known[axis]) for axis in AXES)
    return Stated(x, quantity(about.get("finterval"), about.get("tunit", "s"), SECONDS), z, y)


def description(tiff, series=0) -> dict[str, Any]:
    """What else is written into a file: the keys of an ImageJ or "shaped" TIFF; of an OME-TIFF its channel."""
    if tiff.ome_metadata:
        channel = ome_pixels(tiff, series).get("Channel", {})
        channel = next(iter(channel), None) if isinstance(channel, list) else channel
        name = channel.get("Name") if isinstance(channel, dict) else None
        return {"channel": name} if name else {}
    shaped = tiff.shaped_metadata
    return dict(shaped[0] if shaped else tiff.imagej_metadata or {})


def ome_pixels(tiff, series=0) -> dict[str, Any]:
    """What an OME-TIFF says of the pixels of one of its images; nothing where another file does."""
    images = ome_tiff.images(tiff)
    pixels = images[series].get("Pixels") if series < len(images) else None
    return pixels if isinstance(pixels, dict) else {}


def of_ome_zarr(axes, transformations) -> Stated:
    """From the axes ({"name", "unit"} each) of an OME-Zarr image and all coordinate transformations of its level.

    Raises ValueError, TypeError, AttributeError or OverflowError for what are none.
    """
    scale = np.ones(len(axes))
    for change in transformations:
        scale = scale * change.get("scale", 1.0)
    known: dict[str, tuple[Any, Any]] = {axis["name"]: (value, axis.get("unit")) for axis, value in zip(axes, scale)}
    silent: tuple[Any, Any] = (None, None)
    return Stated(
        quantity(*known["x"], MICROMETRES),
        quantity(*known.get("t", silent), SECONDS),
        quantity(*known.get("z", silent), MICROMETRES),
        quantity(*known["y"], MICROMETRES),
    )


def _physical(about, axis, unit):
    """Size along an axis in µm under OME's name for it, in any of the spellings that are about."""
    name = f"physicalsize{axis}"
    found = (value for key, value in about.items() if key.lower().replace("_", "") == name)
    return quantity(next(found, None), unit, MICROMETRES)


def _resolved(tiff, axis, unit):
    """Size of a pixel in µm by the resolution of a TIFF: in the unit that ImageJ writes beside it, else in its own."""
    page = tiff.pages[0]
    if tiff.is_imagej:
        return quantity(_pixel(page, axis), unit, MICROMETRES)
    own = page.tags.get("ResolutionUnit")
    size = quantity(_pixel(page, axis), INCH_OR_CM.get(own.value) if own else None, MICROMETRES)
    return size if size and size <= PRINTED else None


def _pixel(page, axis):
    """Size of a pixel, in the file's unit, from the resolution of a page; 1 is what a writer puts there unasked."""
    resolution = page.tags.get(f"{axis.upper()}Resolution")
    pixels, units = resolution.value if resolution else (0, 1)
    return units / pixels if pixels and pixels != units else None


def _agreed(tiff, axis, sizes):
    """The size that all statements of it agree on, None without any."""
    stated = [size for size in sizes if size is not None]
    if stated and max(stated) > min(stated) * (1 + TOLERANCE):
        found = " and ".join(f"{size:g} µm" for size in stated)
        raise RecordingError(tiff.filehandle.path, f"size of a voxel along {axis}", found, "one size in its metadata")
    return stated[0] if stated else None


def quantity(value, unit, units: dict[str, float]) -> float | None:
    """A number above or below 0 in the unit that `units` count, None where there is none or its unit is unknown.

    Raises ValueError or TypeError for what is no finite number.
    """
    name = str(unit).strip()
    scale = units.get(name.lower() if len(name) > 3 else name)  # a word, or a symbol, in which mm is not Mm
    if not value or not scale:
        return None
    if not math.isfinite(size := float(value) * scale):
        raise ValueError(f"{value} {name}")
    return size
