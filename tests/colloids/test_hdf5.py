"""HDF5 files in the literature's two layouts: what is written comes back, and what is broken says so."""

import json
import os
import shutil
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurbench.colloids import hdf5
from blurbench.colloids.hdf5 import Hdf5Error
from blurbench.files import datasets
from blurbench.files.datasets import Dataset

LAYOUTS = {
    "research": (hdf5.export_research, hdf5.import_research),
    "challenge": (hdf5.export_challenge, hdf5.import_challenge),
}


def dataset(folder, images, centres, voxel_um=(0.1,), diameter_px=10.0, diameters=None):
    """A dataset of given volumes and centres (µm), sizes as in the simulator's items."""
    n, longest = len(images), max(map(len, centres))
    voxel_um = np.resize(np.asarray(voxel_um, float), n)
    truth = {
        "centres": np.full((n, longest, 3), np.nan, np.float32),
        "diameters": np.full((n, longest), np.nan, np.float32),
    }
    for i, points in enumerate(centres):
        truth["centres"][i, : len(points)] = points
        truth["diameters"][i, : len(points)] = diameter_px * voxel_um[i] if diameters is None else diameters[i]
    items = pd.DataFrame(
        {
            "phi": np.linspace(0.1, 0.55, n),
            "sigma_z_d": 0.4,
            "cnr": np.geomspace(8, 0.75, n),
            "snr": 12.0,
            "particle_size_um": diameter_px * voxel_um,
            "voxel_um": voxel_um,
            "diameter_px": diameter_px,
            "sigma_z_px": 4.0,
            "sigma_xy_px": 1.6,
            "brightness": 200.0,
            "contact_value": np.nan,
            "metastable": np.arange(n) % 2 == 1,
        }
    )
    header = {
        "problem": "colloids",
        "dataset": "levels",
        "split": "test",
        "seed": 1,
        "axes": ["item", "z", "y", "x"],
        "voxel_size": [None] * 4,
        "units": [None, "micrometer", "micrometer", "micrometer"],
        "spec": {"imaging": {"shape_px": list(images.shape[1:]), "diameter_px": diameter_px}},
    }
    store = Path(folder) / "original.zarr"
    datasets.write(store, store.with_suffix(".json"), header, n, n, [(images, items, truth)])
    return Dataset.open(store)


def made_up(folder, n=3, seed=0, **options):
    rng = np.random.default_rng(seed)
    images = rng.integers(90, 1200, (n, 6, 7, 8)).astype(np.uint16)
    centres = [rng.uniform(-0.05, 0.7, (5 + i, 3)).astype(np.float32) for i in range(n)]
    return dataset(folder, images, centres, **options)


def round_trip(original, folder, layout, **options):
    write, read = LAYOUTS[layout]
    write(original, Path(folder) / "x_data.hdf5", **options)
    read(Path(folder) / "x_data.hdf5", Path(folder) / "back.zarr")
    return Dataset.open(Path(folder) / "back.zarr")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A dataset and its files of both layouts."""
    folder = tmp_path_factory.mktemp("written")
    original = made_up(folder)
    for layout, (write, _) in LAYOUTS.items():
        (folder / layout).mkdir()
        write(original, folder / layout / "x_data.hdf5")
    return folder


@pytest.fixture
def files(written, tmp_path):
    """Copies of the HDF5 files, by layout, for a test to break."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return {layout: tmp_path / layout / "x_data.hdf5" for layout in LAYOUTS}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_export_imported_again_is_the_same_dataset(layout, tmp_path):
    original = made_up(tmp_path, voxel_um=(0.1, 0.033333, 0.025))
    back = round_trip(original, tmp_path, layout)
    assert back.images.dtype == np.uint16 and (back.images[:] == original.images[:]).all()
    for name in ("centres", "diameters"):
        assert back.truth[name].dtype == np.float32
        np.testing.assert_array_equal(back.truth[name][:], original.truth[name][:])
    columns = [name for name in original.items if name != "contact_value"]  # NaN everywhere: nothing to write
    pd.testing.assert_frame_equal(back.items[columns], original.items[columns])
    assert back.items["n_centres"].tolist() == [5, 6, 7]
    assert back.spec["imaging"] == original.spec["imaging"]
    assert not datasets.damage(tmp_path / "back.zarr", tmp_path / "back.json")


volumes = st.tuples(st.integers(1, 3), *[st.integers(1, 5)] * 3)


@settings(max_examples=10, deadline=None)
@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    shape=volumes,
    voxel=st.floats(1e-3, 10),
    diameter_px=st.floats(0.5, 40),
    counts=st.lists(st.integers(0, 6), min_size=3, max_size=3),
    bits=st.sampled_from([8, 16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_arrays_and_positions_survive(layout, shape, voxel, diameter_px, counts, bits, seed):
    rng = np.random.default_rng(seed)
    # A range of 255 counts anywhere in 16 bits fits 8 bits without loss.
    low = rng.integers(0, 2**16 - 2**bits + 1)
    images = (low + rng.integers(0, 2**bits, shape)).astype(np.uint16)
    centres = [rng.normal(scale=100 * voxel, size=(n, 3)).astype(np.float32) for n in counts[: shape[0]]]
    with TemporaryDirectory() as folder:
        original = dataset(folder, images, centres, [voxel], diameter_px)
        back = round_trip(original, folder, layout, uint8=bits == 8)
        np.testing.assert_array_equal(back.images[:], images)
        np.testing.assert_array_equal(back.truth["centres"][:], original.truth["centres"][:])
        np.testing.assert_array_equal(back.truth["diameters"][:], original.truth["diameters"][:])
        assert (back.items["voxel_um"] == voxel).all() and (back.items["diameter_px"] == diameter_px).all()


def test_diameters_by_sphere_go_with_the_research_layout(tmp_path):
    diameters = [np.linspace(0.9, 1.1, n, dtype=np.float32) for n in (5, 6, 7)]
    original = made_up(tmp_path, diameters=diameters)
    back = round_trip(original, tmp_path, "research")
    np.testing.assert_array_equal(back.truth["diameters"][:], original.truth["diameters"][:])


def test_the_research_layout_as_its_readers_expect_it(files):
    with h5py.File(files["research"]) as file:
        assert sorted(file) == sorted(
            f"{n}{name}" for n in (1, 2, 3) for name in ("", *("_labels _positions _diameters".split()))
        )
        assert file["1"].dtype == np.uint16 and not dict(file["1"].attrs)
        assert file["2_positions"].shape == (6, 3) and file["2_labels"].shape == file["2"].shape
        assert file["1_diameters"][:] == pytest.approx(10)
        original = Dataset.open(files["research"].parents[1] / "original.zarr")
        assert file["1_positions"][:] == pytest.approx(original.truth["centres"][0][:5] / 0.1)
    about = json.loads(files["research"].with_suffix(".json").read_text())
    assert about["1"]["r"] == 5 and about["3"]["volfrac"] == 0.55 and about["2"]["particle_size"] == 1


def test_labels():
    labels = hdf5._heatmap(np.array([[4.0, 5, 6], [4, 5, 12], [-20, 0, 0]]), np.array([6.0, 6, 6]), (9, 12, 15))
    assert labels.dtype == np.float32 and labels[4, 5, 6] == 1
    assert labels[4, 5, 9] == pytest.approx(np.exp(-0.75))  # at the radius, where the spheres touch
    assert labels[4, 7, 6] == pytest.approx(np.exp(-0.75 * 4 / 9))
    assert labels[4, 9, 6] == 0
    z, y, x = np.ogrid[:9, :12, :15]
    balls = np.minimum(*((z - 4) ** 2 + (y - 5) ** 2 + (x - c) ** 2 for c in (6, 12)))
    assert ((labels > 0) == (balls <= 9)).all()


def test_the_columns_x_and_y_of_the_challenge_hold_axes_1_and_2(tmp_path):
    images = np.zeros((1, 4, 4, 4), np.uint16)
    original = dataset(tmp_path, images, [np.array([[0.1, 0.2, 0.3]], np.float32)])
    back = round_trip(original, tmp_path, "challenge")
    table = pd.read_csv(tmp_path / "y_data.csv", index_col=0)
    assert list(table) == ["image_index", "Z", "X", "Y"] and len(table) == 2000
    assert table.iloc[0].tolist() == pytest.approx([0, 1, 2, 3])  # z, y, x in voxels of 0.1 µm
    assert table.iloc[1:][["Z", "X", "Y"]].isna().all(axis=None)
    assert back.truth["centres"][0] == pytest.approx(np.array([[0.1, 0.2, 0.3]]))
    assert pd.read_csv(tmp_path / "x_data_metadata.csv", index_col=0).loc[0, "r"] == 5


def test_an_image_of_more_than_2000_spheres_is_kept_whole(tmp_path):
    many = np.random.default_rng(0).normal(size=(2100, 3)).astype(np.float32)
    original = dataset(tmp_path, np.zeros((2, 3, 3, 3), np.uint16), [many[:3], many])
    back = round_trip(original, tmp_path, "challenge")
    np.testing.assert_array_equal(back.truth["centres"][:], original.truth["centres"][:])
    assert len(pd.read_csv(tmp_path / "y_data.csv")) == 2 * 2100


@pytest.mark.parametrize("layout", LAYOUTS)
def test_eight_bits_of_a_wide_range_are_off_by_half_a_step_and_say_their_scale(layout, tmp_path):
    original = made_up(tmp_path)
    back = round_trip(original, tmp_path, layout, uint8=True)
    with h5py.File(tmp_path / "x_data.hdf5") as file:
        volume = file[{"research": "1", "challenge": "0"}[layout]]
        offset, step = volume.attrs["offset"], volume.attrs["step"]
        assert volume.dtype == np.uint8 and offset == original.images[0].min()
        assert step == np.ceil((original.images[0].max() - offset) / 255) == 5
    assert np.abs(back.images[:].astype(int) - original.images[:]).max() == 2  # half of a step of 5, rounded


def test_a_file_of_someone_else(tmp_path):
    """The published layout: uint8, float32, no attributes, and only the published parameters."""
    volume = np.arange(4**3, dtype=np.uint8).reshape(4, 4, 4)
    with h5py.File(tmp_path / "train.hdf5", "w") as file:
        file["1"], file["1_labels"] = volume, np.zeros((4, 4, 4), np.float32)
        file["1_positions"] = np.array([[1, 2, 3]], np.float32)
        file["1_diameters"] = np.array([8], np.float32)
    about = {"dataset": "train", "n": 1, "type": "medium", "volfrac": 0.3, "r": 4, "particle_size": 0.4, "cnr": 5.0}
    (tmp_path / "train.json").write_text(json.dumps({"1": about}))
    hdf5.import_research(tmp_path / "train.hdf5", tmp_path / "train.zarr")
    back = Dataset.open(tmp_path / "train.zarr")
    item = back.items.iloc[0]
    assert item["voxel_um"] == pytest.approx(0.05) and item["diameter_px"] == 8  # r is a radius
    assert item["phi"] == 0.3 and item["cnr"] == 5 and np.isnan(item["sigma_z_d"])
    assert back.truth["centres"][0] == pytest.approx(np.array([[0.05, 0.1, 0.15]]))
    assert back.truth["diameters"][0] == pytest.approx([0.4])
    assert (back.images[0] == volume).all() and back.images.dtype == np.uint16
    assert back.spec["imaging"] == {"shape_px": [4, 4, 4], "diameter_px": 8}


def replace(path, key, value, **options):
    with h5py.File(path, "r+") as file:
        del file[key]
        if value is not None:
            file.create_dataset(key, data=value, **options)


def breakage(layout, message):
    def register(function):
        BROKEN.append(pytest.param(layout, function, message, id=function.__name__))
        return function

    return register


BROKEN = []


@breakage("research", "file: found nothing there")
def no_file(path):
    path.unlink()


@breakage("research", "file: found no HDF5 that can be read")
def empty_file(path):
    path.write_bytes(b"")


@breakage("research", "file: found no HDF5 that can be read")
def text_file(path):
    path.write_text("image_index,Z,X,Y\n")


@breakage("research", "volumes: found no volume")
def no_volume(path):
    h5py.File(path, "w").close()


@breakage("research", "volumes: found 2 volumes from 1 to 3, expected 1, 2 … without a gap")
def a_gap(path):
    replace(path, "2", None)


@breakage("challenge", "volumes: found 2 volumes from 1 to 2, expected 0, 1")
def not_from_zero(path):
    replace(path, "0", None)


@breakage("research", "1: found the type")
def a_volume_of_strings(path):
    replace(path, "1", np.full((6, 7, 8), b"a"))


@breakage("research", "1: found the type complex128, expected uint8 or uint16")
def a_complex_volume(path):
    replace(path, "1", np.zeros((6, 7, 8), complex))


@breakage("challenge", "1: found the type float64, expected uint8 or uint16")
def a_volume_of_floats(path):
    replace(path, "1", np.full((6, 7, 8), np.nan))


@breakage("challenge", "1: found uint32")
def a_volume_of_32_bits(path):
    replace(path, "1", np.zeros((6, 7, 8), np.uint32))


@breakage("challenge", r"2: found the shape \(6, 7, 9\), expected \(6, 7, 8\)")
def a_volume_of_another_shape(path):
    replace(path, "2", np.zeros((6, 7, 9), np.uint8))


@breakage("challenge", r"0: found the shape \(6, 7\), expected \(None, None, None\)")
def a_flat_volume(path):
    replace(path, "0", np.zeros((6, 7), np.uint8))


@breakage("challenge", "found uint8 of shape")
def volumes_without_voxels(path):
    for key in "012":
        replace(path, key, np.zeros((6, 0, 8), np.uint8))


@breakage("research", "3: found a group")
def a_group(path):
    replace(path, "3", None)
    with h5py.File(path, "r+") as file:
        file.create_group("3")


@breakage("research", "2_positions: found nothing")
def no_positions(path):
    replace(path, "2_positions", None)


@breakage("research", "2_positions: found 1 values that are NaN or infinite")
def a_nan_position(path):
    replace(path, "2_positions", np.where(np.eye(6, 3), [[np.nan, 1, 1]], 1))


@breakage("research", "2_positions: found the type complex128, expected real numbers")
def a_complex_position(path):
    replace(path, "2_positions", np.zeros((6, 3), complex))


@breakage("research", "spheres of volume 2: found lengths beyond 1e38 µm")
def positions_beyond_32_bits(path):
    replace(path, "2_positions", np.full((6, 3), 1e50))


@breakage("research", r"2_positions: found the shape \(3, 6\)")
def positions_the_wrong_way_round(path):
    replace(path, "2_positions", np.zeros((3, 6)))


@breakage("research", r"2_diameters: found the shape \(5,\), expected \(6,\)")
def too_few_diameters(path):
    replace(path, "2_diameters", np.ones(5))


@breakage("research", "2_diameters: found 0.0, expected positive")
def a_diameter_of_zero(path):
    replace(path, "2_diameters", np.zeros(6))


@breakage("research", "1: found 1e.18 MB declared, expected at most 1024 MB")
def an_oversize_volume(path):
    replace(path, "1", None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("1", shape=(10**8, 10**8, 10**8), dtype="u1", chunks=(1, 64, 64))


@breakage("research", "1_positions: found .* MB declared")
def oversize_positions(path):
    replace(path, "1_positions", None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("1_positions", shape=(10**12, 3), dtype="f4", chunks=(64, 3))


@breakage("challenge", "1: found offset")
def a_scale_that_is_no_number(path):
    with h5py.File(path, "r+") as file:
        file["1"].attrs["offset"] = "none"


@breakage("challenge", "1: found counts of")
def a_scale_beyond_16_bits(path):
    with h5py.File(path, "r+") as file:
        file["1"].attrs["step"] = 1e6


@breakage("research", "data.json: file: found nothing there")
def no_parameters(path):
    path.with_suffix(".json").unlink()


@breakage("research", "data.json: file: found no JSON")
def truncated_parameters(path):
    path.with_suffix(".json").write_text(path.with_suffix(".json").read_text()[:-40])


@breakage("research", "data.json: file: found a list")
def a_list_of_parameters(path):
    path.with_suffix(".json").write_text("[]")


@breakage("research", "data.json: 2: found no parameters")
def parameters_of_one_volume(path):
    about = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({"1": about["1"]}))


@breakage("research", "r of volume 1: found nan, expected a positive number")
def a_radius_that_is_nan(path):
    about = json.loads(path.with_suffix(".json").read_text())
    about["1"]["r"] = np.nan
    path.with_suffix(".json").write_text(json.dumps(about))


@breakage("research", "volfrac of volume 1: found 'dense', expected a number")
def a_volume_fraction_in_words(path):
    about = json.loads(path.with_suffix(".json").read_text())
    about["1"]["volfrac"] = "dense"
    path.with_suffix(".json").write_text(json.dumps(about))


def truth(path):
    return path.with_name("y_data.csv")


@breakage("challenge", "y_data.csv: file: found nothing there")
def no_truth(path):
    truth(path).unlink()


@breakage("challenge", "y_data.csv: file: found no table")
def empty_truth(path):
    truth(path).write_text("")


@breakage("challenge", "y_data.csv: file: found no rows")
def a_header_alone(path):
    truth(path).write_text("image_index,Z,X,Y\n")


@breakage("challenge", r"y_data.csv: columns: found no X among")
def other_columns(path):
    pd.read_csv(truth(path)).rename(columns={"X": "x"}).to_csv(truth(path), index=False)


@breakage("challenge", "y_data.csv: Z: found values such as 'a', expected numbers")
def words_for_positions(path):
    pd.read_csv(truth(path)).assign(Z="a").to_csv(truth(path), index=False)


@breakage("challenge", "y_data.csv: row 1: found .* expected three finite numbers, or three NaN as padding")
def half_a_position(path):
    table = pd.read_csv(truth(path))
    table.loc[1, "X"] = np.nan
    table.to_csv(truth(path), index=False)


@breakage("challenge", "y_data.csv: image_index: found 2 in one and not the other, expected rows of the volumes 0 to 2")
def truncated_truth(path):
    lines = truth(path).read_text().splitlines()
    truth(path).write_text("\n".join(lines[:4000]) + "\n")


@breakage("challenge", "y_data.csv: image_index: found 7 in one and not the other")
def truth_of_another_image(path):
    table = pd.read_csv(truth(path))
    table.loc[0, "image_index"] = 7
    table.to_csv(truth(path), index=False)


@breakage("challenge", "x_data_metadata.csv: rows: found 2, expected one for each of the 3 volumes")
def parameters_of_two_volumes(path):
    metadata = path.with_name("x_data_metadata.csv")
    pd.read_csv(metadata, index_col=0)[:2].to_csv(metadata)


@breakage("challenge", "x_data_metadata.csv: columns: found no r among")
def parameters_without_a_radius(path):
    metadata = path.with_name("x_data_metadata.csv")
    pd.read_csv(metadata, index_col=0).drop(columns="r").to_csv(metadata)


@breakage("research", "1: found an array that lies in another file, expected one that holds its own values")
def values_of_another_file(path):
    with h5py.File(path, "r+") as file:
        shape, dtype = file["1"].shape, file["1"].dtype
        del file["1"]
        file.create_dataset("1", shape=shape, dtype=dtype, external=[(__file__, 0, h5py.h5f.UNLIMITED)])


@breakage("research", "1: found an array that lies in another file")
def a_virtual_array(path):
    with h5py.File(path, "r+") as file:
        layout = h5py.VirtualLayout(shape=file["1"].shape, dtype=file["1"].dtype)
        layout[...] = h5py.VirtualSource(str(path), "2", shape=file["1"].shape)
        del file["1"]
        file.create_virtual_dataset("1", layout)


@breakage("research", "1_positions: found an array that lies in another file")
def a_link_to_another_file(path):
    with h5py.File(path, "r+") as file, h5py.File(path.with_name("other.hdf5"), "w") as other:
        file.copy("1_positions", other, "any")
        del file["1_positions"]
        file["1_positions"] = h5py.ExternalLink("other.hdf5", "any")


@breakage("research", "1: found an array that lies in another file")
def a_link_to_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    with h5py.File(path, "r+") as file:
        del file["1"]
        file["1"] = h5py.ExternalLink("pipe", "any")


@breakage("research", "1_positions: found [0-9.]+ MB declared by [0-9]+ bytes")
def a_chunk_larger_than_its_file(path):
    with h5py.File(path, "r+") as file:
        shape = file["1_positions"].shape
        del file["1_positions"]
        file.create_dataset("1_positions", shape, "u1", chunks=(2**15, 2**14), maxshape=(None, None))


@breakage("research", "1: found offset .*1j")
def counts_from_a_complex_number(path):
    with h5py.File(path, "r+") as file:
        file["1"].attrs["offset"] = 1j


@breakage("research", "x_data.json: particle_size of volume 1: found a number of 401 digits")
def a_number_that_no_64_bits_hold(path):
    about = json.loads(path.with_suffix(".json").read_text())
    about["1"]["particle_size"] = 10**400
    path.with_suffix(".json").write_text(json.dumps(about))


@breakage("research", "x_data.json: file: found no JSON")
def brackets_without_end(path):
    path.with_suffix(".json").write_text("[" * 100_000)


@pytest.mark.parametrize(("layout", "damage", "message"), BROKEN)
def test_a_broken_file_says_what_is_wrong(layout, damage, message, files, tmp_path):
    damage(files[layout])
    with pytest.raises(Hdf5Error, match=message):
        LAYOUTS[layout][1](files[layout], tmp_path / "back.zarr")
    assert not (tmp_path / "back.zarr").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_cut_anywhere_says_so(layout, files, tmp_path):
    whole = files[layout].read_bytes()
    for share in (0.02, 0.3, 0.7, 0.999):
        files[layout].write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(Hdf5Error, match="x_data.hdf5: "):
            LAYOUTS[layout][1](files[layout], tmp_path / "back.zarr")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_with_wrong_bytes_is_read_or_says_so(layout, files, tmp_path):
    """HDF5 has no checksums, so a wrong byte may go unseen; but it never ends in another kind of error."""
    rng, whole, refused = np.random.default_rng(0), files[layout].read_bytes(), 0
    for _ in range(25):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 10):
            damaged[place] = rng.integers(256)
        files[layout].write_bytes(damaged)
        try:
            LAYOUTS[layout][1](files[layout], tmp_path / "back.zarr")
        except Hdf5Error:
            refused += 1
    assert refused


def test_a_damaged_chunk_says_so(files, tmp_path):
    with h5py.File(files["challenge"]) as file:
        chunk = file["1"].id.get_chunk_info(0)
    with open(files["challenge"], "r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(bytes(chunk.size // 2))
    with pytest.raises(Hdf5Error, match="1: found nothing that can be read"):
        hdf5.import_challenge(files["challenge"], tmp_path / "back.zarr")


def test_what_is_too_large_is_refused_before_memory_is_asked_for(files, tmp_path):
    an_oversize_volume(files["research"])
    tracemalloc.start()
    with pytest.raises(Hdf5Error, match="MB declared"):
        hdf5.import_research(files["research"], tmp_path / "back.zarr")
    assert tracemalloc.get_traced_memory()[1] < 20e6  # the limit is 1 GB, the array 1e18
    tracemalloc.stop()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_limit_is_the_callers(layout, files, tmp_path):
    with pytest.raises(Hdf5Error, match="at most 0.0001 MB"):
        LAYOUTS[layout][1](files[layout], tmp_path / "back.zarr", limit_mb=1e-4)


def test_a_failed_export_leaves_the_old_files(files, tmp_path, monkeypatch):
    before = {path: path.read_bytes() for path in files["challenge"].parent.iterdir()}
    monkeypatch.setattr(hdf5, "_write_volume", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        hdf5.export_challenge(Dataset.open(tmp_path / "original.zarr"), files["challenge"])
    assert {path: path.read_bytes() for path in files["challenge"].parent.iterdir()} == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_command_line(layout, tmp_path):
    original = made_up(tmp_path)
    store, file, back = (str(tmp_path / name) for name in ("original.zarr", "x_data.hdf5", "back.zarr"))
    hdf5.main(["export", store, file, "--layout", layout])
    hdf5.main(["import", file, back, "--layout", layout])
    assert (Dataset.open(back).images[:] == original.images[:]).all()
