"""Mutations of HDF5 files: other types, shapes and places of what they hold."""

import json

import h5py
import numpy as np


def _opened(folder):
    path = next(path for path in sorted(folder.glob("*.hdf5")) if path.is_file())
    return path, h5py.File(path, "r+")


def _outside(folder):
    other = folder.parent / "secret.hdf5"
    with h5py.File(other, "w") as file:
        file["1"] = np.zeros((6, 7, 8), np.uint8)
    (folder.parent / "secret.raw").write_bytes(bytes(4096))
    return other


def _array(rng):
    """Another array than is expected."""
    shapes = [(), (0,), (3,), (6, 7), (6, 7, 8), (6, 7, 8, 1), (0, 7, 8), (5, 3), (4, 3), (5,), (4,)]
    dtypes = ["u1", "u2", "u4", "i2", "f4", "f8", "f2", "c8", "S5", "?", "V4"]
    shape, dtype = rng.choice(shapes), rng.choice(dtypes)
    values = np.zeros(shape, dtype)
    if dtype.startswith("f") and values.size:
        values.flat[0] = rng.choice([np.nan, np.inf, -np.inf, -1, 1e300 if dtype == "f8" else 1e4])
    return values


def array(folder, rng):
    """An array in place of another: of another type, shape or place."""
    path, file = _opened(folder)
    with file:
        key = rng.choice(sorted(file))
        shape = getattr(file[key], "shape", (6, 7, 8)) or (6, 7, 8)
        del file[key]
        _put(file, key, shape, folder, rng)
    return path


def _put(file, key, shape, folder, rng):
    match rng.choice("values group missing soft loop external external raw virtual huge huge chunk text compound enum "
                     "reference null filter vlen type opaque".split()):  # fmt: skip
        case "values":
            file[key] = _array(rng)
        case "group":
            file.create_group(key)
        case "soft":
            file[key] = h5py.SoftLink(rng.choice(["/0", "/1", "/nowhere", "/1_positions", "/"]))
        case "loop":
            file[key] = h5py.SoftLink(f"/{key}")
        case "external":
            other = _outside(folder)
            file[key] = h5py.ExternalLink(rng.choice([str(other), f"../{other.name}", "/dev/zero", "nowhere.h5"]), "1")
        case "raw":
            _outside(folder)
            name = str(folder.parent / rng.choice(["secret.raw", "nowhere.raw"]))
            file.create_dataset(key, shape, "u1", external=[(name, 0, h5py.h5f.UNLIMITED)])
        case "virtual":
            layout = h5py.VirtualLayout(shape, "u1")
            layout[...] = h5py.VirtualSource(rng.choice([str(_outside(folder)), "."]), "1", shape=shape)
            file.create_virtual_dataset(key, layout)
        case "huge":
            sizes = [2**10, 2**20, 2**31, 3]
            file.create_dataset(key, [rng.choice(sizes) for _ in shape], rng.choice(["u1", "u2", "f8"]), chunks=True)
        case "chunk":
            sides = [rng.choice([2**5, 2**10]) for _ in shape]
            file.create_dataset(key, shape, "u1", chunks=tuple(sides), maxshape=(None,) * len(shape), fillvalue=1)
        case "text":
            file[key] = rng.choice(["word", ["a", "b"]])
        case "compound":
            file[key] = np.zeros(shape, [("a", "u1"), ("b", "f4")])
        case "enum":
            file.create_dataset(key, shape, h5py.enum_dtype({"a": 0, "b": 1}, "u1"))
        case "reference":
            file.create_dataset(key, shape, h5py.ref_dtype)
        case "null":
            file[key] = h5py.Empty(rng.choice(["u1", "f8"]))
        case "filter":
            options = [{"compression": "lzf"}, {"compression": "gzip"}, {"scaleoffset": 0}, {"fletcher32": True}]
            options = rng.choice(options)
            file.create_dataset(key, data=np.zeros(shape, "u1"), chunks=True, **options)
        case "vlen":
            file.create_dataset(key, shape, h5py.vlen_dtype("u1"))
        case "type":
            file[key] = np.dtype("u1")
        case "opaque":
            file.create_dataset(key, data=np.zeros(shape, "M8[s]").astype(h5py.opaque_dtype("M8[s]")))


def renamed(folder, rng):
    """Other names of arrays, or more of them."""
    path, file = _opened(folder)
    with file:
        key = rng.choice(sorted(file))
        other = rng.choice(["0", "1", "2", "01", "٣", "-1", "1_positions", "x", "9" * 400, "9" * 5000, "1.5", "³"])
        if rng.random() < 0.5:
            file.move(key, other)
        else:
            file[other] = file[key]
    return path


def attribute(folder, rng):
    """How the counts of a volume of 8 bits are said to be meant, its axes and the size of its voxels."""
    path, file = _opened(folder)
    with file:
        volumes = [key for key in file if key.isdecimal()]
        values = [np.nan, np.inf, -1, 0, 1e300, "word", b"x", [1, 2], np.zeros((2, 2)), 2**63, 1j, True]
        tags = (["yx"], ["z", "x", "y"], ["t", "y", "x"], [5])
        values += [json.dumps({"axes": [{"key": key} for key in keys]}) for keys in tags]
        values += ['{"axes": 5}', np.ones(3)]
        values += [h5py.Empty("f8"), np.array([1.0]), np.zeros(3, [("a", "u1")])]
        name = rng.choice(["offset", "step", "element_size_um", "axistags"])
        file[rng.choice(volumes)].attrs[name] = rng.choice(values)
    return path


ALL = [array] * 12 + [renamed] * 3 + [attribute] * 4
