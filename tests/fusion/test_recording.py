"""Real files: the challenge's formats and others read, judged, restored, scored, and written in the same likeness."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
import zarr

from blurbench.files.answers import ImageAnswers
from blurbench.files.datasets import Dataset
from blurbench.fusion import measurement, preparation, volume_files
from blurbench.fusion.items import SHAPE, read
from blurbench.fusion.orientation import turned, turned_back
from blurbench.fusion.score import n_ssim
from blurbench.microscopy.recording_error import RecordingError

SPEC = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
OPTICS = {"detection_na": 0.4, "emission_um": 0.52, "illumination_um": 0.488, "sheet_waist_um": 2.5, "fan": 0.1}
RECORDING = {"problem": "fusion", "dataset": "tiny", "gain": 2, "offset": 100, "polarity": "bright", **OPTICS}
SPACING = (1.5, 0.4, 0.4)
SIZES = {"PhysicalSizeZ": 1.5, "PhysicalSizeY": 0.4, "PhysicalSizeX": 0.4}
CHALLENGE = {"axes": "ZYX", "spacing": 1.5, "unit": "um", **SIZES, "channel": "nucleus", "study": 1}
COPY = {"copy": {"method": "copy", "kind": "control", "options": {}, "models": {}}}


def volume(seed=0, shape=(9, 24, 20)):
    """Grey values of some blobs that a detector of RECORDING's gain and offset has counted."""
    rng = np.random.default_rng(seed)
    photons = 20 + 100 * np.kron(rng.random((3, 6, 5)) ** 3, np.ones((3, 4, 4)))[tuple(map(slice, shape))]
    return (2 * rng.poisson(photons) + 100).astype(np.uint16)


def shaped(path, grey, **about):
    """As the challenge's template writes."""
    tifffile.imwrite(
        path, grey, bigtiff=True, tile=(128, 128), resolution=(1 / 0.4, 1 / 0.4), metadata={**CHALLENGE, **about}
    )


def imagej(path, grey, **about):
    tifffile.imwrite(path, grey, imagej=True, resolution=(1 / 0.4, 1 / 0.4), metadata={**CHALLENGE, **about})


def lower_case(path, grey):
    about = {"axes": "ZYX", "unit": "µm", "physicalsizez": 1.5, "physical_size_y": 0.4, "physicalsizex": 0.4}
    tifffile.imwrite(path, grey, photometric="minisblack", metadata={**about, "channel": "nucleus", "study": 1})


def three_spacings(path, grey):
    about = {"axes": "ZYX", "spacing": list(SPACING), "unit": "micron", "channel": "nucleus", "study": 1}
    tifffile.imwrite(path, grey, photometric="minisblack", metadata=about)


def ome_tiff(path, grey):
    about = {"axes": "ZYX", **SIZES, "Channel": {"Name": "nucleus"}}
    tifffile.imwrite(path, grey, ome=True, metadata={**about, "PhysicalSizeZ": 1500, "PhysicalSizeZUnit": "nm"})


def ome_zarr(path, grey):
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": list(SPACING)}]}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    ome["omero"] = {"channels": [{"label": "nucleus"}]}
    zarr.create_group(path, zarr_format=3, attributes={"ome": ome}).create_array("0", data=grey)


FORMATS = {
    "shaped.tif": shaped,
    "imagej.tif": imagej,
    "lower_case.tif": lower_case,
    "three.tiff": three_spacings,
    "a.ome.tif": ome_tiff,
    "a.ome.zarr": ome_zarr,
}


def prepared(path, tmp_path, spec=SPEC, **changes):
    recording = {**RECORDING, "file": str(path), **changes}
    survey = preparation.prepare(recording, spec, tmp_path / "items.zarr", tmp_path / "items.json")
    return recording, survey, Dataset.open(tmp_path / "items.zarr")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


# Files


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_and_an_answer_written_in_its_likeness(folder, name):
    grey = volume()
    FORMATS[name](folder / name, grey)
    found = volume_files.read(folder / name)
    np.testing.assert_array_equal(preparation.grey_values(found), grey)
    assert volume_files.spacing_of(found) == pytest.approx(SPACING)
    assert volume_files.channel_of(found) == "nuclei"
    assert found.about.get("study", 1) == 1
    copy = folder / "restored" / name
    volume_files.write(copy, grey[::-1], found, SPACING)
    again = volume_files.read(copy)
    np.testing.assert_array_equal(preparation.grey_values(again), grey[::-1])
    assert volume_files.spacing_of(again) == pytest.approx(SPACING)
    dropped = {*volume_files.IMAGEJ, "axes"}
    kept = {key: value for key, value in found.about.items() if key not in dropped}
    assert kept.items() <= again.about.items() or name == "three.tiff", "what else stood in the file"
    if not name.endswith("zarr"):
        with tifffile.TiffFile(copy) as file:
            assert file.is_bigtiff and file.pages[0].tile == (128, 128) and file.series[0].axes == "ZYX"


def test_a_volume_of_the_challenges_size(folder):
    grey = np.tile(volume(shape=(9, 24, 20)), (25, 31, 43))[:222, :731, :860]
    shaped(folder / "image_0_nucleus_angle.tif", grey)
    found = volume_files.read(folder / "image_0_nucleus_angle.tif")
    assert found.shape == (222, 731, 860) and volume_files.spacing_of(found) == SPACING
    np.testing.assert_array_equal(preparation.grey_values(found), grey)


def test_views_find_their_fused_volumes(folder):
    for name in ("image_10_nucleus_angle", "image_2_nucleus_angle", "image_2_nucleus_fused", "mine", "mine_fused"):
        shaped(folder / f"{name}.tif", volume())
    (folder / "notes.txt").write_text("no volume")
    found = {view.name: fused and fused.name for view, fused in volume_files.pairs(folder)}
    assert found == {
        "image_2_nucleus_angle.tif": "image_2_nucleus_fused.tif",  # 2 before 10
        "image_10_nucleus_angle.tif": None,
        "mine.tif": "mine_fused.tif",
    }
    assert list(found) == ["image_2_nucleus_angle.tif", "image_10_nucleus_angle.tif", "mine.tif"]
    assert volume_files.pairs(folder / "mine.tif") == [(folder / "mine.tif", folder / "mine_fused.tif")]


@pytest.mark.parametrize("light", ["+x", "-x", "+y", "-y"])
@pytest.mark.parametrize("depth", ["+z", "-z"])
def test_the_light_goes_to_larger_x_and_depth_to_larger_z(light, depth):
    grey = np.zeros((3, 4, 5))
    into = {"x": (1, 1, slice(None)), "y": (1, slice(None), 1)}[light[1]]
    n = grey[into].size
    grey[into] = np.arange(n) if light[0] == "+" else np.arange(n)[::-1]
    grey[0 if depth == "+z" else 2] += 100  # next to the objective
    found = turned(grey, light, depth)
    assert (found[0] >= 100).all() and np.any(np.all(found[1] == np.arange(n), axis=1))
    np.testing.assert_array_equal(turned_back(found, light, depth), grey)


# Bad input


def broken(folder, name, grey=None, write=shaped, **about):
    write(folder / name, volume() if grey is None else grey, **about)


def z_last(folder):
    about = {**CHALLENGE, "axes": "YXZ"}
    grey = np.ascontiguousarray(np.moveaxis(volume(), 0, -1))
    tifffile.imwrite(folder / "a_nucleus.tif", grey, photometric="minisblack", metadata=about)


def colours(folder):
    tifffile.imwrite(folder / "a_nucleus.tif", np.stack([volume()] * 3, -1), photometric="rgb")


def silent(folder, **about):
    tifffile.imwrite(folder / "a_nucleus.tif", volume(), photometric="minisblack", metadata={"axes": "ZYX", **about})


def with_nan(folder):
    grey = volume().astype(np.float32)
    grey[4, 3, 2] = np.nan
    broken(folder, "a_nucleus.tif", grey)


def pair_of(folder, grey, **about):
    broken(folder, "a_nucleus_angle.tif")
    broken(folder, "a_nucleus_fused.tif", grey, **about)


MISLABELLED = "ImageJ=1.54f\nimages=9\nslices=9\nunit=um\nspacing=1.5\naxes=YXZ\n"
FLAT = np.full((9, 24, 20), 7, np.uint16)
BAD = {
    "a pair of two shapes": (
        lambda f: pair_of(f, volume()[:, :20]),
        r"a_nucleus_fused.tif: shape: found \(9, 20, 20\), expected \(9, 24, 20\) as of a_nucleus_angle.tif",
    ),
    "a pair of two spacings": (
        lambda f: pair_of(f, None, spacing=3, PhysicalSizeZ=3),
        "fused.tif: spacing along z: found 3 µm in its metadata, expected 1.5 as in a_nucleus_angle.tif",
    ),
    "two spacings": (
        lambda f: broken(f, "a.tif", spacing=3.0),
        "size of a voxel along z: found 1.5 µm and 3 µm, expected one size in its metadata",
    ),
    "two pixels": (
        lambda f: broken(f, "a.tif", write=imagej, PhysicalSizeX=0.2),
        "size of a voxel along x: found 0.2 µm and 0.4 µm",
    ),
    "other axes": (
        lambda f: tifffile.imwrite(f / "a.tif", volume(), metadata=None, description=MISLABELLED),
        "axes: found 'YXZ' in its metadata, expected 'ZYX'",
    ),
    "another shape": (
        lambda f: broken(f, "a.tif", write=imagej, shape="[9, 20, 24]"),
        r"shape: found \[9, 20, 24\] in its metadata, expected \(9, 24, 20\)",
    ),
    "z last": (z_last, "axes: found 'YXZ', the slices along the axis z behind y, expected .z, y, x.: turn it"),
    "RGB": (colours, "channels: found 3 channels"),
    "no spacing": (silent, "spacing_um: found nothing along z and y and x, neither in its metadata nor in the config"),
    "oblong pixels": (
        lambda f: silent(f, unit="um", **{**SIZES, "PhysicalSizeY": 0.6}),
        "spacing_um: found pixels of 0.6 x 0.4 µm, expected square",
    ),
    "two channels": (
        lambda f: broken(f, "a_membrane_angle.tif"),
        "channel: found nuclei in its metadata and membranes in its name",
    ),
    "no channel": (
        lambda f: broken(f, "a.tif", channel="GFP"),
        "channel: found nothing that says it, expected nuclei or membranes",
    ),
    "a constant volume": (lambda f: broken(f, "a.tif", FLAT), "a.tif: file: found the grey value 7 everywhere"),
    "a constant fused volume": (lambda f: pair_of(f, FLAT), "fused.tif: file: found the grey value 7 everywhere"),
    "NaN": (with_nan, "slice 4: found 1 pixels that are NaN"),
    "no volume": (lambda f: (f / "notes.txt").write_text("none"), "file: found no volume in the folder"),
    "no TIFF": (lambda f: (f / "a.tif").write_bytes(b"no image"), "a.tif: file: found no image that can be read"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_told_before_anything_is_written(folder, tmp_path, fault):
    make, message = BAD[fault]
    make(folder)
    with pytest.raises(RecordingError, match=message):
        prepared(folder, tmp_path)
    assert not list(tmp_path.glob("items*"))


def test_all_bad_files_of_a_folder_are_told_at_once(folder, tmp_path):
    broken(folder, "a.tif", spacing=3.0)
    broken(folder, "b.tif", channel="GFP")
    broken(folder, "c.tif")
    with pytest.raises(
        RecordingError, match=r"found 2 faults, expected none of them:\n.*a\.tif: size.*\n.*b\.tif: chan"
    ):
        prepared(folder, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spacing_um": [1.5, 0.3, 0.3]}, "spacing_um: found 0.3 in the configuration, expected 0.4 as in the file"),
        ({"detection_na": None}, "detection_na: found nothing, expected a number above 0"),
        ({"sheet_waist_um": -1}, "sheet_waist_um: found -1"),
        ({"polarity": "dark"}, "polarity: found dark, expected bright"),
        ({"offset": 5000}, "offset: found 5000 ADU, expected a dark level below the mean"),
        (
            {"offset": 190, "gain": 0.1},
            "offset: found .* % of the voxels more than 100 photons darker, expected the dark level",
        ),
        ({"gain": 1e-4}, "gain: found a voxel of .* photons, expected at most 65435"),
        ({"channel": "membranes"}, "channel: found membranes in the configuration and nuclei in its metadata"),
    ],
)
def test_a_wrong_entry_is_told(folder, tmp_path, changes, message):
    broken(folder, "a.tif")
    with pytest.raises(RecordingError, match=f"a.tif: {message}|images: {message}"):
        prepared(folder, tmp_path, **changes)


def test_models_of_several_views_are_refused(folder, tmp_path):
    broken(folder, "a.tif")
    spec = {**SPEC, "imaging": {**SPEC["imaging"], "views_given": 2}}
    with pytest.raises(RecordingError, match="dataset: found models that take 2 views"):
        prepared(folder, tmp_path, spec)


# Preparing and measuring


def test_volumes_of_different_shapes_are_items_as_methods_take_them(folder, tmp_path):
    small, large = volume(shape=(8, 20, 18)), volume(1)
    shaped(folder / "a_angle.tif", small)
    shaped(folder / "b_angle.tif", large)
    _, survey, items = prepared(folder, tmp_path, light="-x")
    assert items.images.shape == (2, 9, 24, 20) and items.images.dtype == np.uint16
    for i, grey in enumerate((small, large)):
        view = read(items.blind(), i)
        np.testing.assert_allclose(view.photons, (grey[:, :, ::-1] - 100.0) / 2)
        assert view.optics.spacing_um == SPACING and view.channel == "nuclei"
        # 0.66 n λ/NA² and 0.21 λ/NA, n of water
        assert view.optics.sigma_um == pytest.approx((0.66 * 1.33 * 0.52 / 0.16, 0.273, 0.273))
        assert view.optics.sheet_focus_um == pytest.approx((grey.shape[2] - 1) * 0.4 / 2)
    assert survey["photons"].tolist() == pytest.approx([(grey.mean() - 100) / 2 for grey in (small, large)])
    assert survey["study"].tolist() == ["1", "1"]


def test_what_lies_outside_of_the_training_is_told(folder, tmp_path):
    shaped(folder / "a.tif", volume())
    assert prepared(folder, tmp_path, read_noise=2)[1]["outside"].tolist() == [""]
    survey = prepared(folder, tmp_path, read_noise=2, sheet_waist_um=5)[1]
    assert survey["outside"].tolist() == ["sheet_waist_um 5, not 2 to 3"]


def test_gain_and_offset_of_the_camera_are_estimated(folder, tmp_path):
    rng = np.random.default_rng(5)
    photons = np.broadcast_to(np.linspace(20, 400, 100), (20, 60, 100))
    shaped(folder / "a.tif", (2 * rng.poisson(photons) + 50).astype(np.uint16))
    _, _, items = prepared(folder, tmp_path, gain="estimate", offset="estimate")
    assert items.spec["calibration"]["gain"] == pytest.approx(2, rel=0.05)  # the estimate's scatter
    assert items.spec["calibration"]["offset"] == pytest.approx(50, abs=8)


def test_restored_volumes_are_scored_and_written(folder, tmp_path):
    """A method that copies: it scores 0 where there is a fused volume, and what is written is what was read."""
    views = {"a_angle.tif": volume(), "b.ome.tif": volume(1), "c.ome.zarr": volume(2, (8, 24, 20))}
    for (name, grey), write in zip(views.items(), (shaped, ome_tiff, ome_zarr)):
        write(folder / name, grey)
    shaped(folder / "a_fused.tif", volume(3))
    out = tmp_path / "restored"
    recording, survey, items = prepared(folder, tmp_path, light="-y", depth="-z", restored=str(out))
    found = measurement.measure(recording, items, survey, COPY, "cpu", 100, 1)
    details = found.details.set_index("view")
    assert details["status"].tolist() == ["ok"] * 3
    assert details.loc["a_angle.tif", "n_ssim"] == 0 and details["n_ssim"].notna().sum() == 1
    row = found.methods.iloc[0]
    assert row[["method", "n_scored", "n_ssim", "fraction_below_0", "n_failed"]].tolist() == ["copy", 1, 0, 0, 0]
    for name, grey in views.items():
        np.testing.assert_array_equal(preparation.grey_values(volume_files.read(out / "copy" / name)), grey)
    profile = found.reference.query("method == 'copy' and view == 'c.ome.zarr'")
    np.testing.assert_allclose(profile["photons"], (views["c.ome.zarr"][::-1].mean(axis=(1, 2)) - 100) / 2)
    assert set(found.pictures) == {"view", "fused", "copy"}
    measurement.draw(tmp_path / "picture.svg", recording, items, survey, found)
    assert (tmp_path / "picture.svg").stat().st_size > 10_000


def test_scores_are_of_the_volumes_as_the_microscope_has_them(folder, tmp_path, monkeypatch):
    """Whatever the direction of the light: a mean of view and fused volume, which a stand-in for a method answers."""
    view, fused = volume(), volume(3)
    shaped(folder / "a_angle.tif", view)
    shaped(folder / "a_fused.tif", fused)
    recording, survey, items = prepared(folder, tmp_path, light="+y")
    mean = ((view.astype(np.float32) + fused) / 4 - 50).swapaxes(1, 2)
    table = pd.DataFrame({"item": [0], "seconds": [1.0], "status": ["ok"]})
    failed = ImageAnswers(table.assign(status="out of memory"), 0 * mean[None])
    runs = {1: ImageAnswers(table, mean[None]), 2: failed}
    monkeypatch.setattr(measurement, "answers", lambda *_: [("half", {"kind": "learned"}, runs)])
    found = measurement.measure(recording, items, survey, {}, "cpu", 100, 1)
    expected = n_ssim((view.astype(np.float32) + fused) / 2, fused.astype(np.float32), view.astype(np.float32))
    assert found.details["n_ssim"].tolist() == pytest.approx([expected, np.nan], nan_ok=True, abs=1e-5)
    assert found.methods[["n_seeds", "n_failed"]].to_numpy().tolist() == [[2, 1]]
    assert found.methods["n_ssim"][0] == pytest.approx(expected, abs=1e-5)


def test_the_store_says_how_far_each_volume_reaches(folder, tmp_path):
    shaped(folder / "a.tif", volume(shape=(8, 24, 20)))
    _, survey, items = prepared(folder, tmp_path, light="-y")
    assert items.items[list(SHAPE)].iloc[0].tolist() == [8, 20, 24] and survey["height_px"][0] == 24


@pytest.mark.parametrize("name", ["a.h5", "a.czi"])
def test_a_format_that_answers_cannot_be_written_in_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(RecordingError, match=f"{name}: file: found a file .{name[2:]}, expected a volume"):
        volume_files.pairs(tmp_path / name)
