"""Datasets on disk: Zarr 3 stores written shard by shard, with a manifest beside each, and read through windows.

One chunk is one item (what a method reads), one shard some hundreds of items (what the simulator writes), so memory
does not grow with the number of items. A store appears under its name only when it is whole.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import zarr

from blurbench import problems
from blurbench.files.atomic import replacing
from blurbench.planning.memory import CHUNK_ITEMS, CHUNK_MB

PREVIEWS = 3
LIMIT_MB = 4096  # of one item, or of one column of items: a file may declare any shape at no cost
AXIS_TYPES = {"t": "time", "view": "channel"}  # of OME-NGFF; the others are of space
NUMBERS = "biuf"  # kinds of values: none of them is decoded by running what the file says
KNOWN = ("problem", "axes", "voxel_size", "units")  # attributes that methods are given, beside what is known of `spec`
# Bits that noise does not reach compress well once they lie together: within 5 % of zstd, in half its time.
COMPRESSOR = zarr.codecs.BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle")


class DatasetError(ValueError):
    """A store or manifest that is missing, damaged or not what was expected."""


def write(
    store: str | Path,
    manifest: str | Path,
    header: dict,
    n: int,
    shard: int,
    shards: Iterable,
    gates: Callable[[pd.DataFrame, dict], dict] | None = None,
) -> None:
    """Write a dataset and its manifest.

    Parameters
    ----------
    header : the group's attributes: problem, dataset, split, seed, axes, voxel_size, units, spec; a voxel size may be
        the name of the column of `items` that holds it
    n : number of items;  shard : items a shard
    shards : iterable of (images (m, ...), items DataFrame of m rows, truth dict of arrays (m, ...)), m = shard but for
        the last; what it yields may be overwritten when the next is asked for
    gates : function (items, spec) -> dict for the manifest, with `passed`: what the items must fulfil as a whole

    Raises
    ------
    DatasetError if the shards do not add up to n items, or these do not pass the gates.
    """
    with replacing(store, manifest) as (partial, temporary):
        description = _fill(partial, store, header, n, shard, shards, gates)
        temporary.write_text(json.dumps(description, indent=1, sort_keys=True) + "\n")


def _fill(folder, store, header, n, shard, shards, gates):
    """Write what `write` is given into a new store; returns the content of its manifest."""
    group = zarr.create_group(folder, zarr_format=3, attributes=header)
    digests, done, first_images, columns = {}, 0, np.empty(0), {}
    for images, items, truth in shards:
        arrays = {"images": images, **{f"truth/{name}": a for name, a in truth.items()}}
        if done == 0:
            first_images = np.array(images[:PREVIEWS])
            columns = {name: np.empty(n, items[name].to_numpy().dtype) for name in items}
            for name, a in arrays.items():
                _create(group, name, n, shard, a)
                digests[name] = hashlib.blake2b(digest_size=16)
        for name, a in arrays.items():
            group[name][done : done + len(images)] = a
            digests[name].update(np.ascontiguousarray(a).data)
        for name, column in columns.items():
            column[done : done + len(images)] = items[name]
        done += len(images)
    if done != n:
        raise DatasetError(f"{store}: {done} items were made, {n} were expected")
    for name, column in columns.items():  # in one file each, as whoever opens the dataset reads all of them
        _create(group, f"items/{name}", n, n, column)
        group[f"items/{name}"][:] = column
        digests[f"items/{name}"] = hashlib.blake2b(column.data, digest_size=16)
    checked = {"gates": gates(pd.DataFrame(columns), header["spec"])} if gates and n else {}
    if checked and not checked["gates"]["passed"]:
        raise DatasetError(f"{store}: its items do not pass the gates: {json.dumps(checked['gates'])}")
    for i, image in enumerate(first_images):
        scale = [float(columns[size][i]) if isinstance(size, str) else size for size in header["voxel_size"][1:]]
        _preview(group, i, image, header, scale)
    return {
        **checked,
        **{k: header[k] for k in ("problem", "dataset", "split", "seed", "spec")},
        "items": n,
        "arrays": {
            name: {"shape": list(group[name].shape), "dtype": str(group[name].dtype), "blake2b": d.hexdigest()}
            for name, d in digests.items()
        },
        "versions": {p: version(p) for p in ("numpy", "numba", "zarr")},
    }


def _create(group, name, n, shard, a):
    image = name == "images"
    group.create_array(
        name,
        shape=(n, *a.shape[1:]),
        chunks=(1 if image else min(shard, n), *a.shape[1:]),
        shards=(min(shard, n), *a.shape[1:]) if image and min(shard, n) > 1 else None,
        dtype=a.dtype,
        compressors=COMPRESSOR,
    )


def _preview(group, i, image, header, scale):
    """One item as an OME-NGFF 0.5 image, so that viewers open it; an axis of no scale has no unit."""
    names, units = header["axes"][1:], header["units"][1:]
    axes = [{"name": a, "type": AXIS_TYPES.get(a, "space")} for a in names]
    axes = [{**axis, "unit": u} if s else axis for axis, u, s in zip(axes, units, scale)]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [float(s or 1) for s in scale]}]}]
    ome = {"version": "0.5", "multiscales": [{"name": f"item {i}", "axes": axes, "datasets": levels}]}
    item = group.create_group(f"preview/{i}", attributes={"ome": ome})
    array = item.create_array("0", shape=image.shape, chunks=image.shape, dtype=image.dtype, dimension_names=names)
    array[...] = image


class Simulated(NamedTuple):
    """A split of a dataset as a problem's `simulate.dataset` makes it.

    items : number of items
    shard : items that are made, and written, at a time
    header : attributes of the store: axes, units, voxel_size (numbers, or names of the columns that hold them)
    shards : iterator of (images, items, truth), as `write` takes them
    gates : function (items, spec) -> dict for the manifest, with `passed`: what the items must fulfil as a whole
    """

    items: int
    shard: int
    header: dict
    shards: Iterator
    gates: Callable | None = None


class Window:
    """Items start to stop of an array, read when indexed by a slice or an integer."""

    def __init__(self, array: Any, start: int, stop: int):
        self.array, self.start, self.stop = array, start, stop
        self.shape, self.dtype = (stop - start, *array.shape[1:]), array.dtype

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index):
        if isinstance(index, slice):
            rows = range(len(self))[index]
            a, b = (min(rows), max(rows) + 1) if rows else (0, 0)
            return np.asarray(self.array[self.start + a : self.start + b])[:: rows.step]
        return np.asarray(self.array[self.start + range(len(self))[index]])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)


class Dataset:
    """Items of one dataset, in memory or on disk.

    Attributes
    ----------
    attrs : dict (problem, dataset, split, seed, axes, voxel_size, units, spec); methods are given a part of it
    images : Window (item, ...)
    items : DataFrame, one row per item
    truth : dict of Windows; empty in what classical and learned methods are given
    """

    def __init__(
        self,
        attrs: dict,
        images: Any,
        items: pd.DataFrame,
        truth: dict[str, Any],
        start: int = 0,
        stop: int | None = None,
    ):
        stop = images.shape[0] if stop is None else stop
        self.attrs, self._all = attrs, (images, items, truth, start, stop)
        self.images = Window(images, start, stop)
        self.items = items.iloc[start:stop].reset_index(drop=True)
        self.truth = {name: Window(a, start, stop) for name, a in truth.items()}

    @classmethod
    def open(cls, store: str | Path) -> "Dataset":
        """Open a store for reading.

        Raises DatasetError if it is missing, lacks what a dataset has, holds anything but numbers, or declares shapes
        that disagree or that no memory holds.
        """
        try:
            # By name: listing members would stumble over the time stamp that a workflow leaves in the folder.
            described = json.loads(Path(store).with_suffix(".json").read_text())["arrays"]
            group = zarr.open_group(str(store), mode="r", zarr_format=3)
            arrays = {name: group[name] for name in ["images", *described]}
            for name, array in arrays.items():
                _judge(f"{store}/{name}", array, arrays["images"].shape[0])
            items = pd.DataFrame({n.split("/")[1]: a[:] for n, a in arrays.items() if n.startswith("items/")})
            truth = {n.split("/")[1]: a for n, a in arrays.items() if n.startswith("truth/")}
            return cls(dict(group.attrs), arrays["images"], items, truth)
        except DatasetError:
            raise
        except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise DatasetError(f"{store}: no whole dataset with its manifest was found there ({error})") from error

    @property
    def spec(self) -> dict:
        """The dataset's entry of the configuration, expanded, as the store keeps it; or what a method knows of it."""
        return self.attrs["spec"]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice) -> "Dataset":
        if not isinstance(index, slice) or index.step not in (None, 1):
            raise TypeError(f"a dataset is cut by slices without a step, not by {index!r}")
        images, items, truth, start, stop = self._all
        a, b, _ = index.indices(stop - start)
        return Dataset(self.attrs, images, items, truth, start + a, start + max(a, b))

    def chunks(self) -> Iterator["Dataset"]:
        """Windows of as many items as a method is given at a time, in order."""
        item_mb = math.prod(self.images.shape[1:]) * self.images.dtype.itemsize / 1e6
        size = int(np.clip(CHUNK_MB / item_mb, 1, CHUNK_ITEMS))
        for first in range(0, len(self), size):
            yield self[first : first + size]

    def blind(self) -> "Dataset":
        """The same items without their truth: all that a classical or learned method may see.

        The problem's PROBLEM names the columns of `items` and the keys of `spec` that a microscopist knows. Neither
        seed nor name nor split of the dataset is among them.
        """
        images, items, _, start, stop = self._all
        problem = problems.load(self.attrs["problem"])
        known = [column for column in problem.known if column in items]
        return Dataset(self._given(problem.known_spec), images, items[known], {}, start, stop)

    def training(self) -> "Dataset":
        """The same items with their truth, as methods train on them.

        Of `spec` it holds in whole what is known in part: whoever trains a method knows how its images were made, but
        not on what it will be tested, nor from which streams of random numbers.
        """
        images, items, truth, start, stop = self._all
        parts = {key.partition(".")[0] for key in problems.load(self.attrs["problem"]).known_spec}
        return Dataset(self._given(sorted(parts)), images, items, truth, start, stop)

    def with_spec(self, spec: dict) -> "Dataset":
        """The same items under another entry of the configuration."""
        images, items, truth, start, stop = self._all
        return Dataset({**self.attrs, "spec": spec}, images, items, truth, start, stop)

    def _given(self, keys):
        """Attributes, and of the entry these keys alone."""
        return {**{name: self.attrs[name] for name in KNOWN if name in self.attrs}, "spec": _part(self.spec, keys)}


def _part(entry, keys):
    """What keys such as "imaging.psf" name of nested mappings."""
    found: dict = {}
    for key in keys:
        first, _, rest = key.partition(".")
        if first in entry:
            found[first] = {**found.get(first, {}), **_part(entry[first], [rest])} if rest else entry[first]
    return found


def _judge(where, array, n):
    """Refuse an array by what it declares, before any memory is asked for."""
    if not isinstance(array, zarr.Array):
        raise DatasetError(f"{where}: found a group, expected an array")
    if array.dtype.kind not in NUMBERS:
        raise DatasetError(f"{where}: found values of type {array.dtype}, expected numbers")
    if array.ndim == 0 or array.shape[0] != n:
        raise DatasetError(f"{where}: found the shape {array.shape}, expected one entry for each of {n} items")
    read = array.shape[1:] if array.ndim > 1 else array.shape
    size = math.prod(map(float, read)) * array.dtype.itemsize / 1e6
    if size > LIMIT_MB:
        raise DatasetError(f"{where}: found {size:.4g} MB declared, expected at most {LIMIT_MB} MB at a time")


def damage(store: str | Path, manifest: str | Path) -> list[str]:
    """What differs between a store and its manifest, "file: found ..., expected ..."; empty if nothing does."""
    try:
        described = json.loads(Path(manifest).read_text())["arrays"]
        expected = {name: (about["shape"], about["dtype"], about["blake2b"]) for name, about in described.items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        return [f"{manifest}: found no manifest ({type(error).__name__}: {error}), expected shapes and checksums"]
    try:
        group = zarr.open_group(str(store), mode="r", zarr_format=3)
    except (OSError, KeyError, ValueError, TypeError) as error:
        return [f"{store}: found no Zarr group ({type(error).__name__}: {error}), expected that of {manifest}"]
    faults = (_array_damage(Path(store) / name, group, name, about) for name, about in expected.items())
    return [fault for fault in faults if fault]


def _array_damage(path, group, name, expected):
    """What is wrong with one array, None if nothing is; it names the chunk's file where that can be told."""
    shape, dtype, expected_checksum = expected
    try:
        array = group[name]
        found = [list(array.shape), str(array.dtype)]
    except Exception as error:  # whatever damaged metadata raise
        return f"{path}: found nothing that can be read ({type(error).__name__}: {error}), expected an array"
    if found != [shape, dtype]:
        return f"{path}: found {found[0]} {found[1]}, expected {shape} {dtype}"
    try:
        values = checksum(array)
    except _Unreadable as error:
        return f"{path / _chunk(array, error.chunk)}: found {error}, expected a chunk that can be read"
    if values == expected_checksum:
        return None
    # A chunk that holds nothing but the fill value has no file, so that one is missing is known only now.
    chunks = (path / _chunk(array, i) for i in range(-(-shape[0] // _rows(array))))
    if missing := next((chunk for chunk in chunks if not chunk.exists()), None):
        return f"{missing}: found no such file, expected a chunk of {name}"
    return f"{path}: found other values (blake2b {values}), expected {expected_checksum} as in the manifest"


class _Unreadable(ValueError):
    """A chunk, by its number along the first axis, that cannot be decoded."""

    def __init__(self, chunk, error):
        super().__init__(f"{type(error).__name__}: {error}")
        self.chunk = chunk


def checksum(array: Any) -> str:
    """BLAKE2b of an array's values, in the order of its items; read in parts of at most CHUNK_MB, or an item."""
    rows = _rows(array)
    item = max(array.nbytes // max(array.shape[0], 1), 1)
    step = int(np.clip(CHUNK_MB * 1e6 // item, 1, rows))
    digest = hashlib.blake2b(digest_size=16)
    for first in range(0, array.shape[0], rows):
        for start in range(first, min(first + rows, array.shape[0]), step):
            try:
                digest.update(np.ascontiguousarray(array[start : min(start + step, first + rows)]).data)
            except Exception as error:  # whatever a damaged chunk raises in the decoder
                raise _Unreadable(first // rows, error) from error
    return digest.hexdigest()


def _rows(array):
    """Items that lie in one file of an array."""
    return (array.shards or array.chunks)[0]


def _chunk(array, i):
    """Path of the file of the i-th chunk, or shard, along the first axis; no other axis is cut."""
    return array.metadata.encode_chunk_key((i, *[0] * (array.ndim - 1)))
