"""Datasets on disk: written shard by shard, read through windows, whole or not at all."""

import errno
import json
import os
import shutil
import tracemalloc
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from ome_zarr_models.v05 import Image

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.simulate import dataset
from blurbench.files import datasets
from blurbench.files.datasets import Dataset, DatasetError, Window, damage
from blurbench.running.simulation import simulate

HEADER = {
    "problem": "diffusion",
    "dataset": "made_up",
    "split": "test",
    "seed": 3,
    "axes": ["item", "t", "y", "x"],
    "voxel_size": [None, 0.02, 0.2, 0.2],
    "units": [None, "second", "micrometer", "micrometer"],
    "spec": {"imaging": {"size_px": 16}, "D_um2_s": [0.1, 10]},
}
N, SHARD = 23, 10


def shards(n=N, shard=SHARD, shape=(4, 16, 16), seed=0):
    """What a simulator yields; its arrays are used again for the next shard, as they may be."""
    rng = np.random.default_rng(seed)
    images, paths = np.empty((shard, *shape), np.uint16), np.empty((shard, 4, 2), np.float32)
    for first in range(0, n, shard):
        m = min(shard, n - first)
        images[:m] = rng.integers(90, 120, (m, *shape))
        paths[:m] = rng.normal(size=(m, 4, 2))
        D = np.arange(first, first + m) + 0.5
        items = pd.DataFrame({"D": D, "photons": D * 2, "frames": 4, "left_field": np.arange(m) % 3 == 0})
        yield images[:m], items, {"D": D, "positions": paths[:m]}


def written(folder, n=N, shard=SHARD, **options):
    store, manifest = folder / "test.zarr", folder / "test.json"
    datasets.write(store, manifest, HEADER, n, shard, shards(n, shard, **options))
    return store, manifest


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return written(tmp_path_factory.mktemp("dataset"))


@pytest.fixture
def copied(stored, tmp_path):
    for path in stored:
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, tmp_path / path.name)
    return tuple(tmp_path / path.name for path in stored)


def test_round_trip(stored):
    ds, parts = Dataset.open(stored[0]), [(i.copy(), t, {k: a.copy() for k, a in r.items()}) for i, t, r in shards()]
    assert len(ds) == N and ds.attrs == HEADER and ds.spec == HEADER["spec"]
    assert ds.images.dtype == np.uint16 and ds.images.shape == (N, 4, 16, 16)
    assert (ds.images[:] == np.concatenate([p[0] for p in parts])).all()
    items = pd.concat([p[1] for p in parts], ignore_index=True)
    pd.testing.assert_frame_equal(ds.items[list(items)], items)
    assert set(ds.truth) == {"D", "positions"}
    for name in ds.truth:
        assert (ds.truth[name][:] == np.concatenate([p[2][name] for p in parts])).all()


def test_a_chunk_is_an_item_and_a_shard_holds_many(stored):
    images = zarr.open_group(stored[0], mode="r")["images"]
    assert images.chunks == (1, 4, 16, 16) and images.shards == (SHARD, 4, 16, 16)
    assert zarr.open_group(stored[0], mode="r").metadata.zarr_format == 3


def test_manifest(stored):
    described = json.loads(stored[1].read_text())
    assert {"problem", "dataset", "split", "seed", "spec", "items", "arrays", "versions"} == set(described)
    assert described["items"] == N and described["seed"] == 3
    assert described["arrays"]["images"]["shape"] == [N, 4, 16, 16]
    assert described["arrays"]["truth/positions"]["dtype"] == "float32"
    assert damage(*stored) == []


def test_the_manifest_does_not_depend_on_the_size_of_a_shard(tmp_path):
    def manifest(shard):
        folder = tmp_path / str(shard)
        folder.mkdir()
        images, _, truth = next(shards(20, 20))
        parts = [(images[a : a + shard], {k: v[a : a + shard] for k, v in truth.items()}) for a in range(0, 20, shard)]
        table = pd.DataFrame({"D": truth["D"]})
        made = ((i, table[first : first + shard], t) for first, (i, t) in zip(range(0, 20, shard), parts))
        datasets.write(folder / "test.zarr", folder / "test.json", HEADER, 20, shard, made)
        return (folder / "test.json").read_text()

    assert manifest(20) == manifest(7)


# Damage


def _alter(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["images", "items/photons", "truth/positions"])
@pytest.mark.parametrize("harm", [_alter, Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:20])])
def test_harm_to_a_chunk_is_found(copied, name, harm):
    chunk = min(p for p in (copied[0] / name / "c").rglob("*") if p.is_file())  # a full one: no padding in it
    harm(chunk)
    faults = damage(*copied)
    assert len(faults) == 1 and name in faults[0] and str(copied[0]) in faults[0]


@pytest.mark.parametrize("content", [b"", b"{", b'{"items": 23}'])
def test_a_broken_manifest_is_found(copied, content):
    whole = copied[1].read_bytes()
    copied[1].write_bytes(content or whole[: len(whole) // 2])
    assert len(damage(*copied)) == 1
    with pytest.raises(DatasetError, match=r"test\.zarr"):
        Dataset.open(copied[0])


@pytest.mark.parametrize("name", ["images", "items/photons"])
def test_a_damaged_chunk_is_named_where_it_is_read(copied, name):
    chunk = min(p for p in (copied[0] / name / "c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(DatasetError, match=rf"test\.zarr/{name}: items 0 to .*: found nothing that can be read"):
        Dataset.open(copied[0]).images[:]


def test_what_is_no_plain_file_is_named(copied):
    chunk = min(p for p in (copied[0] / "images/c").rglob("*") if p.is_file())
    chunk.unlink()
    chunk.symlink_to("/dev/zero")
    with pytest.raises(DatasetError, match=f"{chunk}: a device or a pipe"):
        Dataset.open(copied[0])
    assert damage(*copied) == [f"{chunk}: found a device or a pipe, expected plain files only"]


def _declare_images(copied, shape, chunk, manifest):
    about = json.loads((copied[0] / "images/zarr.json").read_text())
    about["shape"] = shape
    if chunk:
        about["chunk_grid"]["configuration"]["chunk_shape"] = chunk
    (copied[0] / "images/zarr.json").write_text(json.dumps(about))
    if manifest:
        described = json.loads(copied[1].read_text())
        described["arrays"]["images"]["shape"] = shape
        copied[1].write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("shape", "chunk", "manifest", "message"),
    [
        ([N, 4, 16, 17], None, False, r"images: found the shape .*, expected \[23, 4, 16, 16\] as in the manifest"),
        ([N, 4, 0, 16], None, True, "images: found the shape .*, expected no side of 0"),
        ([N, 4, 2**20, 2**20], None, True, "images: found 8.796e[+]06 MB declared, expected at most"),
        ([N, 4, 2**10, 2**10], None, True, r"images: found 192.9 MB declared by \d+ bytes, expected whole chunks"),
        ([N, 4, 16, 16], [0, 4, 16, 16], True, r"images: found chunks of shape \(0, .*, expected no side of 0"),
        ([N, 4, 16, 16], [SHARD, 4, 16, 2**20], True, "images: found a chunk of .* MB declared, expected no more"),
    ],
)
def test_sizes_are_judged_before_memory_is_asked_for(copied, shape, chunk, manifest, message):
    _declare_images(copied, shape, chunk, manifest)
    tracemalloc.start()
    with pytest.raises(DatasetError, match=message):
        Dataset.open(copied[0])
    assert tracemalloc.get_traced_memory()[1] < 5e7
    tracemalloc.stop()
    assert damage(*copied)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("problem", "diffusionn", "problem: found 'diffusionn', expected one of"),
        ("axes", ["item", "t"], r"axes: found \['item', 't'\], expected names of the 4 axes"),
        ("spec", 5, "spec: found 5"),
        ("spec", {"imaging": "word"}, "spec: found 'word'"),
    ],
)
def test_attributes_that_are_none_of_a_dataset_are_told(copied, key, value, message):
    about = json.loads((copied[0] / "zarr.json").read_text())
    about["attributes"][key] = value
    (copied[0] / "zarr.json").write_text(json.dumps(about))
    with pytest.raises(DatasetError, match=rf"test\.zarr: {message}"):
        Dataset.open(copied[0])


def test_missing_parts_are_found(copied):
    shutil.rmtree(copied[0] / "truth" / "D")
    assert any("truth/D" in fault for fault in damage(*copied))
    with pytest.raises(DatasetError):
        Dataset.open(copied[0])
    shutil.rmtree(copied[0])
    assert len(damage(*copied)) == 1
    with pytest.raises(DatasetError):
        Dataset.open(copied[0])


def test_another_seed_is_not_what_the_manifest_describes(copied, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    store, _ = written(other, seed=1)
    assert damage(store, copied[1])


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:20])])
def test_the_file_of_a_chunk_that_is_gone_or_cut_short_is_named(copied, harm):
    second = copied[0] / "images/c/1/0/0/0"
    harm(second)
    (fault,) = damage(*copied)
    assert fault.startswith(f"{second}: found ") and ", expected " in fault


# Files of others


def _declare(path, **changes):
    """Change what an array says of itself."""
    metadata = path / "zarr.json"
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), **changes}))


def test_an_absurd_shape_is_refused_before_memory_is_asked_for(copied):
    for name in (
        "images",
        "items/D",
        "items/photons",
        "items/frames",
        "items/left_field",
        "truth/D",
        "truth/positions",
    ):
        shape = zarr.open_group(copied[0], mode="r")[name].shape
        _declare(copied[0] / name, shape=[10**13, *shape[1:]])
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"items/.*8e\+07 MB declared, expected at most"):
            Dataset.open(copied[0])
        assert len(damage(*copied)) == 7
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()


def test_shapes_that_disagree_are_refused(copied):
    _declare(copied[0] / "truth/D", shape=[N + 1])
    with pytest.raises(DatasetError, match=r"truth/D: found the shape \(24,\), expected one entry for each of 23"):
        Dataset.open(copied[0])


def test_an_item_that_no_memory_holds_is_refused(copied):
    _declare(copied[0] / "images", shape=[N, 4, 10**6, 10**6])
    with pytest.raises(DatasetError, match=r"images: found 8e\+06 MB declared"):
        Dataset.open(copied[0])


def test_texts_and_objects_are_refused(copied):
    group = zarr.open_group(copied[0])
    del group["truth/D"]
    group.create_array("truth/D", shape=(N,), dtype=str, chunks=(N,))
    with pytest.raises(DatasetError, match="truth/D: found values of type .*, expected numbers"):
        Dataset.open(copied[0])


def test_a_store_that_would_run_code_is_refused(copied):
    """The old format knows a codec that unpickles."""
    array = copied[0] / "truth/D"
    shutil.rmtree(copied[0])
    array.mkdir(parents=True)
    (copied[0] / ".zgroup").write_text('{"zarr_format": 2}')
    about = {"zarr_format": 2, "shape": [N], "chunks": [N], "dtype": "|O", "fill_value": None, "order": "C"}
    codecs = {"filters": [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 4}], "compressor": None}
    (array / ".zarray").write_text(json.dumps({**about, **codecs}))
    (array / "0").write_bytes(b"cos\nsystem\n(S'touch run'\ntR.")
    with pytest.raises(DatasetError):
        Dataset.open(copied[0])
    assert len(damage(*copied)) == 1
    with pytest.raises(Exception, match="unpickling"):  # what a movie of others could hold: it is not decoded either
        zarr.open_group(copied[0], mode="r")["truth/D"][:]


# Whole or not at all


def test_an_interrupted_write_leaves_nothing_that_counts(tmp_path):
    def broken():
        yield next(shards())
        raise KeyboardInterrupt

    store, manifest = tmp_path / "test.zarr", tmp_path / "test.json"
    with pytest.raises(KeyboardInterrupt):
        datasets.write(store, manifest, HEADER, N, SHARD, broken())
    assert not store.exists() and not manifest.exists()
    written(tmp_path)  # what was left lying about is no obstacle
    assert damage(store, manifest) == [] and {p.name for p in tmp_path.iterdir()} == {"test.zarr", "test.json"}


def test_a_full_disk_leaves_nothing_that_counts(tmp_path, monkeypatch):
    store, manifest = tmp_path / "test.zarr", tmp_path / "test.json"
    put, written_chunks = zarr.storage.LocalStore.set, []

    async def full(self, key, value, *rest):
        if "images/c/" in key and (written_chunks.append(key) or len(written_chunks) == 2):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        await put(self, key, value, *rest)

    monkeypatch.setattr(zarr.storage.LocalStore, "set", full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path)
    assert len(written_chunks) == 2 and not store.exists() and not manifest.exists()
    monkeypatch.undo()
    written(tmp_path)
    assert damage(store, manifest) == []


def test_too_few_items_are_an_error(tmp_path):
    with pytest.raises(DatasetError, match="20 .* 23"):
        datasets.write(tmp_path / "test.zarr", tmp_path / "test.json", HEADER, N, SHARD, shards(20))
    assert not (tmp_path / "test.zarr").exists() and not (tmp_path / "test.json").exists()


def test_an_interrupted_rewrite_keeps_the_whole_one(copied):
    with pytest.raises(DatasetError):
        datasets.write(*copied, HEADER, N, SHARD, shards(20))
    assert damage(*copied) == []


# Previews


def test_previews_open_with_axes_and_scale(stored):
    ds = Dataset.open(stored[0])
    for i in range(datasets.PREVIEWS):
        path = stored[0] / "preview" / str(i)
        (node,) = Reader(parse_url(path))()
        assert [axis["name"] for axis in node.metadata["axes"]] == ["t", "y", "x"]
        assert [axis["unit"] for axis in node.metadata["axes"]] == ["second", "micrometer", "micrometer"]
        (scale,) = node.metadata["coordinateTransformations"][0]
        assert scale["scale"] == [0.02, 0.2, 0.2]
        assert (np.asarray(node.data[0]) == ds.images[i]).all()
        Image.from_zarr(zarr.open_group(path, mode="r"))  # the model of NGFF 0.5 accepts it


def test_a_preview_of_an_axis_without_a_common_scale(tmp_path):
    header = {**HEADER, "voxel_size": [None, None, 0.2, 0.2]}
    datasets.write(tmp_path / "test.zarr", tmp_path / "test.json", header, N, SHARD, shards())
    image = Image.from_zarr(zarr.open_group(tmp_path / "test.zarr/preview/0", mode="r"))
    axes = image.attributes.ome.multiscales[0].axes
    assert axes[0].unit is None and axes[1].unit == "micrometer"


# Windows


@given(st.integers(0, N), st.integers(0, N), st.slices(N), st.integers(-N, N - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_windows_slice_as_arrays_do(a, b, index, at):
    values = np.arange(3 * N).reshape(N, 3)
    start, stop = min(a, b), max(a, b)
    window, expected = Window(values, start, stop), values[start:stop]
    assert len(window) == len(expected) and window.shape == expected.shape
    assert np.array_equal(window[index], expected[index])
    assert np.array_equal(np.asarray(window), expected)
    if -len(expected) <= at < len(expected):
        assert np.array_equal(window[at], expected[at])
    else:
        with pytest.raises(IndexError):
            window[at]


def test_slices_of_datasets(stored, monkeypatch):
    ds = Dataset.open(stored[0])
    images, D = ds.images[:], ds.items["D"].to_numpy()
    part = ds[5:20][2:-3]
    assert len(part) == 10 and (part.images[:] == images[7:17]).all() and (part.items["D"] == D[7:17]).all()
    assert (part.truth["D"][:] == D[7:17]).all() and list(part.items.index) == list(range(10))
    assert len(ds[30:]) == 0 and len(ds[10:5]) == 0 and ds[30:].images[:].shape == (0, 4, 16, 16)
    monkeypatch.setattr(datasets, "CHUNK_ITEMS", 10)
    assert [len(chunk) for chunk in ds.chunks()] == [10, 10, 3]
    assert np.concatenate([chunk.truth["D"][:] for chunk in ds.chunks()]) == pytest.approx(D)
    monkeypatch.setattr(datasets, "CHUNK_MB", 2.5 * ds.images[0].nbytes / 1e6)
    assert {len(chunk) for chunk in ds.chunks()} == {2, 1}, "large items come in smaller chunks"
    for index in (3, slice(None, None, 2), slice(None, None, -1)):
        with pytest.raises(TypeError, match="slices"):  # not silently something else
            ds[index]


def test_what_is_blind_holds_no_truth(stored):
    ds = Dataset.open(stored[0])
    blind = ds[3:9].blind()
    assert blind.truth == {} and set(blind.items) == {"photons", "frames"} and set(blind.items) <= set(PROBLEM.known)
    assert (blind.images[:] == ds.images[3:9]).all() and (
        blind.items["photons"] == ds.items["photons"][3:9].to_numpy()
    ).all()
    again = blind[1:3]
    assert again.truth == {} and set(again.items) == {"photons", "frames"} and len(again) == 2
    assert "D" not in str(vars(again)["items"].columns)


# From the simulator


def entry(**imaging):
    return {
        "imaging": {"size_px": 8, "frames": 2, "substeps": 2, **imaging},
        "D_um2_s": [0.1, 10],
        "test_D_um2_s": [0.1, 1, 10],
        "items": {"train": 300, "validation": 10, "test": 5},
        "stream": "made_up",
    }


def simulated(folder, split="test", seed=1, **imaging):
    store, manifest = folder / f"{split}.zarr", folder / f"{split}.json"
    simulate("diffusion", "made_up", split, entry(**imaging), seed, store, manifest)
    return store, manifest


def test_simulated_dataset(tmp_path):
    store, manifest = simulated(tmp_path, "train")
    ds = Dataset.open(store)
    assert damage(store, manifest) == [] and len(ds) == 300
    assert {"problem", "dataset", "split", "seed", "axes", "voxel_size", "units", "spec"} == set(ds.attrs)
    assert set(ds.truth) == {"positions", "D", "D_realised"} and set(PROBLEM.known) < set(ds.items)
    assert (ds.items["D"] == ds.truth["D"][:]).all()
    made = dataset(entry(), "train", 1).shards
    assert (ds.images[:256] == next(made)[0]).all()


def test_methods_are_told_of_the_stated_microscope_alone(tmp_path):
    wrong = Dataset.open(simulated(tmp_path, psf_wider=1.1)[0])
    assert wrong.spec["imaging"]["psf_wider"] == 1.1 and (wrong.items["psf_fwhm_um"] == 1.1 * 0.25).all()
    blind = wrong.blind()[:4]
    assert blind.spec["imaging"] == entry()["imaging"] and (blind.items["fwhm_um"] == 0.25).all()
    assert "psf_fwhm_um" not in blind.items


def test_a_dataset_of_many_microscopes(tmp_path):
    drawn = {"frames": [2, 4], "frame_time_s": [0.005, 0.04], "exposure_s": 0.04, "photons": [30, 1000]}
    drawn |= {"background": [0, 10], "psf": {"kind": "gaussian", "fwhm_um": [0.1, 0.35]}}
    store, manifest = simulated(tmp_path, **drawn)
    assert damage(store, manifest) == []
    Image.from_zarr(zarr.open_group(store / "preview/0", mode="r"))
    items = Dataset.open(store).items
    assert items[["photons", "background", "fwhm_um", "frame_time_s"]].nunique().min() == len(items)
    assert Dataset.open(store).items["frames"].dtype.kind == "i"


def test_the_same_configuration_gives_the_same_manifest(tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    a, b, c = (simulated(folder, seed=seed)[1].read_text() for folder, seed in zip(folders, (1, 1, 2)))
    assert a == b and a != c


def test_memory_does_not_grow_with_the_number_of_items(tmp_path):
    def peak(n):
        folder = Path(mkdtemp(dir=tmp_path))
        tracemalloc.start()
        try:
            written(folder, n, 20, shape=(8, 32, 32))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(40)  # what is imported and cached on first use
    # What is kept shows each time; how many of zarr's writes overlap is up to its threads, and once in a while more do.
    small, large = (min(peak(n) for _ in range(3)) for n in (200, 800))
    assert large / small == pytest.approx(1, abs=0.1)
