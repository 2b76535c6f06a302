"""Images in the formats of microscope makers: ND2 (Nikon), CZI (Zeiss) and LIF (Leica).

Each is read by a library of its own, which only who has such files installs (the extra `readers` of pyproject.toml), a
plane at a time.
"""

import math
import re
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from blurbench.microscopy.metadata import MICROMETRES, SECONDS, Stated, quantity
from blurbench.microscopy.ome_tiff import median
from blurbench.microscopy.recording_error import RecordingError
from blurbench.microscopy.stored_image import StoredImage, chosen

INSTALL = "pip install '.[readers]'"  # where pyproject.toml lies
GREY = {"Gray8": "u1", "Gray16": "u2", "Gray32Float": "f4", "Bgr24": "u1", "Bgr48": "u2", "Bgr96Float": "f4"}  # of CZI


def is_known(path: Path) -> bool:
    """Whether a file has the suffix of one of these formats."""
    return path.suffix.lower() in FORMATS


def open_image(path: Path, series) -> StoredImage:
    """Open an image of a file.

    Parameters
    ----------
    series : number or name of the stage position (ND2), scene (CZI) or image (LIF) in a file of several, else None

    Raises
    ------
    RecordingError if the library is not installed, for a file that it cannot read, and for `series` as
    `stored_image.chosen`.
    """
    suffix = path.suffix.lower()
    library, opened = FORMATS[suffix]
    try:
        reader = import_module(library)
    except ImportError as error:
        found = f"a {suffix} file, and no {library.split('.')[0]} that reads it ({error})"
        raise RecordingError(path, "file", found, f"this library ({INSTALL}), or a TIFF in its place") from error
    with ExitStack() as held:
        try:
            image = opened(reader, path, series, held)
        except RecordingError:
            raise
        except Exception as error:  # whatever a damaged file raises in the decoder
            raise RecordingError(path, "file", f"no image that can be read ({error})", f"a whole {suffix}") from error
        image.close = held.pop_all().close
    return image


def _nd2(reader, path, series, held):
    file = held.enter_context(reader.ND2File(path))
    if file.is_legacy:
        raise RecordingError(path, "file", "an ND2 of JPEG 2000, as before 2010", "one that is saved anew, or a TIFF")
    loops = {axis: n for axis, n in file.sizes.items() if axis not in "CYXS"}
    found, promised = file.attributes.sequenceCount, math.prod(loops.values())
    if found < promised:
        expected = f"{promised}, as its metadata say: the recording was stopped early, or a part is lost"
        raise RecordingError(path, "planes", found, expected)
    axes = [axis for axis in file.sizes if axis != "P"]
    shape = tuple(file.sizes[axis] for axis in axes)
    points = next((loop.parameters.points for loop in file.experiment if loop.type == "XYPosLoop"), [None])
    at = chosen(path, [(point.name if point else "", shape) for point in points], series)

    def number(**index):
        where = {**dict.fromkeys(loops, 0), **index, "P": at}
        return int(np.ravel_multi_index([where[axis] for axis in loops], list(loops.values()))) if loops else 0

    def part(index):
        # A copy: what is given lies in the file, which may be closed before.
        return np.array(file.read_frame(number(**{axis: i for axis, i in zip(axes, index) if axis in loops})))

    channel = file.metadata.channels[0]
    x, y, z = (
        size if known else None for size, known in zip(channel.volume.axesCalibration, channel.volume.axesCalibrated)
    )
    begun = _begun(file, (number(T=t) for t in range(loops.get("T", 1))))
    nominal = next((loop.parameters.periodMs for loop in file.experiment if loop.type == "TimeLoop"), None)
    between = quantity(median(np.diff(begun)) or nominal, "ms", SECONDS)
    exposures = set(re.findall(r"Exposure: ([\d.]+) (\w+)", file.text_info.get("capturing", "")))
    value, unit = exposures.pop() if len(exposures) == 1 else (None, None)
    about = {"channel": channel.channel.name} if channel.channel.name else {}
    stated = Stated(x, between, z, y, quantity(value, unit, SECONDS))
    return StoredImage("".join(axes), shape, file.dtype, part, stated, about, fill=0)  # 0 is what a lost frame is


def _begun(file, numbers):
    """When frames of an ND2 were begun, ms; none where it does not say so of each."""
    try:
        return [file.frame_metadata(number).channels[0].time.relativeTimeMs for number in numbers]
    except IndexError:  # what the library raises there
        return []


def _czi(reader, path, series, held):
    file = held.enter_context(reader.open_czi(str(path)))
    scenes = file.scenes_bounding_rectangle_no_pyramid or {None: file.total_bounding_rectangle_no_pyramid}
    sides = {axis: stop - start for axis, (start, stop) in file.total_bounding_box.items() if axis not in "XY"}
    kind = file.get_channel_pixel_type(0)
    if kind not in GREY:
        raise RecordingError(path, "pixel type", kind, ", ".join(GREY))
    colours = (3,) if kind.startswith("Bgr") else ()
    shapes = [(*sides.values(), area.h, area.w, *colours) for area in scenes.values()]
    at = chosen(path, [("" if scene is None else str(scene), shape) for scene, shape in zip(scenes, shapes)], series)
    scene, area = list(scenes.items())[at]

    def part(index):
        return file.read(area, dict(zip(sides, index)), scene)[..., 0]

    axes = "".join(sides) + "YX" + "S" * len(colours)
    stated, about = _of_czi(file.raw_metadata)
    return StoredImage(axes, shapes[at], np.dtype(GREY[kind]), part, stated, about, fill=0)  # 0 is what a lost tile is


def _of_czi(text) -> tuple[Stated, dict[str, Any]]:
    """From the metadata of a CZI: sizes in metres, the time that was asked for in seconds, exposures in nanoseconds."""
    if not text:
        return Stated(), {}
    root = ElementTree.fromstring(text)
    dimensions = "Metadata/Information/Image/Dimensions"
    x, y, z = (
        quantity(root.findtext(f"Metadata/Scaling/Items/Distance[@Id='{axis}']/Value"), "m", MICROMETRES)
        for axis in "XYZ"
    )
    between = quantity(root.findtext(f"{dimensions}/T/Positions/Interval/Increment"), "s", SECONDS)
    channel = root.find(f"{dimensions}/Channels/Channel")
    exposure = None if channel is None else quantity(channel.findtext("ExposureTime"), "ns", {"ns": 1e-9})
    name = None if channel is None else channel.get("Name")
    return Stated(x, between, z, y, exposure), {"channel": name} if name else {}


def _lif(reader, path, series, held):
    file = held.enter_context(reader.LifFile(path))
    images = list(file.images)
    image = images[chosen(path, [(one.name, one.shape) for one in images], series)]
    pixels = cache(lambda: image.asarray(out="memmap"))
    steps = {axis: abs(float(at[-1] - at[0])) / (len(at) - 1) for axis, at in image.coords.items() if len(at) > 1}
    x, y, z = (quantity(steps.get(axis), "m", MICROMETRES) for axis in "XYZ")
    between = _between(image) or quantity(steps.get("T"), "s", SECONDS)
    held_in = image.shape, image.dtype, lambda index: np.array(pixels()[index])
    return StoredImage("".join(image.dims), *held_in, Stated(x, between, z, y))


def _between(image):
    """Mean time from one frame of a LIF to the next, s, by its time stamps, which are whole milliseconds; or None."""
    others = [n for axis, n in image.sizes.items() if axis not in "YXS"]
    if "T" not in image.sizes or (begun := image.timestamps) is None or len(begun) != math.prod(others):
        return None
    first = np.moveaxis(begun.reshape(others), [a for a in image.sizes if a not in "YXS"].index("T"), 0)
    first = first.reshape(len(first), -1)[:, 0]
    return float((first[-1] - first[0]) / np.timedelta64(1, "s")) / (len(first) - 1) or None


FORMATS = {".nd2": ("nd2", _nd2), ".czi": ("pylibCZIrw.czi", _czi), ".lif": ("liffile", _lif)}
