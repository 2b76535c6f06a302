"""Datasets as HDF5 files in the two layouts of the literature, and such files as datasets.

`research`: NAME.hdf5 holds per volume n = 1, 2, … the arrays `n` (z, y, x), `n_labels` (a heatmap of the same shape),
`n_positions` (spheres, 3) and `n_diameters` (spheres,), both in pixels; NAME.json holds the parameters by n.
`challenge`: x_NAME.hdf5 holds the volumes `0`, `1`, …; y_NAME.csv the centres in pixels, image by image, each filled up
with NaN to 2000 rows; x_NAME_metadata.csv the parameters.

What is easily got wrong: the columns of the challenge's centres are named Z, X, Y, in this order, and hold the array
axes 0, 1 and 2, so its X is y and its Y is x. `r` is a radius, `diameters` are diameters. Published volumes have 8
bits; ours have 16 and are written so, exactly. Readers that cast what they find to 8 bits wrap around, so 8 bits can be
asked for: such volumes carry the attributes `offset` and `step`, counts = offset + step * value.
The challenge has no diameters by sphere: an import gives every sphere the mean one. Neither layout says how wide the
PSF was; our own exports do, in further columns of the parameters.

    python -m blurbench.colloids.hdf5 export STORE.zarr FILE.hdf5 --layout challenge
    python -m blurbench.colloids.hdf5 import FILE.hdf5 STORE.zarr --layout challenge
"""

import argparse
import json
import math
from numbers import Real
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from blurbench.files import datasets, on_disk
from blurbench.files.atomic import replacing
from blurbench.files.datasets import Dataset
from blurbench.files.hdf5 import Hdf5Error, decoding, opened, own_array

LIMIT_MB = 1024  # of one array or table that is read
ROWS = 2000  # of an image in the challenge's table of centres
CHALLENGE_COLUMNS = ["Z", "X", "Y"]  # what they hold: z, y, x
VOLUME, REAL = "u", "fiu"  # kinds of numbers
FLOAT_MAX = float(np.finfo(float).max)  # JSON knows longer numbers
SHARD_BYTES = 2**26
LAYOUT_ONLY = ("dataset", "n", "type", "volfrac", "r", "particle_size", "n_particles")  # ours have other names


def export_research(dataset, path, uint8=False):
    """Write a dataset in the research layout: `path`, and its parameters beside it as .json.

    Parameters
    ----------
    dataset : Dataset with truth
    path : of the HDF5 file
    uint8 : volumes of 8 bits, in as few counts a step as their range allows (exact up to a range of 255)
    """
    path = Path(path)
    parameters = {}
    with replacing(path, path.with_suffix(".json")) as (volumes, metadata):
        with h5py.File(volumes, "w") as file:
            for n, (image, centres, diameters, about) in enumerate(_volumes(dataset), start=1):
                _write_volume(file, str(n), image, uint8)
                # 64 bits, so that pixels turn back into the same micrometres.
                file.create_dataset(f"{n}_positions", data=centres, compression=1)
                file.create_dataset(f"{n}_diameters", data=diameters, compression=1)
                file.create_dataset(f"{n}_labels", data=_heatmap(centres, diameters, image.shape), compression=1)
                parameters[str(n)] = {**about, "n": n}
        metadata.write_text(json.dumps(parameters, indent=1) + "\n", encoding="utf-8")


def export_challenge(dataset, path, uint8=False):
    """Write a dataset in the challenge's layout: `path`, and its two tables beside it.

    The parameters are those of `export_research`. An image of more than 2000 spheres makes the block of every image as
    long as it needs.
    """
    path = Path(path)
    known = ~np.isnan(dataset.truth["centres"][:]).any(axis=2)
    rows = max(ROWS, known.sum(axis=1).max(initial=0))
    parameters = []
    with replacing(path, *_tables(path)) as (volumes, truth, metadata):
        with h5py.File(volumes, "w") as file, open(truth, "w", encoding="utf-8", newline="") as table:
            for n, (image, centres, _, about) in enumerate(_volumes(dataset)):
                _write_volume(file, str(n), image, uint8)
                filled = np.full((rows, 3), np.nan)
                filled[: len(centres)] = centres
                block = pd.DataFrame(filled, columns=CHALLENGE_COLUMNS, index=np.arange(n * rows, (n + 1) * rows))
                block.insert(0, "image_index", n)
                block.to_csv(table, header=n == 0)
                parameters.append({**about, "n": n})
        pd.DataFrame(parameters).to_csv(metadata)


def import_research(path, store, limit_mb=LIMIT_MB):
    """Read files of the research layout into a dataset: `store` and its manifest beside it.

    Parameters
    ----------
    path : of the HDF5 file; its parameters lie beside it as .json
    store : .zarr to write
    limit_mb : of one array; more is refused before it is read

    Raises
    ------
    Hdf5Error if a file is missing, truncated or empty, an array is missing, too large, of another type or shape than
    the layout's, or holds a NaN.
    """
    path = Path(path)
    with opened(path) as file:
        keys = _keys(file, path, first=1)
        about = _json(path.with_suffix(".json"), limit_mb)
        if missing := [key for key in keys if not isinstance(about.get(key), dict)]:
            raise Hdf5Error(path.with_suffix(".json"), missing[0], "no parameters", "those of every volume")
        spheres = []
        for key in keys:
            centres = _array(file, path, f"{key}_positions", REAL, (None, 3), limit_mb)
            diameters = _array(file, path, f"{key}_diameters", REAL, (len(centres),), limit_mb)
            if not (diameters > 0).all():
                raise Hdf5Error(path, f"{key}_diameters", f"{diameters.min()}", "positive numbers of pixels")
            spheres.append((centres, diameters))
        _write(file, path, keys, spheres, [about[key] for key in keys], path.with_suffix(".json"), store, limit_mb)


def import_challenge(path, store, limit_mb=LIMIT_MB):
    """Read files of the challenge's layout into a dataset: `store` and its manifest beside it.

    Parameters and errors are those of `import_research`; the tables of x_NAME.hdf5 are y_NAME.csv and
    x_NAME_metadata.csv beside it.
    """
    path = Path(path)
    truth, metadata = _tables(path)
    with opened(path) as file:
        keys = _keys(file, path, first=0)
        about = _csv(metadata, ("r", "particle_size"), limit_mb).to_dict("records")
        if len(about) != len(keys):
            raise Hdf5Error(metadata, "rows", len(about), f"one for each of the {len(keys)} volumes")
        spheres = []
        for centres, row in zip(_centres(truth, len(keys), limit_mb), about):
            spheres.append((centres, np.full(len(centres), 2.0) * row["r"]))
        _write(file, path, keys, spheres, about, metadata, store, limit_mb)


def _tables(path):
    """Centres and parameters that belong to the challenge's x_NAME.hdf5."""
    return path.with_name(f"y_{path.stem.removeprefix('x_')}.csv"), path.with_name(f"{path.stem}_metadata.csv")


def _volumes(dataset):
    """Per item: image, centres (n, 3) and diameters (n,) in pixels, parameters under the layouts' names and ours."""
    for i, item in enumerate(dataset.items.to_dict("records")):
        centres, diameters = (np.asarray(dataset.truth[name][i], float) for name in ("centres", "diameters"))
        known = ~np.isnan(diameters)
        about = {
            "dataset": dataset.attrs["dataset"],
            "type": dataset.attrs["split"],
            "volfrac": item["phi"],
            "r": item["diameter_px"] / 2,
            "particle_size": item["particle_size_um"],
            "n_particles": int(known.sum()),
            **{name: value for name, value in item.items() if value == value},  # JSON knows no NaN
        }
        yield dataset.images[i], centres[known] / item["voxel_um"], diameters[known] / item["voxel_um"], about


def _write_volume(file, key, image, uint8):
    if not uint8:
        file.create_dataset(key, data=image, compression=1)
        return
    offset = int(image.min())
    step = max(1, -(-(int(image.max()) - offset) // 255))
    values = np.rint((image - float(offset)) / step).astype(np.uint8)
    file.create_dataset(key, data=values, compression=1).attrs.update(offset=offset, step=step)


def _heatmap(centres, diameters, shape):
    """The research layout's labels: exp(-3 s² / (4 r²)) within the radius r of a centre, 0 elsewhere, float32."""
    labels = np.zeros(shape, np.float32)
    for centre, radius in zip(centres, diameters / 2):
        low = np.maximum(np.ceil(centre - radius), 0).astype(int)
        high = np.minimum(np.floor(centre + radius) + 1, shape).astype(int)
        if (low < high).all():
            axes = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high))]
            squared = sum((axis - c) ** 2 for axis, c in zip(axes, centre)) / radius**2
            part = labels[tuple(slice(a, b) for a, b in zip(low, high))]
            np.maximum(part, np.where(squared <= 1, np.exp(-0.75 * squared), 0), out=part)
    return labels


def _keys(file, path, first):
    """Names of the volumes, in the order of their numbers."""
    with decoding(path, "volumes"):
        keys = sorted((key for key in file if isinstance(key, str) and key.isdecimal()), key=int)
    if keys != [str(n) for n in range(first, first + len(keys))] or not keys:
        found = f"{len(keys)} volumes from {keys[0]} to {keys[-1]}" if keys else "no volume"
        raise Hdf5Error(path, "volumes", found, f"{first}, {first + 1} … without a gap")
    return keys


def _declared(file, path, key, kinds, shape, limit_mb):
    """An array of the file, unread, if its type, shape and size are what they should be; None in `shape` is any length.

    A file may declare any size at no cost, so nothing is asked of memory before this.
    """
    array = own_array(file, path, key, f"an array of shape {shape}")
    with decoding(path, key):
        dtype, found, chunk = array.dtype, array.shape, array.chunks or ()
    if dtype.kind not in kinds:
        raise Hdf5Error(path, key, f"the type {dtype}", "uint8 or uint16" if kinds == VOLUME else "real numbers")
    if found is None or len(found) != len(shape) or any(b not in (None, a) for a, b in zip(found, shape)):
        raise Hdf5Error(path, key, f"the shape {found}", f"{shape}, None being any length")
    size = max(math.prod(map(float, part)) for part in (found, chunk)) * dtype.itemsize / 1e6
    if size > limit_mb:
        raise Hdf5Error(path, key, f"{size:.4g} MB declared", f"at most {limit_mb} MB")
    if overstated := on_disk.overstated(size, path):
        raise Hdf5Error(path, key, overstated, "a whole HDF5 file")
    return array


def _array(file, path, key, kinds, shape, limit_mb):
    """Values of an array of the file as float64, all finite."""
    array = _declared(file, path, key, kinds, shape, limit_mb)
    with decoding(path, key):
        values = np.asarray(array[()], float)
    if not np.isfinite(values).all():
        raise Hdf5Error(path, key, f"{(~np.isfinite(values)).sum()} values that are NaN or infinite", "finite numbers")
    return values


def _json(path, limit_mb):
    _check_size(path, limit_mb)
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Hdf5Error(path, "file", f"no JSON ({error})", "parameters by volume") from error
    if not isinstance(about, dict):
        raise Hdf5Error(path, "file", f"a {type(about).__name__}", "parameters by volume")
    return about


def _csv(path, columns, limit_mb):
    """Table of a CSV file whose `columns` are numbers; an unnamed index column or none makes no difference."""
    _check_size(path, limit_mb)
    try:
        table = pd.read_csv(path)
    except (ValueError, OverflowError) as error:  # also what pandas makes of an empty, ragged or binary file
        raise Hdf5Error(path, "file", f"no table that can be read ({error})", f"columns {columns}") from error
    if missing := [name for name in columns if name not in table]:
        raise Hdf5Error(path, "columns", f"no {missing[0]} among {list(table)}", f"{columns}")
    if table.empty:
        raise Hdf5Error(path, "file", "no rows", f"columns {columns}")
    if wrong := [name for name in columns if table[name].dtype.kind not in REAL]:
        raise Hdf5Error(path, wrong[0], f"values such as {table[wrong[0]].iloc[0]!r}", "numbers")
    return table.drop(columns=[name for name in table if name.startswith("Unnamed")])


def _check_size(path, limit_mb):
    if found := on_disk.odd(path):
        raise Hdf5Error(path, "file", found, "the table that belongs to the volumes")
    if (size := path.stat().st_size / 1e6) > limit_mb:
        raise Hdf5Error(path, "file", f"{size:.4g} MB", f"at most {limit_mb} MB")


def _centres(path, n, limit_mb):
    """Centres (k, 3) in pixels, z, y, x, of each of n images."""
    table = _csv(path, ("image_index", *CHALLENGE_COLUMNS), limit_mb)
    image, centres = table["image_index"].to_numpy(float), table[CHALLENGE_COLUMNS].to_numpy(float)
    padding = np.isnan(centres).all(axis=1)
    if not np.isfinite(centres[~padding]).all():
        row = np.flatnonzero(~padding & ~np.isfinite(centres).all(axis=1))[0]
        raise Hdf5Error(path, f"row {row}", centres[row], "three finite numbers, or three NaN as padding")
    if odd := sorted(set(image) ^ set(range(n)), key=str):
        raise Hdf5Error(
            path, "image_index", f"{odd[0]:g} in one and not the other", f"rows of the volumes 0 to {n - 1}"
        )
    return [centres[(image == i) & ~padding] for i in range(n)]


def _write(file, path, keys, spheres, about, metadata, store, limit_mb):
    """The dataset of volumes `keys`, their spheres in pixels and their parameters."""
    first = _declared(file, path, keys[0], VOLUME, (None, None, None), limit_mb)
    for key in keys:
        volume = _declared(file, path, key, VOLUME, first.shape, limit_mb)
        if volume.dtype.itemsize > 2 or 0 in volume.shape:
            raise Hdf5Error(path, key, f"{volume.dtype} of shape {volume.shape}", "uint8 or uint16, not empty")
    items = pd.DataFrame([_item(*row, metadata) for row in zip(keys, about, spheres)])
    for name in items.select_dtypes(exclude=["number", "bool"]):
        items[name] = items[name].astype(float)  # a column that some volumes lack
    longest = max(len(centres) for centres, _ in spheres)
    truth = {
        "centres": np.full((len(keys), longest, 3), np.nan, np.float32),
        "diameters": np.full((len(keys), longest), np.nan, np.float32),
    }
    for i, (key, (centres, diameters)) in enumerate(zip(keys, spheres)):
        with np.errstate(over="ignore"):
            truth["centres"][i, : len(centres)] = centres * items["voxel_um"][i]
            truth["diameters"][i, : len(centres)] = diameters * items["voxel_um"][i]
        if any(np.isinf(values[i]).any() for values in truth.values()):
            raise Hdf5Error(path, f"spheres of volume {key}", "lengths beyond 1e38 µm", "what 32 bits can hold")
    shard = int(np.clip(SHARD_BYTES // (2 * first.size), 1, len(keys)))

    def shards():
        for start in range(0, len(keys), shard):
            part = slice(start, start + shard)
            images = np.stack([_counts(file, path, key) for key in keys[part]])
            yield images, items[part], {name: values[part] for name, values in truth.items()}

    diameter = float(items["diameter_px"][0]) if items["diameter_px"].nunique() == 1 else None
    header = {
        "problem": "colloids",
        "dataset": path.stem.removeprefix("x_"),
        "split": "test",
        "seed": None,
        "axes": ["item", "z", "y", "x"],
        "voxel_size": [None, *["voxel_um"] * 3],
        "units": [None, *["micrometer"] * 3],
        "spec": {
            "imaging": {"shape_px": list(first.shape), "diameter_px": diameter},
            "imported_from": path.name,
        },
    }
    datasets.write(store, Path(store).with_suffix(".json"), header, len(keys), shard, shards())


def _counts(file, path, key):
    """A volume as uint16, its values of 8 bits turned into counts if it says how."""
    with decoding(path, key):
        values = file[key][()]
        offset, step = (file[key].attrs.get(name, default) for name, default in (("offset", 0), ("step", 1)))
    if not all(np.ndim(x) == 0 and isinstance(x, Real) and math.isfinite(x) for x in (offset, step)):
        raise Hdf5Error(path, key, f"offset {offset!r}, step {step!r}", "numbers")
    counts = np.rint(offset + step * values.astype(float))
    if not (0 <= counts.min() and counts.max() <= 65535):
        raise Hdf5Error(path, key, f"counts of {counts.min():g} to {counts.max():g}", "what 16 bits can hold")
    return counts.astype(np.uint16)


def _item(key, about, spheres, file):
    """Columns of an imported item. What the layouts do not say is NaN unless the parameters have it by our name."""
    for name, value in about.items():
        if isinstance(value, int) and abs(value) > FLOAT_MAX:
            raise Hdf5Error(file, f"{name} of volume {key}", f"a number of {len(str(value))} digits", "one below 1e308")
    for name in ("r", "particle_size"):
        value = about.get(name)
        if not isinstance(value, Real) or not 0 < value < np.inf:
            raise Hdf5Error(file, f"{name} of volume {key}", repr(value), "a positive number")
    if not isinstance(about.get("volfrac", np.nan), Real):
        raise Hdf5Error(file, f"volfrac of volume {key}", repr(about["volfrac"]), "a number")
    known = {k: v for k, v in about.items() if k not in LAYOUT_ONLY and isinstance(v, Real | np.bool_)}
    item = {
        "phi": about.get("volfrac", np.nan),
        **dict.fromkeys(("sigma_z_d", "cnr", "snr"), np.nan),
        "particle_size_um": about["particle_size"],
        "voxel_um": about["particle_size"] / (2 * about["r"]),
        "diameter_px": 2 * about["r"],
        **dict.fromkeys(("sigma_z_px", "sigma_xy_px", "brightness"), np.nan),
        "n_centres": len(spheres[0]),
        **known,
    }
    if not 0 < item["voxel_um"] < np.inf:
        raise Hdf5Error(file, f"voxel_um of volume {key}", item["voxel_um"], "a positive number")
    return item


def main(arguments=None):
    """Run the command line; `arguments` are those of the process unless given."""
    parser = argparse.ArgumentParser(description="Datasets of dense colloids as HDF5 files, and back.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, source, target in (("export", "store", "file"), ("import", "file", "store")):
        command = commands.add_parser(name)
        command.add_argument("source", help=f"{source} to read")
        command.add_argument("target", help=f"{target} to write")
        command.add_argument("--layout", choices=("research", "challenge"), required=True)
        if name == "export":
            command.add_argument(
                "--uint8", action="store_true", help="volumes of 8 bits, scaled as their attributes say"
            )
        else:
            command.add_argument("--limit-mb", type=float, default=LIMIT_MB, help="largest array that is read")
    options = parser.parse_args(arguments)
    if options.command == "export":
        write = {"research": export_research, "challenge": export_challenge}[options.layout]
        write(Dataset.open(options.source), options.target, options.uint8)
    else:
        read = {"research": import_research, "challenge": import_challenge}[options.layout]
        read(options.source, options.target, options.limit_mb)


if __name__ == "__main__":
    main()
