"""Prediction files that others wrote: what may be absent, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from blurbench.files import parquet, predictions
from blurbench.files.predictions import NO_ROW, OK, PredictionError

NUMBERS, POINTS = ("D", "D_lo95"), ("z", "y", "x", "confidence")


def read(tmp_path, rows, n, answers, points=False):
    path = tmp_path / "0.parquet"
    pd.DataFrame(rows).to_parquet(path, index=False)
    return predictions.read(path, n, answers, points)


def test_an_item_without_a_row_says_so(tmp_path):
    frame = read(tmp_path, {"item": [2, 0], "D": [2.0, 0.5]}, 3, NUMBERS)
    assert list(frame) == ["item", *NUMBERS, "seconds", "status"]
    assert list(frame["item"]) == [0, 1, 2] and list(frame["status"]) == [OK, NO_ROW, OK]
    np.testing.assert_array_equal(frame["D"], [0.5, np.nan, 2.0])
    assert frame[["D_lo95", "seconds"]].isna().all(axis=None)


def test_points_keep_all_their_rows(tmp_path):
    rows = {"item": [2, 0, 2, 3], "z": [1.0, 2.0, 3.0, np.nan], "y": 0.0, "x": 0.0}
    frame = read(tmp_path, rows, 5, POINTS, points=True)
    assert list(frame["item"]) == [0, 1, 2, 2, 3, 4]
    assert list(frame["status"]) == [OK, NO_ROW, OK, OK, OK, NO_ROW], "an item with an empty row has been looked at"
    np.testing.assert_array_equal(frame["z"], [2.0, np.nan, 1.0, 3.0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("rows", "points", "message"),
    [
        ({"item": [0, 0], "D": [1.0, 2.0]}, False, "item 0 has two rows"),
        ({"item": [0, 3], "D": [1.0, 2.0]}, False, "items 0 to 3, the dataset has 0 to 2"),
        ({"item": [-1], "D": [1.0]}, False, "items -1 to -1"),
        ({"D": [1.0]}, False, r"columns \['item'\] are missing"),
        ({"item": [0], "d": [1.0]}, False, r"columns \['D'\] are missing"),
        ({"item": [0], "z": [1.0], "y": [1.0]}, True, r"columns \['x'\] are missing"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, rows, points, message):
    with pytest.raises(PredictionError, match=f"0.parquet: {message}"):
        read(tmp_path, rows, 3, POINTS if points else NUMBERS, points)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = tmp_path / "0.parquet"
    predictions.write(pd.DataFrame({"item": range(100), "D": np.linspace(0, 1, 100)}), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(PredictionError, match="0.parquet: found no Parquet file"):
        predictions.read(path, 100, NUMBERS)


def test_a_flipped_bit_in_a_number_is_found(tmp_path):
    path, D = tmp_path / "0.parquet", np.random.default_rng(1).random(100)
    predictions.write(pd.DataFrame({"item": range(100), "D": D}), path)
    content = bytearray(path.read_bytes())
    content[content.index(D[50:52].tobytes()) + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(PredictionError, match="0.parquet: .*CRC"):
        predictions.read(path, 100, NUMBERS)


def test_a_table_that_no_memory_holds_is_refused(tmp_path, monkeypatch):
    """A constant column takes some kilobytes on disk, whatever its rows."""
    monkeypatch.setattr(parquet, "LIMIT_MB", 10)
    path = tmp_path / "0.parquet"
    predictions.write(pd.DataFrame({"item": np.zeros(2_000_000)}), path)
    assert path.stat().st_size < 1e5
    with pytest.raises(PredictionError, match="0.parquet: found 16 MB declared, expected at most 10 MB"):
        predictions.read(path, 3, NUMBERS)


def test_columns_of_anything_but_plain_values_are_refused(tmp_path):
    path = tmp_path / "0.parquet"
    pd.DataFrame({"item": [0], "D": [b"bytes"]}).to_parquet(path)
    with pytest.raises(PredictionError, match="the column D of binary, expected numbers, texts or truth values"):
        predictions.read(path, 1, NUMBERS)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "0.parquet").write_text("no table")
    with pytest.raises(PredictionError, match="0.parquet: found no Parquet file"):
        predictions.read(tmp_path / "0.parquet", 3, NUMBERS)
