"""Arrays of HDF5 files that somebody else wrote, found without opening any other file.

A stranger's file may name any other, whose bytes would come into the images: by a link, as external storage or as the
source of a virtual array.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py

from blurbench.files import on_disk

LINKS = 20  # that are followed on the way to one array; more go in a circle
SHOWN = 10  # arrays that are named where another was asked for


class Hdf5Error(ValueError):
    """A file that is not what it should be; `told` is what is wrong: file, key, found, expected."""

    def __init__(self, file: object, key: str, found: object, expected: object):
        super().__init__(f"{file}: {key}: found {found}, expected {expected}")
        self.told = file, key, found, expected


def opened(path: str | Path) -> h5py.File:
    """A file, to be read and closed. Raises Hdf5Error."""
    if found := on_disk.odd(path):
        raise Hdf5Error(path, "file", found, "a whole HDF5 file")
    try:
        return h5py.File(path, "r")
    except Exception as error:  # no HDF5, shorter than it says
        raise Hdf5Error(path, "file", f"no HDF5 that can be read ({error})", "a whole HDF5 file") from error


@contextlib.contextmanager
def decoding(path: str | Path, key: str) -> Iterator[None]:
    """Whatever a damaged file raises in the decoder becomes an error that says where."""
    try:
        yield
    except Hdf5Error:
        raise
    except Exception as error:  # h5py raises whatever HDF5 does
        raise Hdf5Error(path, key, f"nothing that can be read ({error})", "a whole HDF5 file") from error


def own_array(file: h5py.File, path: str | Path, key: str, expected: str = "an array") -> h5py.Dataset:
    """An array, unread, whose values lie in the file itself. Links within the file are followed.

    Parameters
    ----------
    file : what `opened` returned of `path`
    key : path of the array in the file
    expected : in words, for who finds no array there

    Raises
    ------
    Hdf5Error if there is none, with those that there are, or if it lies in another file, which is not even opened.
    """
    elsewhere = Hdf5Error(path, key, "an array that lies in another file", "one that holds its own values")
    with decoding(path, key):
        found, names, links = file, key.split("/"), 0
        while names:
            name = names.pop(0)
            if name in ("", "."):
                continue
            link = found.get(name, getlink=True) if isinstance(found, h5py.Group) else None
            if isinstance(link, h5py.ExternalLink):
                raise elsewhere
            if isinstance(link, h5py.SoftLink) and (links := links + 1) <= LINKS:
                found = file if link.path.startswith("/") else found
                names = [*link.path.split("/"), *names]
            elif isinstance(link, h5py.HardLink):
                found = found[name]
            else:
                raise Hdf5Error(path, key, "links in a circle" if link else "nothing", f"{expected}; {held(file)}")
        if not isinstance(found, h5py.Dataset):
            raise Hdf5Error(path, key, "a group", f"{expected}; {held(file)}")
        if found.external or found.is_virtual:
            raise elsewhere
    return found


def held(file: h5py.File) -> str:
    """Arrays of three axes or more that a file holds, in words; links are passed over."""
    found = []

    def note(name, item):
        if isinstance(item, h5py.Dataset) and item.ndim > 2:
            found.append(f"/{name} {item.shape}")
        return len(found) == SHOWN or None  # None goes on

    file.visititems(note)
    return f"the file holds {', '.join(found) or 'none of three axes'}"
