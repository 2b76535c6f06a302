"""Known centres beside a recording: read in its frame, and scored as in the benchmark."""

import numpy as np
import pandas as pd
import pytest
from recorded_volumes import RECORDING, answer, entries, prepared, write

from blurbench.colloids import known_centres, measurement, recorded
from blurbench.colloids.known_centres import SCORES
from blurbench.microscopy.recording_error import RecordingError

SHAPE = (30, 75, 60)  # 7.5 µm along each axis, spheres of 1 µm
EVERY = np.arange(1.5, 6.1, 1.5)  # µm, none near a face
ALL = np.stack(np.meshgrid(EVERY, EVERY, EVERY, indexing="ij"), axis=-1).reshape(-1, 3)
SHIFT = (0.1 - np.array(RECORDING["voxel_um"])) / 2  # µm, from the recording's frame to that of the cubes


def volume(path, **changes):
    return write(path, np.random.default_rng(0).poisson(20, SHAPE), **changes)


def volumes(folder, n):
    """Entry of n volumes."""
    alone = [volume(folder / f"{k}.tif") for k in range(n)]
    return {**alone[0], "file": [one["file"] for one in alone]}


def table(path, points, **columns):
    pd.DataFrame(points, columns=["z", "y", "x"]).assign(**columns).to_csv(path, index=False)
    return str(path)


def found_of(item, truth):
    """All but ten of them, 0.1 µm too high; of these ten are 0.4 µm off along x; in the frame of the cubes."""
    points = truth[10:] - SHIFT + [0.1, 0, 0]
    points[:10] += [0, 0, 0.4]
    return answer(points, item=item)


def test_what_is_found_is_scored_in_the_frame_of_the_recording(tmp_path, predicts):
    entry = volume(tmp_path / "a.tif", centres=table(tmp_path / "known.csv", ALL))
    survey, items = prepared(entry, tmp_path)
    predicts(lambda method, dataset, model: found_of(0, ALL))
    row = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods.iloc[0]
    n, right = len(ALL), len(ALL) - 20
    assert row["precision"] == pytest.approx(right / (n - 10)) and row["recall"] == pytest.approx(right / n)
    assert row["f1"] == pytest.approx(2 * right / (2 * n - 10)) and row["n_scored"] == 1
    # Were the frames taken for the same, it would be 0.175 along z, and 0.0125 in the plane.
    assert row["bias_z_d"] == pytest.approx(0.1, abs=1e-6) and row["rms_z_d"] == pytest.approx(0.1, abs=1e-6)
    assert row["rms_xy_d"] == pytest.approx(0, abs=1e-6)


def test_without_known_centres_there_is_no_score(tmp_path, predicts):
    entry = volume(tmp_path / "a.tif")
    survey, items = prepared(entry, tmp_path)
    predicts(lambda method, dataset, model: found_of(0, ALL))
    found = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods
    assert not {*SCORES, "n_scored"} & set(found)


def test_a_failed_volume_has_found_nothing(tmp_path, predicts):
    entry = volume(tmp_path / "a.tif", centres=table(tmp_path / "known.csv", ALL))
    survey, items = prepared(entry, tmp_path)
    predicts(lambda method, dataset, model: answer([], "why not"))
    row = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods.iloc[0]
    assert row["status"] == "why not" and row[["f1", "precision", "recall"]].tolist() == [0, 0, 0]
    assert row["rms_z_d"] == 0.25


def test_numbers_are_of_the_volumes_that_are_known(tmp_path, predicts):
    """The first of three volumes is found in part, the second in full, of the third nothing is known."""
    entry = volumes(tmp_path, 3)
    known = pd.concat([pd.DataFrame(ALL, columns=["z", "y", "x"]).assign(file=file) for file in entry["file"][:2]])
    known.to_csv(tmp_path / "known.csv", index=False)
    entry["centres"] = str(tmp_path / "known.csv")
    survey, items = prepared(entry, tmp_path)
    predicts(
        lambda method, dataset, model: pd.concat(
            [found_of(0, ALL), answer(ALL - SHIFT, item=1), answer(ALL, item=2)], ignore_index=True
        )
    )
    found = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1)
    whole, first, second, third = found.methods.to_dict("records")
    assert second["f1"] == 1 and np.isnan(third["f1"]) and whole["n_scored"] == 2
    assert whole["f1"] == pytest.approx((first["f1"] + 1) / 2)
    assert whole["rms_z_d"] == pytest.approx(np.sqrt(first["rms_z_d"] ** 2 / 2), abs=1e-6)


def test_a_table_of_details_is_one_of_known_centres(tmp_path, predicts):
    """What one method found, taken for known, is found again in full: columns and frame are the same."""
    entry = volumes(tmp_path, 2)
    survey, items = prepared(entry, tmp_path)
    predicts(lambda *_: pd.concat([found_of(0, ALL), answer(ALL[::2], item=1)], ignore_index=True))
    details = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).details
    details.to_csv(tmp_path / "details.csv", index=False)
    entry = {**entry, "centres": str(tmp_path / "details.csv")}
    again = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1).methods
    assert again["f1"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("z,y\n1,2\n", "found the columns z, y, without x, expected z, y, x, in µm"),
        ("z,y,x\n1,2,3\n1,two,3\n", "found 1, two, 3 in line 3, expected three numbers"),
        ("z,y,x\n1,,3\n", "found 1.0, nan, 3.0 in line 2, expected three numbers"),
        (
            "z,y,x\n40,60,50\n40,80,60\n1,1,1\n",
            "found 1 of 3 centres inside of a volume of 7.5 x 7.5 x 7.5 µm, expected µm",
        ),
        ("z,y,x\n", "found no centre"),
        ("", "found no table"),
    ],
)
def test_a_wrong_table_is_refused_before_voxels_are_read(tmp_path, monkeypatch, content, message):
    (tmp_path / "known.csv").write_text(content)
    entry = volume(tmp_path / "a.tif", centres=str(tmp_path / "known.csv"))
    monkeypatch.setattr(recorded, "grey_values", lambda *_: pytest.fail("read before the table was judged"))
    with pytest.raises(RecordingError, match=f"known.csv: centres: {message}"):
        prepared(entry, tmp_path)


def test_the_volume_of_each_centre_is_told(tmp_path):
    places = [{"file": "a.tif", "time": 0}, {"file": "a.tif", "time": 1}]
    entry = {"centres": table(tmp_path / "known.csv", ALL[:3], time=[0, 1, 1])}
    first, second = known_centres.read(entry, places, [12, 12, 12])
    np.testing.assert_array_equal(first, ALL[:1])
    np.testing.assert_array_equal(second, ALL[1:3])
    with pytest.raises(RecordingError, match="without time, expected time, z, y, x"):
        known_centres.read({"centres": table(tmp_path / "none.csv", ALL)}, places, [12, 12, 12])
    strange = {"centres": table(tmp_path / "strange.csv", ALL[:2], time=[0, 7])}
    with pytest.raises(RecordingError, match="found the volume 7, expected one of the recording's: 0; 1"):
        known_centres.read(strange, places, [12, 12, 12])
