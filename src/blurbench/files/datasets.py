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
from blurbench.files import on_disk
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
    digests, done, columns = {}, 0, {}
    for images, items, truth in shards:
        arrays = {"images": images, **{f"truth/{name}": a for name, a in truth.items()}}
        if done == 0:
            columns = {name: np.empty(n, items[name].to_numpy().dtype) for name in items}
            for name, a in arrays.items():
                _create(group, name, n, shard, a)
                digests[name] = hashlib.blake2b(digest_size=16)
        for name, a in arrays.items():
            group[name][done : done + len(images)] = a
            digests[name].update(np.ascontiguousarray(a).data)
        for name, column in columns.items():
            column[done : done + len(images)] = items[name]
        for i, image in enumerate(images[: PREVIEWS if done == 0 else 0]):
            scale = [float(columns[size][i]) if isinstance(size, str) else size for size in header["voxel_size"][1:]]
            _preview(group, i, image, header, scale)
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
            return self._read(slice(self.start + a, self.start + b))[:: rows.step]
        return self._read(self.start + range(len(self))[index])

    def _read(self, index):
        """Items of the array. Raises DatasetError, which names the array's folder, for a chunk that is damaged."""
        try:
            return np.asarray(self.array[index])
        except Exception as error:  # whatever a damaged chunk raises in the decoder
            if not isinstance(self.array, zarr.Array):
                raise
            which = f"items {index.start} to {index.stop - 1}" if isinstance(index, slice) else f"item {index}"
            raise DatasetError(_unread(f"{_folder(self.array)}: {which}", error)) from error

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

        Raises DatasetError if it is missing, lacks what a dataset has, holds anything but numbers and plain files, or
        declares shapes that disagree, that are not the manifest's, or that neither memory nor its files hold.
        """
        manifest = Path(store).with_suffix(".json")
        try:
            if odd := on_disk.odd_store(store, manifest):
                raise ValueError(odd)
            described = dict(json.loads(manifest.read_text())["arrays"])
            group = zarr.open_group(str(store), mode="r", zarr_format=3)
            # By name: listing members would stumble over the time stamp that a workflow leaves in the folder.
            arrays = {name: group[name] for name in ["images", *described]}
            attrs = dict(group.attrs)
        except Exception as error:  # whatever damaged metadata raise
            raise DatasetError(f"{store}: no whole dataset with its manifest was found there ({error})") from error
        judge(f"{store}/images", arrays["images"])
        for about in ({}, described):  # what no memory holds is told before what is not the manifest's
            for name, array in arrays.items():
                judge(f"{store}/{name}", array, arrays["images"].shape[0], about.get(name))
        _judge_whole(store, arrays)
        _judge_attributes(store, attrs, arrays["images"].ndim)
        items, truth = (
            {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(folder)}
            for folder in ("items/", "truth/")
        )
        table = pd.DataFrame({name: Window(column, 0, column.shape[0])[:] for name, column in items.items()})
        return cls(attrs, arrays["images"], table, truth)

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
    """What keys such as "imaging.psf" name of nested mappings. Raises TypeError for what is none."""
    if not isinstance(entry, dict):
        raise TypeError(f"found {entry!r} where keys {', '.join(keys)} would be, expected a mapping")
    found: dict = {}
    for key in keys:
        first, _, rest = key.partition(".")
        if first in entry:
            found[first] = {**found.get(first, {}), **_part(entry[first], [rest])} if rest else entry[first]
    return found


def judge(where: str, array: Any, n: int | None = None, described: Any = None) -> None:
    """Refuse an array by what it declares, before any memory is asked for.

    Parameters
    ----------
    where : names it in what is raised
    array : what a Zarr group holds under its name
    n : items that it must be of, None for any number
    described : what a manifest says of it, None where it says nothing

    Raises
    ------
    DatasetError for a group, for values other than numbers, for another shape than that of n items or of the manifest,
    and for what no memory holds.
    """
    if not isinstance(array, zarr.Array):
        raise DatasetError(f"{where}: found a group, expected an array")
    if array.dtype.kind not in NUMBERS:
        raise DatasetError(f"{where}: found values of type {array.dtype}, expected numbers")
    if array.ndim == 0 or (n is not None and array.shape[0] != n):
        expected = "items" if n is None else f"one entry for each of {n} items"
        raise DatasetError(f"{where}: found the shape {array.shape}, expected {expected}")
    if any(side == 0 < n for chunk in (array.chunks, array.shards or ()) for side, n in zip(chunk, array.shape)):
        found = array.shards or array.chunks
        raise DatasetError(f"{where}: found chunks of shape {found}, expected no side of 0")
    size = _mb(array, array.shape[1:] if array.ndim > 1 else array.shape)
    if size > LIMIT_MB:
        raise DatasetError(f"{where}: found {size:.4g} MB declared, expected at most {LIMIT_MB} MB at a time")
    chunk = max(_mb(array, array.chunks), _mb(array, array.shards or array.chunks))
    if chunk > max(_mb(array, array.shape), on_disk.FLOOR_MB):
        raise DatasetError(f"{where}: found a chunk of {chunk:.4g} MB declared, expected no more than there is in all")
    stated = described.get("shape") if isinstance(described, dict) else None
    if stated is not None and stated != list(array.shape):
        raise DatasetError(f"{where}: found the shape {array.shape}, expected {stated} as in the manifest")


def _mb(array, shape):
    return math.prod(map(float, shape)) * array.dtype.itemsize / 1e6


def _judge_whole(store, arrays):
    """Refuse a store of images without pixels, or that declares more of these, or of columns, than its files can hold.

    Truth may be nothing, as the centres of no sphere are, or all of one value.
    """
    if 0 in arrays["images"].shape[1:]:
        raise DatasetError(f"{store}/images: found the shape {arrays['images'].shape}, expected no side of 0")
    columns = sum(_mb(array, array.shape) for name, array in arrays.items() if name.startswith("items/"))
    for what, size in (("images", _mb(arrays["images"], arrays["images"].shape)), ("items", columns)):
        if found := on_disk.overstated(size, store):
            raise DatasetError(f"{store}/{what}: found {found}, expected whole chunks")


def _judge_attributes(store, attrs, ndim):
    """Refuse attributes of a store that are not those of a dataset."""
    if attrs.get("problem") not in problems.names():
        found, expected = attrs.get("problem"), f"one of {', '.join(problems.names())}"
        raise DatasetError(f"{store}: problem: found {found!r}, expected {expected}")
    axes = attrs.get("axes")
    if not isinstance(axes, list) or len(axes) != ndim or not all(isinstance(axis, str) for axis in axes):
        raise DatasetError(f"{store}: axes: found {axes!r}, expected names of the {ndim} axes of its images")
    try:
        _part(attrs.get("spec"), problems.load(attrs["problem"]).known_spec)
    except TypeError as error:
        raise DatasetError(f"{store}: spec: {error}") from error


def _folder(array):
    """Folder of an array; its name alone where a store is no folder."""
    root = getattr(array.store, "root", None)
    return array.path if root is None else Path(root) / array.path


def _unread(where, error):
    return f"{where}: found nothing that can be read ({type(error).__name__}: {error}), expected whole chunks"


def damage(store: str | Path, manifest: str | Path) -> list[str]:
    """What differs between a store and its manifest, "file: found ..., expected ..."; empty if nothing does."""
    if what := on_disk.odd(manifest):
        return [f"{manifest}: found {what}, expected shapes and checksums"]
    try:
        described = json.loads(Path(manifest).read_text())["arrays"]
        expected = {name: (about["shape"], about["dtype"], about["blake2b"]) for name, about in described.items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return [f"{manifest}: found no manifest ({type(error).__name__}: {error}), expected shapes and checksums"]
    try:
        if odd := on_disk.odd_within(store):
            return [f"{odd[0]}: found {odd[1]}, expected plain files only"]
        group = zarr.open_group(str(store), mode="r", zarr_format=3)
    except Exception as error:  # whatever damaged metadata raise
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
        judge(str(path), array)
        values = checksum(array)
    except DatasetError as error:
        return str(error)
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
