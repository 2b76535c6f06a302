"""Real files: images of any size and type read, judged, segmented, scored; cells listed; labels and pictures kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from skimage.io import imread, imsave

from blurbench.files import parquet
from blurbench.files.answers import OK, ImageAnswers
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recording_error import RecordingError
from blurbench.segmentation import image_files, measurement, preparation
from blurbench.segmentation.items import read
from blurbench.segmentation.object_size import usual_diameter
from blurbench.segmentation.preparation import FOREGROUND

SPEC = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
RECORDING = {"problem": "segmentation", "dataset": "tiny", "gain": 1, "offset": 0, "polarity": "bright"}
SHAPE = (60, 80)
CENTRES = [(15, 15), (15, 50), (42, 20), (40, 62)]
RADIUS = 8


def discs(shape=SHAPE, centres=CENTRES, radius=RADIUS):
    """Labels of discs."""
    labels, (y, x) = np.zeros(shape, np.uint16), np.indices(shape)
    for k, (cy, cx) in enumerate(centres):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = k + 1
    return labels


def image(labels, dtype=np.uint8, seed=0):
    """Grey values: background 10, discs 110, 120, 130, ..., some noise around."""
    noise = np.random.default_rng(seed).integers(0, 3, labels.shape) * (labels == 0)
    return (10 + noise + np.where(labels > 0, 90 + 10 * labels.astype(int), 0)).astype(dtype)


LABELS = discs()
GREY = image(LABELS)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


def prepared(path, tmp_path, **changes):
    recording = {**RECORDING, "file": str(path), **changes}
    survey = preparation.prepare(recording, SPEC, tmp_path / "items.zarr", tmp_path / "items.json")
    parquet.write(survey, tmp_path / "survey.parquet")  # as the workflow hands it on
    return recording, parquet.read(tmp_path / "survey.parquet"), Dataset.open(tmp_path / "items.zarr")


def measured(monkeypatch, recording, items, survey, *answers, status=None):
    """What `measure` makes of stand-ins for a method of some training seeds, each a list of labels of every image."""
    runs = {}
    for seed, labels in enumerate(answers):
        whole = np.zeros(items.images.shape, np.uint16)
        for target, one in zip(whole, labels, strict=True):
            target[tuple(map(slice, one.shape))] = one
        table = pd.DataFrame({"item": range(len(whole)), "seconds": 1.0, "status": status or OK})
        runs[seed] = ImageAnswers(table, whole)
    monkeypatch.setattr(measurement, "answers", lambda *_: [("net", {"kind": "learned"}, runs)])
    return measurement.measure(recording, items, survey, {}, "cpu", 100, 1)


# Files


def test_images_find_their_truths(folder):
    names = (
        "a10.tif",
        "a2.png",
        "a2_labels.tif",
        "b_mask.tif",
        "b.tiff",
        "img2d.tif",
        "mask2d.tif",
        "c_labels.tif",
        "masked.tif",
    )
    for name in names:
        imsave(folder / name, GREY, check_contrast=False)
    (folder / "README.md").write_text("no image")
    found = {pair.image.name: pair.truth and pair.truth.name for pair in image_files.pairs(folder)}
    truths = {
        "a2.png": "a2_labels.tif",
        "a10.tif": None,
        "b.tiff": "b_mask.tif",
        "img2d.tif": "mask2d.tif",
        "masked.tif": None,
    }
    assert found == truths and list(found) == list(truths), "2 before 10; labels without an image are none"
    assert image_files.pairs(folder / "b.tiff") == [(folder / "b.tiff", folder / "b_mask.tif")]


def test_two_images_of_one_name_are_told(folder):
    for name in ("a.tif", "a.png", "b.tif"):
        imsave(folder / name, GREY, check_contrast=False)
    with pytest.raises(RecordingError, match="file: found a.png beside a file of that name, expected one image of a"):
        image_files.pairs(folder)


def test_instances_are_told_from_masks():
    mask = (LABELS > 0).astype(np.uint8)
    assert image_files.are_instances("a_mask.tif", LABELS) and not image_files.are_instances("a_mask.tif", 255 * mask)
    assert image_files.are_instances("a_labels.tif", mask)  # of a single cell


def truncated(path):
    tifffile.imwrite(path, GREY)
    path.write_bytes(path.read_bytes()[: GREY.nbytes // 2])


def damaged(path):
    tifffile.imwrite(path, GREY, compression="zlib")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)


def huge(path):
    """Declares 160 GB and holds nothing."""
    tifffile.imwrite(path, GREY, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[name].overwrite(400_000)


def with_nan(path):
    grey = GREY.astype(np.float32)
    grey[3, 4] = np.nan
    tifffile.imwrite(path, grey)


BAD = {
    "colours.png": (lambda p: imsave(p, np.stack([GREY] * 3, -1)), "channels: found 3 channels"),
    "rgb.tif": (lambda p: tifffile.imwrite(p, np.stack([GREY] * 3, -1), photometric="rgb"), "channels: found 3 chan"),
    "planar.tif": (
        lambda p: tifffile.imwrite(p, np.stack([GREY] * 3), photometric="rgb", planarconfig="separate"),
        "channels: found 3 channels",
    ),
    "stack.tif": (lambda p: tifffile.imwrite(p, np.stack([GREY] * 5), photometric="minisblack"), "axes: found the sha"),
    "none.tif": (lambda p: p.write_bytes(b""), "file: found no image that can be read"),
    "nothing.png": (lambda p: p.write_bytes(b""), "file: found no image that can be read"),
    "text.tif": (lambda p: p.write_text("no image"), "file: found no image that can be read"),
    "truncated.tif": (truncated, "file: found no image that can be read"),
    "damaged.tif": (damaged, "file: found no image that can be read"),
    "huge.tif": (huge, "size: found 1.6e.05 MB declared for a picture, expected at most 4096 MB"),
    "constant.tif": (lambda p: tifffile.imwrite(p, 0 * GREY + 7), "file: found the grey value 7 everywhere"),
    "nan.tif": (with_nan, "file: found 1 pixels that are NaN"),
    "complex.tif": (lambda p: tifffile.imwrite(p, GREY.astype(np.complex64)), "pixel type: found complex64"),
    "small.tif": (lambda p: tifffile.imwrite(p, GREY / np.float32(255)), "gain: found 1: a span of .* grey levels"),
    "bright.tif": (
        lambda p: tifffile.imwrite(p, GREY.astype(np.float32) * 1e4),
        "gain: found 1: a pixel of .* grey levels, expected one that leaves at most 65535",
    ),
}


def test_bad_files_keep_their_rows_and_the_others_are_measured(folder, tmp_path, monkeypatch):
    """8 and 16 bit and floats, of different sizes, among every kind of file that cannot be measured."""
    for name, (make, _) in BAD.items():
        make(folder / name)
    shapes = {"a.tif": (60, 80), "b.png": (50, 90), "c.tif": (64, 70)}
    types = {"a.tif": np.uint8, "b.png": np.uint16, "c.tif": np.float32}
    truths = [discs(shape) for shape in shapes.values()]
    for name, labels in zip(shapes, truths):
        imsave(folder / name, image(labels, types[name]), check_contrast=False)
    recording, survey, items = prepared(folder, tmp_path)
    by_name = survey.assign(name=[Path(file).name for file in survey["image"]]).set_index("name")
    assert set(by_name.index) == {*BAD, *shapes}
    for name, (_, reason) in BAD.items():
        assert pd.Series([by_name.loc[name, "status"]]).str.contains(f"{name}: {reason}", regex=True).all()
        assert by_name.loc[name, "item"] == -1
    assert (by_name.loc[list(shapes), "status"] == OK).all() and items.images.shape == (3, 64, 90)
    for i, (name, shape) in enumerate(shapes.items()):
        assert by_name.loc[name, "item"] == i and by_name.loc[name, "dtype"] == np.dtype(types[name]).name
        np.testing.assert_array_equal(read(items.blind(), i).image, image(discs(shape)))
    found = measured(monkeypatch, recording, items, survey, truths)
    assert len(found.details) == 3 * len(CENTRES)
    assert found.methods[["n_images", "n_bad", "n_scored", "count", "n_failed"]].to_numpy().tolist() == [
        [3, len(BAD), 0, len(CENTRES), 0]
    ]
    refused = found.reference[found.reference["method"].isna()]
    assert set(refused["image"]) == set(BAD) and (refused["status"] != OK).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gain": None}, "images: gain: found nothing, expected a number above 0"),
        ({"polarity": None}, "images: polarity: found nothing, expected bright"),
        ({"diameter_px": -3}, "images: diameter_px: found -3, expected a number above 0"),
        ({"offset": 5000}, "no image that can be measured, expected .*\n.*a.tif: offset: found 5000 ADU"),
    ],
)
def test_a_wrong_entry_is_told(folder, tmp_path, changes, message):
    tifffile.imwrite(folder / "a.tif", GREY)
    with pytest.raises(RecordingError, match=message):
        prepared(folder, tmp_path, **changes)
    assert not list(tmp_path.glob("items*"))


@pytest.mark.parametrize("path", ["images", "nowhere"])
def test_a_folder_without_images_is_told(folder, tmp_path, path):
    with pytest.raises(RecordingError, match="file: found (nothing there|no image in the folder)"):
        prepared(tmp_path / path, tmp_path)


def test_a_truth_of_another_shape_is_told(folder, tmp_path):
    tifffile.imwrite(folder / "a.tif", GREY)
    tifffile.imwrite(folder / "b.tif", GREY)
    tifffile.imwrite(folder / "b_labels.tif", LABELS[1:])
    _, survey, _ = prepared(folder, tmp_path)
    assert survey["status"][0] == OK
    assert "b_labels.tif: shape: found (59, 80), expected (60, 80) as of its image" in survey["status"][1]


# Grey levels and sizes


@pytest.mark.parametrize("scale", [1, 37.5])
@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_images_are_brought_to_one_scale(folder, tmp_path, scale, polarity):
    """Whatever the gain, the offset and the polarity, the means of background and cells are those of BBBC005."""
    grey = 300 + scale * GREY.astype(float)
    grey = grey if polarity == "bright" else 9000 - grey
    tifffile.imwrite(folder / "a.tif", np.rint(grey).astype(np.uint16))
    _, survey, items = prepared(folder, tmp_path, gain="estimate", offset="estimate", polarity=polarity)
    found = read(items, 0).image
    assert found[LABELS > 0].mean() == pytest.approx(FOREGROUND, abs=0.5)  # whole grey levels
    assert found[LABELS == 0].mean() == pytest.approx(1 * FOREGROUND / 105, abs=0.7)  # the noise is 1 on average
    # Discs of 100 to 130 above 10, of equal areas.
    assert survey["gain"][0] == pytest.approx(scale * 115 / FOREGROUND, rel=0.02)


def test_a_stated_calibration_is_kept(folder, tmp_path):
    tifffile.imwrite(folder / "a.tif", GREY)
    _, survey, items = prepared(folder, tmp_path, gain=2, offset=5, diameter_px=11, stain="cells", blur_px=7)
    field = read(items.blind(), 0)
    np.testing.assert_allclose(field.image, np.rint((GREY - 5.0) / 2))
    assert (field.stain, field.blur_px, field.diameter_px) == ("cells", 7, 11)
    assert survey[["gain", "offset", "diameter_px"]].iloc[0].tolist() == [2, 5, 11]


def test_what_lies_outside_of_the_training_is_told(folder, tmp_path):
    tifffile.imwrite(folder / "a.tif", GREY)
    assert prepared(folder, tmp_path, diameter_px=10.5)[1]["outside"].tolist() == [""]
    survey = prepared(folder, tmp_path, diameter_px=30, blur_px=12)[1]
    assert survey["outside"].tolist() == ["diameter_px 30, not 9 to 11; blur_px 12, not 1 to 9"]


@pytest.mark.parametrize("radius", [5, 12, 30])
def test_the_usual_diameter_is_that_of_the_discs(radius):
    """Of rough objects it is to be right within a fifth; discs are their own inscribed ones: a tenth more.

    Or, of small ones, a pixel and a half, by which smoothing flattens the maxima.
    """
    centres = [(40 + 80 * i, 40 + 80 * j) for i in range(3) for j in range(3)]
    grey = image(discs((240, 240), centres, radius)).astype(np.float32)
    assert usual_diameter(grey) == pytest.approx(2 * radius, rel=0.11, abs=1.5)


def test_objects_that_touch_are_as_large_as_alone():
    centres = [(60 + 22 * i, 60 + 22 * j) for i in range(5) for j in range(5)]
    grey = image(discs((210, 210), centres, 12)).astype(np.float32)
    assert usual_diameter(grey) == pytest.approx(24, rel=0.15)


def test_half_of_the_area_is_of_smaller_objects():
    small = [(20 + 40 * i, 180) for i in range(5)]
    labels = 1 * (discs((220, 220), [(60, 60)], 40) + discs((220, 220), small, 10) > 0)
    assert usual_diameter(100.0 * labels) == pytest.approx(80, rel=0.11)  # 1,600 against 5 of 100
    assert usual_diameter(np.zeros((9, 9))) == 1


# Measuring


def test_cells_are_listed_with_their_size_place_and_light(folder, tmp_path, monkeypatch):
    tifffile.imwrite(folder / "a.tif", GREY)
    recording, survey, items = prepared(folder, tmp_path, gain="estimate", offset="estimate")
    cells = measured(monkeypatch, recording, items, survey, [LABELS]).details
    assert cells[["y", "x"]].to_numpy().tolist() == [list(map(float, centre)) for centre in CENTRES]
    assert cells["area_px"].tolist() == [np.count_nonzero(LABELS == k) for k in range(1, 5)]
    np.testing.assert_allclose(cells["diameter_px"], 2 * np.sqrt(cells["area_px"] / np.pi))
    # In grey values of the file, whatever methods were given.
    assert cells["intensity_mean"].tolist() == [110, 120, 130, 140] == cells["intensity_max"].tolist()
    assert set(cells["image"]) == {"a.tif"} and set(cells["method"]) == {"net"}


def test_scores_are_means_over_images_of_means_over_training_seeds(folder, tmp_path, monkeypatch):
    """One image with instances, one with a mask, one without truth; of one seed a cell is missing."""
    for name in ("a", "b", "c"):
        tifffile.imwrite(folder / f"{name}.tif", GREY)
    tifffile.imwrite(folder / "a_labels.tif", LABELS)
    tifffile.imwrite(folder / "b_mask.tif", (255 * (LABELS > 0)).astype(np.uint8))
    recording, survey, items = prepared(folder, tmp_path)
    fewer = np.where(LABELS == 4, 0, LABELS)
    found = measured(monkeypatch, recording, items, survey, [LABELS] * 3, [fewer] * 3)
    row, part = found.methods.iloc[0], np.mean(LABELS[LABELS > 0] != 4)
    f1 = 2 * part / (1 + part)
    assert row[["n_scored", "n_seeds", "n_images", "n_bad"]].tolist() == [2, 2, 3, 0]
    assert row["pixel_f1"] == pytest.approx((1 + f1) / 2) and row["instance_f1_50"] == pytest.approx((1 + 6 / 7) / 2)
    assert (row["count_mae"], row["count_bias"], row["count"]) == (0.5, -0.5, 3.5)
    by_image = found.reference.set_index(["image", "seed"])
    assert by_image.loc[("b.tif", 0), "pixel_f1"] == 1 and np.isnan(by_image.loc[("b.tif", 0), "instance_f1_50"])
    assert by_image.loc["c.tif"][list(measurement.SCORES)].isna().all(axis=None)


def test_a_failure_keeps_its_row(folder, tmp_path, monkeypatch):
    tifffile.imwrite(folder / "a.tif", GREY)
    recording, survey, items = prepared(folder, tmp_path)
    found = measured(monkeypatch, recording, items, survey, [LABELS], status="out of memory")
    assert found.methods["n_failed"].tolist() == [1] and found.details.empty
    assert found.reference["status"].tolist() == ["out of memory"]
    measurement.draw(tmp_path / "a.svg", recording, items, survey, found)


def test_labels_and_pictures_are_kept(folder, tmp_path, monkeypatch):
    """Of the first training seed, as large as each image is."""
    small = discs((40, 50), CENTRES[:1])
    tifffile.imwrite(folder / "a.tif", GREY)
    tifffile.imwrite(folder / "b.tif", image(small, np.uint16))
    tifffile.imwrite(folder / "b_labels.tif", small)
    out = tmp_path / "out"
    recording, survey, items = prepared(folder, tmp_path, labels=str(out))
    found = measured(monkeypatch, recording, items, survey, [LABELS, small], [0 * LABELS, 0 * small])
    assert {file.name for file in (out / "net").iterdir()} == {
        f"{name}_{what}" for name in "ab" for what in ("labels.tif", "outlines.png")
    }
    for name, labels in (("a", LABELS), ("b", small)):
        np.testing.assert_array_equal(tifffile.imread(out / "net" / f"{name}_labels.tif"), labels)
        assert imread(out / "net" / f"{name}_outlines.png").shape == (*labels.shape, 3)
    assert list(found.pictures) == ["image", "net"]
    measurement.draw(tmp_path / "picture.svg", recording, items, survey, found)
    assert (tmp_path / "picture.svg").stat().st_size > 5_000


def test_a_control_runs_on_a_folder(folder, tmp_path):
    """Through the library, not a stand-in: one cell that covers each image, however small."""
    tifffile.imwrite(folder / "a.tif", GREY)
    tifffile.imwrite(folder / "b.tif", image(discs((40, 50))))
    recording, survey, items = prepared(folder, tmp_path)
    entries = {"all_foreground": {"method": "all_foreground", "kind": "control", "options": {}, "models": {}}}
    found = measurement.measure(recording, items, survey, entries, "cpu", 100, 1)
    assert found.details["area_px"].tolist() == [GREY.size, 2000]
    assert found.methods["count"].tolist() == [1]
