"""What a file of images says of its own calibration: OME-TIFF, ImageJ's TIFF, OME-Zarr."""

from typing import Any, NamedTuple

import numpy as np
import tifffile

MICROMETRES = {"m": 1e6, "meter": 1e6, "mm": 1e3, "millimeter": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0}
MICROMETRES |= {"micrometer": 1.0, "nm": 1e-3, "nanometer": 1e-3, "cm": 1e4, "centimeter": 1e4, "inch": 25400.0}
SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "millisecond": 1e-3, "µs": 1e-6, "microsecond": 1e-6}
SECONDS |= {"us": 1e-6, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}


class Stated(NamedTuple):
    """What a file says of itself, None where it is silent."""

    pixel_size_um: float | None = None
    frame_time_s: float | None = None
    slice_um: float | None = None


def of_tiff(tiff) -> Stated:
    """From the OME or ImageJ metadata of an open tifffile.TiffFile."""
    if tiff.ome_metadata:
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        return Stated(
            _quantity(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "µm"), MICROMETRES),
            _quantity(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"), SECONDS),
            _quantity(pixels.get("PhysicalSizeZ"), pixels.get("PhysicalSizeZUnit", "µm"), MICROMETRES),
        )
    if tiff.imagej_metadata:
        about = tiff.imagej_metadata
        resolution = tiff.pages[0].tags.get("XResolution")
        per_unit = resolution.value[0] / resolution.value[1] if resolution and resolution.value[1] else 0
        unit = about.get("unit", "").replace("\\u00B5", "µ")
        return Stated(
            _quantity(1 / per_unit if per_unit else None, unit, MICROMETRES),
            _quantity(about.get("finterval"), "s", SECONDS),
            _quantity(about.get("spacing"), unit, MICROMETRES),
        )
    return Stated()


def of_ome_zarr(axes, transformations) -> Stated:
    """From the axes ({"name", "unit"} each) of an OME-Zarr image and all coordinate transformations of its level."""
    scale = np.ones(len(axes))
    for change in transformations:
        scale = scale * change.get("scale", 1.0)
    known: dict[str, tuple[Any, Any]] = {axis["name"]: (value, axis.get("unit")) for axis, value in zip(axes, scale)}
    silent: tuple[Any, Any] = (None, None)
    return Stated(
        _quantity(*known["x"], MICROMETRES),
        _quantity(*known.get("t", silent), SECONDS),
        _quantity(*known.get("z", silent), MICROMETRES),
    )


def _quantity(value, unit, units):
    return float(value) * units[unit] if value and unit in units else None
