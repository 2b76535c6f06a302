"""An image as an array of an HDF5 file, as ImageJ, ilastik, ImSwitch and beamlines write them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import h5py
import numpy as np

from blurbench.files import hdf5
from blurbench.microscopy.metadata import MICROMETRES, TIME, Stated, quantity
from blurbench.microscopy.recording_error import RecordingError
from blurbench.microscopy.stored_image import StoredImage

SUFFIXES = (".h5", ".hdf5", ".hdf")


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, or says so."""
    return path.suffix.lower() in SUFFIXES or h5py.is_hdf5(path)


def open_image(path: Path, name: str | None) -> StoredImage:
    """Open the array `name` of a file.

    Its axes are those of ilastik's `axistags`, or those that the labels of its dimensions name; else its last two, but
    for those of one pixel, are y and x. The size of a voxel is `element_size_um` (z, y, x), which ImageJ and ImSwitch
    write.

    Raises
    ------
    RecordingError if no array is named or there is none of that name, if it lies in another file, and for attributes
    that are none.
    """
    with ExitStack() as held, _told(path):
        file = held.enter_context(hdf5.opened(path))
        if name is None:
            with hdf5.decoding(path, "file"):
                expected = f"the path of one (array: PATH); {hdf5.held(file)}"
            raise RecordingError(path, "array", "no path in the entry", expected)
        array = hdf5.own_array(file, path, name)
        if array.shape is None:
            raise RecordingError(path, f"array {name}", "no values", "an image")
        with hdf5.decoding(path, name):
            about = {"stated": _stated(array), "chunk": array.chunks, "fill": array.fillvalue}
            image = StoredImage(_axes(array), array.shape, array.dtype, array.__getitem__, **about)
        image.close = held.pop_all().close
        return image


@contextmanager
def _told(path) -> Iterator[None]:
    """What is wrong with an HDF5 file as what is wrong with a recording."""
    try:
        yield
    except hdf5.Hdf5Error as error:
        _, key, found, expected = error.told
        raise RecordingError(path, key if key == "file" else f"array {key}", found, expected) from error


def _axes(array):
    """A letter for each axis, Q where none is known."""
    if (tags := array.attrs.get("axistags")) is not None:
        return "".join(str(axis["key"]) for axis in json.loads(tags)["axes"]).upper()
    # The attribute itself, for HDF5's own reader of labels does not survive a damaged one.
    found = np.ravel(array.attrs.get("DIMENSION_LABELS", [])).tolist()
    labels = [(label.decode() if isinstance(label, bytes) else str(label)).lower() for label in found]
    named = "".join(TIME.get(label, label) for label in labels).upper()
    if len(named) == array.ndim and {"Y", "X"} <= set(named):
        return named
    last = max((k for k, n in enumerate(array.shape) if n != 1), default=0)
    return f"{'Q' * (last - 1)}YX".ljust(array.ndim, "Q")


def _stated(array):
    """Sides of a voxel."""
    sizes = np.ravel(array.attrs.get("element_size_um", [])).tolist()
    if len(sizes) not in (0, 3):
        raise ValueError(f"element_size_um holds {len(sizes)} values, not z, y and x")
    z, y, x = (quantity(size, "µm", MICROMETRES) for size in sizes or [None] * 3)
    return Stated(x, slice_um=z, row_um=y)
