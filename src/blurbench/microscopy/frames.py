"""Movies and volumes from a microscope, read frame by frame and checked.

Either is a TIFF stack, an OME-TIFF, an OME-Zarr, an array of an HDF5 file, an ND2, CZI or LIF, or a folder of images.
Nothing is held in memory but the frame in use. Whatever is wrong with a file is a RecordingError that names the file,
the key, what was found and what was expected.
"""

import math
import re
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
import zarr
from skimage.io import imread

from blurbench.files import on_disk
from blurbench.microscopy import hdf5_image, metadata, ome_tiff, vendor_image
from blurbench.microscopy.metadata import TIME
from blurbench.microscopy.recording_error import RecordingError
from blurbench.microscopy.stored_image import StoredImage, chosen

LIMIT_MB = 4096  # of what is held in memory at once, a movie's frame or a whole volume: a file may declare any size
FEWEST = 0.01  # share of the chunks of a volume that must be there: one may be padded, not empty
MOST_CHUNKS = 2**16  # of which one frame is read
TIFF = (".tif", ".tiff")


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
    """Frames of a movie or slices of a volume, read when asked for.

    There are `len(frames)`, `frames.shape` (t or z, y, x) and `frames[i]`.

    pixel_size_um (along x), frame_time_s, slice_um, row_um (along y) and exposure_s are what the file says of itself,
    None where it is silent; `about` is what else is written into it (`metadata.description`); `points` is how many
    points in time it holds, of which these are the slices of one.
    """

    file: str
    shape: tuple
    dtype: np.dtype
    frame: Callable[[int], np.ndarray] = field(repr=False)
    kind: Kind = MOVIE
    pixel_size_um: float | None = None
    frame_time_s: float | None = None
    slice_um: float | None = None
    row_um: float | None = None
    exposure_s: float | None = None
    about: dict = field(default_factory=dict, repr=False)
    points: int = 1

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


def read(file, kind: Kind = MOVIE, series=None, point: int | None = None, array: str | None = None) -> Frames:
    """Open a movie or a volume.

    Parameters
    ----------
    file : str or Path; TIFF stack, OME-TIFF, OME-Zarr (its highest resolution), HDF5, ND2, CZI, LIF, or folder of
        images in natural order
    kind : MOVIE or VOLUME
    series : number, from 0, or name of the image in a file of several (TIFF; a position of an ND2, a scene of a CZI, an
        image of a LIF); None for the one of a file that holds one
    point : number, from 0, of the point in time in a file of volumes over time, which `Frames.points` counts; with None
        time beside depth is refused
    array : path of the image in an HDF5 file; None beside every other

    Returns
    -------
    Frames

    Raises
    ------
    RecordingError if there is no such file, no image in it or several, more than one channel, several long axes beside
    y and x, fewer than two frames or fewer than its metadata promise, numbers missing in the names of a folder, a pixel
    type that is no real number, or a declared size that no memory holds.
    """
    path = Path(file)
    if not path.exists():
        raise RecordingError(
            file, "file", "nothing there", "a TIFF stack, an OME-TIFF, an OME-Zarr, an HDF5 file or a folder of images"
        )
    hdf5 = path.is_file() and hdf5_image.is_hdf5(path)
    if array is not None and not hdf5:
        raise RecordingError(file, "array", repr(array), "no such key beside a file that is no HDF5")
    if hdf5:
        frames = _of_stored(path, kind, point, hdf5_image.open_image(path, array))
    elif path.is_file():
        opened = vendor_image.open_image if vendor_image.is_known(path) else _tiff
        frames = _of_stored(path, kind, point, opened(path, series))
    elif not path.is_dir():
        raise RecordingError(file, "file", on_disk.odd(path), "a file or a folder")
    elif any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray")):
        frames = _ome_zarr(path, kind, point)
    else:
        frames = _folder(path, kind)
    if frames.dtype.kind not in "uif":
        raise RecordingError(file, "pixel type", frames.dtype, "whole or floating-point numbers")
    held = frames.shape[1:] if kind is MOVIE else frames.shape
    check_size(file, held, frames.dtype, f"{kind.name}'s {kind.part}" if kind is MOVIE else kind.name)
    enough = f"at least two {kind.part}s ({kind.axis}, y, x)"
    if 0 in frames.shape:
        raise RecordingError(file, "file", f"an empty {kind.name} of shape {frames.shape}", enough)
    if len(frames) < 2:
        raise RecordingError(file, "file", f"one {kind.part}", f"a {kind.name} of {enough}")
    return frames


def check_size(file, shape, dtype, whole) -> None:
    """Refuse what a file declares before memory is asked for it.

    Parameters
    ----------
    shape, dtype : of what is read at once
    whole : what that is, in words

    Raises
    ------
    RecordingError if no memory holds it, or the file cannot.
    """
    if (size := math.prod(map(float, shape)) * dtype.itemsize / 1e6) > LIMIT_MB:
        raise RecordingError(file, "size", f"{size:.4g} MB declared for a {whole}", f"at most {LIMIT_MB} MB: cut it")
    if found := on_disk.overstated(size, file):
        raise RecordingError(file, "size", f"{found} for a {whole}", "a whole file")


def _of_stored(path, kind, point, image: StoredImage) -> Frames:
    """Frames of an image in a file that is closed when they are let go."""
    with ExitStack() as opened:
        opened.callback(image.close)
        if len(image.axes) != len(image.shape):
            found = f"{image.axes!r} of an array of shape {image.shape}"
            raise RecordingError(path, "axes", found, "a name of one letter for each axis")
        if image.chunk is not None:
            _check_layer(path, kind, image)
        select, shape, points = _frames_first(path, kind, image.axes, image.shape, point)

        def frame(i):
            part = image.part(select(i))
            # A volume may be padded; no camera's frame is even.
            if kind is MOVIE and image.fill is not None and (part == image.fill).all():
                found = f"{image.fill} everywhere: a chunk that is lost, or was never written"
                raise RecordingError(path, f"{kind.part} {i}", found, f"a whole {kind.name}")
            return part

        frames = Frames(str(path), shape, image.dtype, frame, kind, *image.stated, image.about, points)
        weakref.finalize(frames, opened.pop_all().close)  # they are read as long as there is an object
    return frames


def _check_layer(path, kind, image):
    """Refuse an image of whose chunks one frame takes more than memory holds, of each a note at least."""
    sides = [(-(-n // c) if axis in "YX" else 1, c) for axis, n, c in zip(image.axes, image.shape, image.chunk)]
    check_size(path, [n * c for n, c in sides], image.dtype, f"{kind.part} with what is packed with it")
    if (chunks := math.prod(n for n, _ in sides)) > MOST_CHUNKS:
        raise RecordingError(path, "chunks", f"{chunks} in one {kind.part}", f"at most {MOST_CHUNKS}")


def _tiff(path, series) -> StoredImage:
    with ExitStack() as opened:
        try:
            tiff = opened.enter_context(tifffile.TiffFile(path))
            if tiff.ome_metadata:
                ome_tiff.check_planes(tiff)
            number = chosen(path, [(str(one.name), one.shape) for one in tiff.series], series)
            found = tiff.series[number]
            pixels = zarr.open_array(found.aszarr(level=0), mode="r")
            check_size(path, pixels.chunks, pixels.dtype, "tile")
        except RecordingError:
            raise
        except Exception as error:  # whatever a damaged file raises in the decoder
            raise RecordingError(
                path, "file", f"no image that can be read ({error})", "a TIFF stack or an OME-TIFF"
            ) from error
        stated, about = metadata.of_tiff(tiff, number), metadata.description(tiff, number)
        # tifffile names pages without a meaning Q or I, and samples of one pixel S.
        image = StoredImage(found.axes, pixels.shape, pixels.dtype, pixels.__getitem__, stated, about)
        image.close = opened.pop_all().close
    return image


def _ome_zarr(path, kind, point):
    if odd := on_disk.odd_within(path):
        raise RecordingError(odd[0], "file", odd[1], "a store of plain files")
    try:
        group = zarr.open_group(path, mode="r")
        attributes = group.attrs.get("ome", group.attrs)
        scales = attributes["multiscales"][0]
        level = scales["datasets"][0]
        pixels = group[level["path"]]
        axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in scales.get("axes", "tczyx")]
        axes = [{**axis, "name": TIME.get(name := str(axis["name"]).lower(), name)} for axis in axes]
        changes = [*level.get("coordinateTransformations", []), *scales.get("coordinateTransformations", [])]
        stated, channels = metadata.of_ome_zarr(axes, changes), attributes.get("omero", {}).get("channels", [])
        about = {"channel": channels[0]["label"]} if channels and "label" in channels[0] else {}
        names = "".join(axis["name"] for axis in axes).upper()
        held = pixels.shape, pixels.dtype, pixels.__getitem__
        image = StoredImage(names, *held, stated, about, fill=pixels.fill_value)
        chunk, folder = pixels.shards or pixels.chunks, path / pixels.path
    except Exception as error:  # whatever a damaged store raises in the decoder, and whatever attributes may hold
        raise RecordingError(
            path, "file", f"no multiscale image ({type(error).__name__}: {error})", "an OME-Zarr image (0.4 or 0.5)"
        ) from error
    for at_once in (pixels.chunks, chunk):
        if 0 in at_once:
            raise RecordingError(path, "chunks", f"the shape {at_once}", "no side of 0")
        check_size(path, at_once, image.dtype, "chunk")
    frames = _of_stored(path, kind, point, image)
    if kind is VOLUME:
        check_size(path, frames.shape, frames.dtype, kind.name)
        _check_chunks(path, math.prod(-(-n // c) for n, c in zip(image.shape, chunk)), folder)
    return frames


def _check_chunks(path, declared, folder):
    """Refuse a volume most of whose chunks are not there. A movie's are missed when its frames are read."""
    if (enough := math.ceil(FEWEST * declared)) <= 1:
        return
    files = (file for file in folder.rglob("*") if file.is_file())
    if (found := sum(1 for _ in islice(files, enough))) < enough:
        raise RecordingError(path, "file", f"{found} files of {declared} chunks", "a whole store")


def _folder(path, kind):
    files = sorted((f for f in path.iterdir() if f.is_file() and not f.name.startswith(".")), key=natural)
    if not files:
        raise RecordingError(path, "file", "an empty folder", f"a folder of images, one per {kind.part}")
    if lost := _lost(files):
        shown = ", ".join(map(str, lost[:5])) + (" ..." if len(lost) > 5 else "")
        raise RecordingError(
            path, "names", f"no {kind.part} of number {shown}", f"every {kind.part}, one after another"
        )

    def frame(i):
        try:
            image = _image(files[i])
        except RecordingError:
            raise
        except Exception as error:  # each format's plugin raises its own
            raise RecordingError(
                files[i], "file", f"no image that can be read ({error})", "images only in the folder"
            ) from error
        if image.ndim == 3 and image.shape[-1] in (3, 4):
            _refuse_colours(files[i], image.shape[-1])
        if image.ndim != 2:
            hint = ", or `stacks: true` in the entry where each file is a stack" if kind is MOVIE else ""
            raise RecordingError(
                files[i], "shape", f"a stack of shape {image.shape}", f"one {kind.part} in each file{hint}"
            )
        return image

    first = frame(0)
    return Frames(str(path), (len(files), *first.shape), first.dtype, frame, kind)


def _image(file):
    """What one file of a folder holds; a TIFF's size, which its reader believes, is judged before."""
    if file.suffix.lower() not in TIFF:
        return imread(file)
    with tifffile.TiffFile(file) as tiff:
        check_size(file, tiff.series[0].shape, tiff.series[0].dtype, "picture")
        return tiff.asarray(series=0)


def natural(path):
    """Key by which files are sorted as people do: 2 before 10."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", path.name)]


def _lost(files):
    """Numbers that are missing in the names of files, if these are numbers of one count that lacks half at most."""
    names = [natural(file) for file in files]
    varies = [k for k in range(len(names[0])) if len({str(name[k : k + 1]) for name in names}) > 1]
    if len(varies) != 1 or any(len(name) != len(names[0]) or not isinstance(name[varies[0]], int) for name in names):
        return []
    numbers = [name[varies[0]] for name in names]
    step = math.gcd(*(b - a for a, b in pairwise(numbers))) or 1
    if (numbers[-1] - numbers[0]) // step >= 2 * len(numbers):
        return []
    return sorted(set(range(numbers[0], numbers[-1] + 1, step)) - set(numbers))


def _refuse_colours(file, n):
    raise RecordingError(
        file, "channels", f"{n} channels (RGB or several colours)",
        "one grey channel: split the channels, keep the one that shows the objects and save it alone",
    )  # fmt: skip


def _frames_first(file, kind, axes, shape, point):
    """How to index frame i of an array with these axes, the shape (frames, y, x), and how many points in time it has.

    The one long axis beside y and x is that of the frames whatever its name, colours excepted: many programs save time
    as z. Where a point in time is asked for, there may be an axis t beside it.
    """
    if "Y" not in axes or "X" not in axes:
        raise RecordingError(file, "axes", repr(axes), "axes y and x")
    for axis, n in zip(axes, shape):
        if axis in "CS" and n > 1:
            _refuse_colours(file, n)
    long = [k for k, axis in enumerate(axes) if axis not in "YX" and shape[k] != 1]
    over = axes.index("T") if point is not None and len(long) == 2 and "T" in {axes[k] for k in long} else None
    long = [k for k in long if k != over]
    if len(long) > 1:
        found = ", ".join(f"{axes[k].lower()}: {shape[k]}" for k in long)
        alone = {"t": "save one plane", "z": "save one point in time"}[kind.axis]
        expected = f"{kind.meaning} alone beside y and x" + ("" if point is None else ", or axes named t and z")
        raise RecordingError(file, "axes", f"several long axes ({found})", f"{expected}: {alone}")
    first = long[0] if long else None
    if axes.index("Y") > axes.index("X"):
        raise RecordingError(file, "axes", repr(axes), "y before x")
    if first is not None and first > axes.index("Y"):
        found = f"{axes!r}, the {kind.part}s along the axis {axes[first].lower()} behind y"
        raise RecordingError(file, "axes", found, f"({kind.axis}, y, x): turn it and save it anew")

    def select(i):
        at = {first: i, over: point}
        return tuple(slice(None) if axis in "YX" else at.get(k, 0) for k, axis in enumerate(axes))

    held = (1 if first is None else shape[first], shape[axes.index("Y")], shape[axes.index("X")])
    return select, held, 1 if over is None else shape[over]
