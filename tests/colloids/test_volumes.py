"""Several volumes as one recording: of files that are pooled, and of points in time."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from recorded_volumes import BLOB, RECORDING, SHAPE, answer, blob, entries, prepared, write

from blurbench.colloids import measurement, preparation, recorded
from blurbench.microscopy.photon_transfer import Transfer
from blurbench.microscopy.recording_error import RecordingError

MOVED = np.array([0.0, 0.2, -0.3])  # µm, from one volume to the next


def stored(photons):
    return np.rint(2 * photons + 50).astype(np.uint16)


@pytest.fixture
def several(tmp_path):
    """Two points in time in one file and one volume in another; the blob moves on from volume to volume."""
    light = [blob(centre=BLOB + k * MOVED, height=200.0 - 20 * k) for k in range(3)]
    tifffile.imwrite(
        tmp_path / "times.tif", np.stack([stored(one) for one in light[:2]]), imagej=True, metadata={"axes": "TZYX"}
    )
    write(tmp_path / "alone.tif", light[2])
    return {**RECORDING, "file": [str(tmp_path / "times.tif"), str(tmp_path / "alone.tif")]}, light


def blobs(method, dataset, model):
    """The middle of the light of every item, and one more in the second."""
    found = []
    for i, image in enumerate(dataset.images[:]):
        light = np.maximum(image.astype(float) - 100 - 5, 0)
        middle = np.array([(light * g).sum() for g in np.indices(light.shape)]) / light.sum() * 0.1
        found.append(answer([middle, middle + 0.9] if i == 1 else [middle], item=i))
    return pd.concat(found, ignore_index=True)


def test_each_volume_is_an_item_as_if_alone(several, tmp_path):
    entry, light = several
    survey, items = prepared(entry, tmp_path)
    assert len(items) == 3 and items.items.nunique().eq(1).all()
    for k, photons in enumerate(light):
        (tmp_path / f"{k}").mkdir()
        alone, one = prepared(write(tmp_path / f"{k}.tif", photons), tmp_path / f"{k}")
        np.testing.assert_array_equal(items.images[k], one.images[0])
        own = survey[survey["item"] == k]
        np.testing.assert_array_equal(own[["z_um", "photons"]], alone[["z_um", "photons"]])
    times, alone = entry["file"]
    expected = [{"file": times, "time": 0}, {"file": times, "time": 1}, {"file": alone, "time": None}]
    assert items.spec["volumes"] == expected


def test_dark_spheres_are_reflected_about_the_quantile_of_all_voxels(tmp_path):
    """Which is found slice by slice, of what light was lost along z too."""
    photons = np.random.default_rng(0).poisson(100, SHAPE)
    entry = write(tmp_path / "a.tif", photons, polarity="dark")
    kept = np.linspace(1, 0.5, len(photons))
    whole = recorded.Photons(entry, recorded.listed(entry)[0], Transfer(2.0, 50.0, "given"), kept)
    light = photons / kept[:, None, None]
    np.testing.assert_allclose(whole[:], np.maximum(np.quantile(light, 0.999) - light, 0), atol=1e-3)
    np.testing.assert_array_equal(whole[3:5], whole[:][3:5])


def test_points_in_time_that_a_file_does_not_hold_are_told(several, tmp_path):
    entry, _ = several
    first = {**entry, "file": entry["file"][0]}
    prepared({**first, "points": 2}, tmp_path)
    with pytest.raises(RecordingError, match="times.tif: points: found 3, expected 2 as in the file"):
        prepared({**first, "points": 3}, tmp_path)


def test_tables_say_which_volume(several, tmp_path, predicts):
    entry, _ = several
    survey, items = prepared(entry, tmp_path)
    predicts(blobs)
    found = measurement.measure(entry, items, survey, entries(any={}, other={}), "cpu", 100, 1)
    own = found.details[found.details["method"] == "any"]
    times, alone = entry["file"]
    assert own["file"].tolist() == [times, times, times, alone]
    assert own["time"].astype("string").fillna("").tolist() == ["0", "1", "1", ""]
    places = own.loc[~own.duplicated("item"), ["z", "y", "x"]].to_numpy()
    np.testing.assert_allclose(places, [BLOB + k * MOVED for k in range(3)], atol=0.03)
    table = found.methods[found.methods["method"] == "any"]
    whole, *each = table.to_dict("records")
    assert whole["n"] == pytest.approx(4 / 3) and pd.isna(whole["item"]) and whole["n_volumes"] == 3
    assert [row["n"] for row in each] == [1, 2, 1] and [row["item"] for row in each] == [0, 1, 2]
    assert found.methods["method"].tolist() == ["any", "other", *3 * ["any"], *3 * ["other"]]
    written = pd.read_csv(_written(found.details, tmp_path), dtype={"time": str}, keep_default_na=False)
    assert set(written["time"]) == {"0", "1", ""}
    measurement.draw(tmp_path / "a.svg", entry, items, survey, found)
    assert "any, n = 1" in (tmp_path / "a.svg").read_text()  # of the first volume


def _written(table, folder):
    table.to_csv(folder / "details.csv", index=False)
    return folder / "details.csv"


def test_a_volume_without_an_answer_is_counted_and_no_part_of_the_means(several, tmp_path, predicts):
    entry, _ = several
    survey, items = prepared(entry, tmp_path)

    def last_fails(method, dataset, model):
        parts = [answer([[2, 2, 2]] * (i + 1), item=i) for i in range(2)]
        return pd.concat([*parts, answer([], "why not", item=2)], ignore_index=True)

    predicts(last_fails)
    table = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods
    whole, *each = table.to_dict("records")
    assert whole["n"] == 1.5 and whole["n_failed"] == 1 and whole["status"] == "ok"
    assert [row["status"] for row in each] == ["ok", "ok", "why not"] and pd.isna(each[2]["n"])


def test_remarks_name_their_volume(several, tmp_path, predicts):
    entry, light = several
    fading = light[2] * np.linspace(1, 0.02, 16)[:, None, None] + np.linspace(80, 2, 16)[:, None, None]
    tifffile.imwrite(entry["file"][1], stored(fading), photometric="minisblack")
    survey, items = prepared(entry, tmp_path)
    even = survey["item"] < 2
    survey.loc[even, "photons"] = 10.0
    predicts(blobs)
    table = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods
    whole, *each = table["remark"].tolist()
    assert whole.startswith(f"{entry['file'][1]}: the last third of the slices") and each[:2] == ["", ""]
    assert each[2].startswith("the last third of the slices")


def test_estimates_of_the_detector_are_pooled(tmp_path):
    rng = np.random.default_rng(1)
    expected = np.broadcast_to(np.linspace(20, 400, 80), (24, 60, 80))
    entry = write(tmp_path / "0.tif", rng.poisson(expected), gain="estimate", offset="estimate")
    files = [str(tmp_path / f"{k}.tif") for k in range(3)]
    for file in files[1:]:
        write(file, rng.poisson(expected))
    _, items = prepared({**entry, "file": files}, tmp_path)
    assert items.spec["calibration"]["gain"] == pytest.approx(2, rel=0.05)
    assert items.spec["calibration"]["how"] == "medians of 3 estimates"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            blob((16, 40, 36)),
            r"b.tif: shape: found \(16, 40, 36\), expected \(16, 40, 34\) as in .*a.tif: volumes that",
        ),
        (np.where(np.indices((16, 40, 34))[0] == 9, np.nan, blob()), "b.tif: slice 9: found 1360 pixels that are NaN"),
        (np.zeros((16, 40, 34)), "b.tif: file: found the grey value 50"),
        (np.stack([blob(), np.zeros((16, 40, 34))]), "b.tif, time 1: file: found the grey value 50"),
    ],
)
def test_a_wrong_volume_is_refused_before_any_is_resampled(tmp_path, monkeypatch, second, message):
    entry = write(tmp_path / "a.tif", blob())
    axes = {"axes": "TZYX" if second.ndim == 4 else "ZYX"}
    tifffile.imwrite(tmp_path / "b.tif", (2 * second + 50).astype(np.float32), metadata=axes)
    monkeypatch.setattr(preparation, "resampled", lambda *_: pytest.fail("resampled before all volumes were judged"))
    with pytest.raises(RecordingError, match=message):
        prepared({**entry, "file": [entry["file"], str(tmp_path / "b.tif")]}, tmp_path)


def test_the_metadata_of_every_file_count(tmp_path):
    entry = write(tmp_path / "a.tif", blob())
    about = {"axes": "ZYX", "PhysicalSizeX": 150, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(tmp_path / "b.ome.tif", stored(blob()), ome=True, metadata=about)
    with pytest.raises(RecordingError, match=r"b.ome.tif: voxel_um: found 0.125 in the configuration, expected 0.15"):
        prepared({**entry, "file": [entry["file"], str(tmp_path / "b.ome.tif")]}, tmp_path)
