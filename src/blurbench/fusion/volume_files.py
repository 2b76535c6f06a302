"""Files of light-sheet volumes: those of the challenge and the usual ones read, answers written in their likeness.

The challenge's are TIFFs of ImageJ or of tifffile ("shaped"), in pairs of `<name>_angle.tif` and `<name>_fused.tif`,
whose metadata spell one thing in several ways (`blurbench.microscopy.metadata`). What is wrong with a file is told of
its header, before pixels are read.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import tifffile
import zarr

from blurbench.microscopy import frames, hdf5_image, vendor_image
from blurbench.microscopy.calibration import check_metadata
from blurbench.microscopy.frames import Frames
from blurbench.microscopy.recording_error import RecordingError

SUFFIXES = (".ome.tif", ".ome.tiff", ".tif", ".tiff", ".ome.zarr", ".zarr")
VIEW, FUSED = "_angle", "_fused"  # what the challenge's names end with
CHANNELS = {"nucleus": "nuclei", "nuclei": "nuclei", "membrane": "membranes", "membranes": "membranes"}
AXES = "ZYX"
LIMIT = 2**31 // 4  # voxels: a chunk of float32 numbers holds no more
TILE, CHUNK = (128, 128), (64, 256, 256)  # pixels of a TIFF's tile, as in the challenge; voxels of a Zarr's chunk
# Keys that ImageJ writes of its display and of the layout of its file, which another file has of its own.
IMAGEJ = {"ImageJ", "images", "slices", "frames", "channels", "hyperstack", "mode", "loop", "min", "max", "shape"}


class Pair(NamedTuple):
    """The file of a view and that of the volume fused from all views, None where there is none."""

    view: Path
    fused: Path | None

    @property
    def name(self) -> str:
        """What answers to this view are called."""
        return self.view.name


def pairs(path) -> list[Pair]:
    """The views in a folder, in natural order, or the one that is named; each with its fused volume.

    Raises RecordingError if there is no such file, or none in the folder.
    """
    path = Path(path)
    if path.is_file() and (vendor_image.is_known(path) or hdf5_image.is_hdf5(path)):
        raise RecordingError(
            path, "file", f"a file {path.suffix}", f"a volume ({', '.join(SUFFIXES)}) or a folder of them"
        )
    alone = path.is_file() or (path.is_dir() and path.name.endswith(".zarr"))
    if not alone and not path.is_dir():
        raise RecordingError(path, "file", "nothing there", f"a volume ({', '.join(SUFFIXES)}) or a folder of them")
    folder = path.parent if alone else path
    stems = {_stem(file): file for file in sorted(folder.iterdir(), key=frames.natural) if file.name.endswith(SUFFIXES)}
    views = {_stem(path): path} if alone else {s: file for s, file in stems.items() if not s.endswith(FUSED)}
    if not views:
        raise RecordingError(path, "file", "no volume in the folder", f"files that end with {', '.join(SUFFIXES)}")
    return [Pair(file, stems.get(stem.removesuffix(VIEW) + FUSED)) for stem, file in views.items()]


def _stem(file):
    return file.name.removesuffix(next((suffix for suffix in SUFFIXES if file.name.endswith(suffix)), ""))


def read(file) -> Frames:
    """Open a volume and judge its header.

    Raises
    ------
    RecordingError for whatever `frames.read` refuses; for metadata that state other axes or another shape than the
    pixels have, z that is not the first axis among them; for a volume that is too large.
    """
    volume = frames.read(file, frames.VOLUME)
    if (axes := volume.about.get("axes")) is not None:
        stated = "".join(map(str, axes)).upper() if isinstance(axes, str | list) else str(axes)
        order = "".join(axis for axis in stated if axis in AXES)
        if order != AXES:
            raise RecordingError(file, "axes", f"{stated!r} in its metadata", f"{AXES!r}: turn it and save it anew")
    if (shape := volume.about.get("shape")) is not None and _extents(shape) != _extents(volume.shape):
        raise RecordingError(file, "shape", f"{shape} in its metadata", f"{volume.shape}, that of its pixels")
    if (voxels := math.prod(volume.shape)) > LIMIT:
        raise RecordingError(file, "size", f"{voxels / 1e6:.0f} million voxels", f"at most {LIMIT / 1e6:.0f}: cut it")
    return volume


def _extents(shape):
    """Numbers in a shape, or in its text, but for axes of one voxel."""
    return [n for n in re.findall(r"\d+", str(shape)) if n != "1"]


def spacing_of(volume: Frames, stated=None) -> tuple[float, float, float]:
    """Distances of neighbouring voxels along z, y and x in µm, as a volume's file or the configuration has them.

    Parameters
    ----------
    volume : of `read`
    stated : (3,) of the configuration, None where that leaves it to the file

    Raises
    ------
    RecordingError if neither says it, if they differ, or if pixels are not square.
    """
    inside = (volume.slice_um, volume.row_um or volume.pixel_size_um, volume.pixel_size_um)
    if stated is None and None in inside:
        missing = " and ".join(axis for axis, size in zip("zyx", inside) if size is None)
        raise RecordingError(
            volume.file, "spacing_um", f"nothing along {missing}, neither in its metadata nor in the configuration",
            "µm from voxel to voxel along z, y and x",
        )  # fmt: skip
    for ours, own in zip(stated or (), inside):
        check_metadata(volume.file, "spacing_um", ours, own)
    z, y, x = stated or inside
    if not min(z, y, x) > 0:
        raise RecordingError(volume.file, "spacing_um", f"{z:g}, {y:g} and {x:g} µm", "numbers above 0")
    if not math.isclose(y, x, rel_tol=0.01):
        raise RecordingError(volume.file, "spacing_um", f"pixels of {y:g} x {x:g} µm", "square pixels")
    return float(z), float(y), float(x)


def channel_of(volume: Frames, stated=None) -> str:
    """What a volume shows, nuclei or membranes: as the configuration, its metadata or its name says.

    Raises RecordingError where none of them says it, or two say different things.
    """
    told = {"the configuration": stated, "its metadata": volume.about.get("channel")}
    told["its name"] = next((word for word in Path(volume.file).name.lower().split("_") if word in CHANNELS), None)
    known = {where: CHANNELS[str(word).lower()] for where, word in told.items() if str(word).lower() in CHANNELS}
    if len(set(known.values())) != 1:
        found = " and ".join(f"{channel} in {where}" for where, channel in known.items()) or "nothing that says it"
        raise RecordingError(volume.file, "channel", found, "nuclei or membranes")
    return next(iter(known.values()))


def check_pair(view: Frames, fused: Frames) -> None:
    """Refuse a fused volume that does not belong to a view. Raises RecordingError."""
    if view.shape != fused.shape:
        raise RecordingError(fused.file, "shape", fused.shape, f"{view.shape} as of {Path(view.file).name}")
    for name, key in (("slice_um", "z"), ("row_um", "y"), ("pixel_size_um", "x")):
        ours, own = getattr(view, name), getattr(fused, name)
        if ours and own and not math.isclose(ours, own, rel_tol=0.01):
            expected = f"{ours:g} as in {Path(view.file).name}: correct the one that is wrong"
            raise RecordingError(fused.file, f"spacing along {key}", f"{own:g} µm in its metadata", expected)


def write(path, grey, like: Frames, spacing_um) -> None:
    """Write a volume with the metadata of another: a BigTIFF, or an OME-Zarr 0.5 where that one is an OME-Zarr.

    Parameters
    ----------
    path : ends as that one's does; an OME-TIFF stays one
    grey : (z, y, x)
    like : of `read`
    spacing_um : (3,)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    z, y, x = spacing_um
    sizes = {"PhysicalSizeZ": z, "PhysicalSizeY": y, "PhysicalSizeX": x}
    if path.name.endswith(".zarr"):
        return _write_zarr(path, grey, like.about.get("channel"), spacing_um)
    if path.name.endswith(SUFFIXES[:2]):
        channel = like.about.get("channel")
        about = {"axes": AXES, **sizes, **({"Channel": {"Name": channel}} if channel else {})}
    else:
        plain = {k: v for k, v in like.about.items() if k not in IMAGEJ and isinstance(v, str | int | float | list)}
        about = {"spacing": z, "unit": "um", **sizes, **plain, "axes": AXES}
    tifffile.imwrite(
        path, grey, bigtiff=True, tile=TILE, photometric="minisblack", resolution=(1 / x, 1 / y), metadata=about
    )


def _write_zarr(path, grey, channel, spacing_um):
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in AXES.lower()]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": list(spacing_um)}]}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    if channel:
        ome["omero"] = {"channels": [{"label": channel}]}
    group = zarr.create_group(path, zarr_format=3, overwrite=True, attributes={"ome": ome})
    chunks = tuple(min(n, most) for n, most in zip(grey.shape, CHUNK))
    group.create_array("0", shape=grey.shape, chunks=chunks, dtype=grey.dtype, dimension_names=list(AXES.lower()))[
        :
    ] = grey
