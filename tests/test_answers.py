"""Prediction files that others wrote: what may be absent, and what is refused."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from blurbench.files import on_disk, parquet
from blurbench.files.answers import NO_ROW, OK, AnswerError, Images, Numbers, Points
from blurbench.files.datasets import Dataset
from blurbench.problems import Problem
from blurbench.running import methods
from blurbench.running.watchdog import can_watch

NUMBERS, POINTS = Numbers(("D", "D_lo95")), Points(("z", "y", "x", "confidence"))


def read(tmp_path, rows, n, answer):
    path = tmp_path / "0.parquet"
    pd.DataFrame(rows).to_parquet(path, index=False)
    return answer.read(path, n)


def test_an_item_without_a_row_says_so(tmp_path):
    frame = read(tmp_path, {"item": [2, 0], "D": [2.0, 0.5]}, 3, NUMBERS)
    assert list(frame) == ["item", *NUMBERS.columns, "seconds", "status"]
    assert list(frame["item"]) == [0, 1, 2] and list(frame["status"]) == [OK, NO_ROW, OK]
    np.testing.assert_array_equal(frame["D"], [0.5, np.nan, 2.0])
    assert frame[["D_lo95", "seconds"]].isna().all(axis=None)


def test_points_keep_all_their_rows(tmp_path):
    rows = {"item": [2, 0, 2, 3], "z": [1.0, 2.0, 3.0, np.nan], "y": 0.0, "x": 0.0}
    frame = read(tmp_path, rows, 5, POINTS)
    assert list(frame["item"]) == [0, 1, 2, 2, 3, 4]
    assert list(frame["status"]) == [OK, NO_ROW, OK, OK, OK, NO_ROW], "an item with an empty row has been looked at"
    np.testing.assert_array_equal(frame["z"], [2.0, np.nan, 1.0, 3.0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("rows", "points", "message"),
    [
        ({"item": [0, 0], "D": [1.0, 2.0]}, False, "item 0 has two rows"),
        ({"item": [0, 3], "D": [1.0, 2.0]}, False, "column item: found 3, expected whole numbers from 0 to 2"),
        ({"item": [-1], "D": [1.0]}, False, "column item: found -1"),
        ({"item": [0, 1.5], "D": [1.0, 2.0]}, False, "column item: found 1.5"),
        ({"item": [0, np.nan], "D": [1.0, 2.0]}, False, "column item: found nan"),
        ({"item": ["a"], "D": [1.0]}, False, "column item: found 'a', expected numbers"),
        ({"item": [0, 1], "D": ["1", "1,5"]}, False, "column D: found '1,5', expected numbers"),
        ({"item": [0], "D": [1.0], "seconds": ["fast"]}, False, "column seconds: found 'fast', expected numbers"),
        ({"D": [1.0]}, False, r"columns \['item'\] are missing"),
        ({"item": [0], "d": [1.0]}, False, r"columns \['D'\] are missing"),
        ({"item": [0.5, np.nan], "z": 1.0, "y": 1.0, "x": 1.0}, True, "column item: found 0.5, expected whole numbers"),
        ({"item": [0], "z": [1.0], "y": [1.0]}, True, r"columns \['x'\] are missing"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, rows, points, message):
    answer = POINTS if points else NUMBERS
    with pytest.raises(AnswerError, match=f"0.parquet: {message}"):
        read(tmp_path, rows, 3, answer)
    pd.DataFrame(rows).to_csv(tmp_path / "0.csv", index=False)
    with pytest.raises(AnswerError, match=f"0.csv: {message}"):
        answer.read(tmp_path / "0.csv", 3)


def test_two_columns_of_a_name_are_refused(tmp_path):
    path = tmp_path / "0.parquet"
    pq.write_table(pa.table([[0, 1], [1.0, 2.0], [1.0, 2.0]], names=["item", "D", "D"]), path)
    with pytest.raises(AnswerError, match="0.parquet: found two columns 'D', expected one of a name"):
        NUMBERS.read(path, 2)


@pytest.mark.parametrize("name", ["0.parquet", "0.csv"])
def test_a_device_is_no_table(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(AnswerError, match=f"{name}: found a device or a pipe"):
        NUMBERS.read(tmp_path / name, 2)


def test_more_rows_than_a_file_can_hold_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(on_disk, "UNFOLDS", 100)
    path = tmp_path / "0.parquet"
    pq.write_table(pa.table({"item": np.zeros(10**7)}), path, compression="zstd")
    with pytest.raises(AnswerError, match="0.parquet: found 80 MB declared by [0-9]+ bytes"):
        NUMBERS.read(path, 2)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = tmp_path / "0.parquet"
    parquet.write(pd.DataFrame({"item": range(100), "D": np.linspace(0, 1, 100)}), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(AnswerError, match="0.parquet: found no Parquet file"):
        NUMBERS.read(path, 100)


def test_a_flipped_bit_in_a_number_is_found(tmp_path):
    path, D = tmp_path / "0.parquet", np.random.default_rng(1).random(100)
    parquet.write(pd.DataFrame({"item": range(100), "D": D}), path)
    content = bytearray(path.read_bytes())
    content[content.index(D[50:52].tobytes()) + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(AnswerError, match="0.parquet: .*CRC"):
        NUMBERS.read(path, 100)


def test_a_table_that_no_memory_holds_is_refused(tmp_path, monkeypatch):
    """A constant column takes some kilobytes on disk, whatever its rows."""
    monkeypatch.setattr(parquet, "LIMIT_MB", 10)
    path = tmp_path / "0.parquet"
    parquet.write(pd.DataFrame({"item": np.zeros(2_000_000)}), path)
    assert path.stat().st_size < 1e5
    with pytest.raises(AnswerError, match="0.parquet: found 16 MB declared, expected at most 10 MB"):
        NUMBERS.read(path, 3)


def test_columns_of_anything_but_plain_values_are_refused(tmp_path):
    path = tmp_path / "0.parquet"
    pd.DataFrame({"item": [0], "D": [b"bytes"]}).to_parquet(path)
    with pytest.raises(AnswerError, match="the column D of binary, expected numbers, texts or truth values"):
        NUMBERS.read(path, 1)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "0.parquet").write_text("no table")
    with pytest.raises(AnswerError, match="0.parquet: found no Parquet file"):
        NUMBERS.read(tmp_path / "0.parquet", 3)
    for content in (b"", b"item,D\n0,1\n1,2,3,4\n", b"item,D\n\xff\xfe,1\n"):
        (tmp_path / "0.csv").write_bytes(content)
        with pytest.raises(AnswerError, match="0.csv: found no table"):
            NUMBERS.read(tmp_path / "0.csv", 3)


# Images

VOLUMES, LABELS = Images("float32"), Images("int32")


class Doubles:
    """Answers twice the image; what it does with some items stands in `what`, by the item's first value."""

    kind = "classical"

    def __init__(self, **what):
        self.what = what

    def predict(self, dataset, model, device):
        for image in dataset.images[:]:
            what = self.what.get(f"item_{image.flat[0]}")
            if what == "hangs":
                ctypes.PyDLL(None).sleep(1000)
            if what == "raises":
                raise RuntimeError("no image here")
            answer = 2.0 * image
            yield {None: answer, "short": answer[1:], "nan": answer * np.nan, "text": answer.astype(str)}[what]


class Stills(Dataset):
    """A dataset of n images of the value of their number, in memory."""

    def __init__(self, n, shape=(4, 5), dtype=np.uint16):
        images = np.broadcast_to(np.arange(n, dtype=dtype).reshape(-1, *[1] * len(shape)), (n, *shape))
        super().__init__({"problem": "stills"}, images, pd.DataFrame({"number": range(n)}), {})

    def blind(self):
        return self


@pytest.fixture
def predicted(tmp_path, monkeypatch):
    """predicted(method, n, answer, ...): a method's answers on n images, which are read from the file when indexed."""

    def predicted(method, n, answer=VOLUMES, timeout_s=None, path=tmp_path / "0.zarr"):
        problem = Problem(answer=answer, conditions=(), known=())
        monkeypatch.setattr(methods.problems, "load", lambda name: problem)
        return methods.predict(method, Stills(n), timeout_s=timeout_s, path=path)

    return predicted


def test_images_are_read_back_as_they_were_answered(predicted, tmp_path):
    found = predicted(Doubles(), 300)  # more than a method is given at a time
    assert found.images.dtype == np.float32 and found.images.shape == (300, 4, 5)
    np.testing.assert_array_equal(found.images[:], 2 * np.arange(300)[:, None, None] * np.ones((4, 5)))
    assert list(found.table["item"]) == list(range(300)) and set(found.table["status"]) == {OK}
    assert (found.table["seconds"] > 0).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "0.zarr"], "nothing is left beside them"
    assert VOLUMES.damage(tmp_path / "0.zarr", 300) == []


@pytest.mark.parametrize(("n", "asked"), [(1, 1), (3, 4)])  # three small ones are given at once, and after the first
def test_an_image_that_takes_long_is_asked_for_once(predicted, monkeypatch, n, asked):
    class Counting(Doubles):
        items = 0

        def predict(self, dataset, model, device):
            for answer in super().predict(dataset, model, device):
                self.items += 1
                yield answer

    method = Counting()
    monkeypatch.setattr(methods, "LONG_S", 0)
    found = predicted(method, n)
    assert method.items == asked and len(found.table) == n and (found.table["seconds"] > 0).all()
    np.testing.assert_array_equal(found.images[n - 1], np.full((4, 5), 2 * (n - 1)))


FAILURES = [
    ("raises", "RuntimeError: no image here"),
    ("short", r"AnswerError: an image of shape (3, 5), expected (4, 5)"),
    ("nan", "AnswerError: an image with values that are not finite numbers"),
    ("text", "AnswerError: an image of <U32, expected values that fit into float32"),
]


@pytest.mark.parametrize("timeout_s", [None, 60], ids=["here", "watched"])
@pytest.mark.parametrize(("how", "status"), FAILURES)
def test_an_item_that_fails_holds_nothing_and_says_why(predicted, how, status, timeout_s):
    found = predicted(Doubles(item_2=how), 4, timeout_s=timeout_s)
    assert list(found.table["status"]) == [OK, OK, status, OK]
    assert np.isnan(found.images[2]).all()
    np.testing.assert_array_equal(found.images[3], np.full((4, 5), 6))


@pytest.mark.skipif(not can_watch(), reason="this system does not fork: calls have no time limit")
def test_an_item_that_hangs_is_ended(predicted):
    found = predicted(Doubles(item_1="hangs"), 3, timeout_s=1.0)
    assert list(found.table["status"]) == [OK, "timed out after 1 s", OK]
    assert np.isnan(found.images[1]).all() and (found.images[2] == 4).all()


def test_labels_are_whole_numbers(predicted):
    class Labels(Doubles):
        def predict(self, dataset, model, device):
            return [image.astype(np.int64) * 10**9 for image in dataset.images[:]]

    found = predicted(Labels(), 4, LABELS)
    assert found.images.dtype == np.int32 and (found.images[2] == 2 * 10**9).all()
    assert (found.images[3] == 0).all() and "3000000000, expected such as fit into int32" in found.table["status"][3]
    assert (
        "an image of float64, expected values that fit into int32" in predicted(Doubles(), 1, LABELS).table["status"][0]
    )


@pytest.mark.parametrize(("given", "status"), [(1, "1 images for 2 items"), (3, "more images than 2 items")])
def test_a_wrong_number_of_images_is_a_failure(given, status):
    dataset = Stills(2)
    with VOLUMES.writing(None, dataset) as writer, pytest.raises(AnswerError, match=status):
        writer.take(iter(np.zeros((given, 4, 5))), 0, 2)


def test_a_stated_shape_takes_the_place_of_the_items(predicted):
    class Rows(Doubles):
        def predict(self, dataset, model, device):
            return dataset.images[:].mean(axis=1)

    found = predicted(Rows(), 3, Images("float32", shape=(5,)))
    assert found.images.shape == (3, 5) and (found.images[2] == 2).all()


def test_an_answer_may_lack_an_axis_of_the_items():
    pairs = Stills(3, (2, 4, 5))
    pairs.attrs["axes"] = ["item", "view", "y", "x"]
    with Images("float32", without=("view",)).writing(None, pairs) as writer:
        assert writer.array.shape == (3, 4, 5)
        assert len(writer.take(iter(np.zeros((3, 4, 5))), 0, 3)) == 3


def test_without_a_path_images_stay_in_memory(monkeypatch):
    problem = Problem(answer=VOLUMES, conditions=(), known=())
    monkeypatch.setattr(methods.problems, "load", lambda name: problem)
    found = methods.predict(Doubles(item_0="raises"), Stills(3))
    assert np.isnan(found.images[0]).all() and (found.images[2] == 4).all()


def test_a_store_that_another_rule_wrote_needs_its_images_only(tmp_path):
    group = zarr.create_group(tmp_path / "0.zarr")
    group.create_array("images", data=np.ones((2, 4, 5), np.float32), chunks=(1, 4, 5))
    with pytest.raises(AnswerError, match=r"0\.zarr: no whole store of images with its manifest"):
        VOLUMES.read(tmp_path / "0.zarr", 2)
    (tmp_path / "0.json").write_text("{}")
    found = VOLUMES.read(tmp_path / "0.zarr", 2)
    assert list(found.table["status"]) == [OK, OK] and found.table["seconds"].isna().all()
    with pytest.raises(AnswerError, match="found 2 images of float32, expected 3 of float32"):
        VOLUMES.read(tmp_path / "0.zarr", 3)
    with pytest.raises(AnswerError, match="found 2 images of float32, expected 2 of int32"):
        LABELS.read(tmp_path / "0.zarr", 2)


def test_a_lost_or_altered_image_is_found(predicted, tmp_path):
    predicted(Doubles(), 4)
    chunk = tmp_path / "0.zarr/images/c/2/0/0"
    chunk.write_bytes(chunk.read_bytes()[:8])
    assert str(chunk) in VOLUMES.damage(tmp_path / "0.zarr", 4)[0]
    chunk.unlink()
    assert VOLUMES.damage(tmp_path / "0.zarr", 4) == [f"{chunk}: found no such file, expected a chunk of images"]


def test_memory_stays_flat_as_images_are_answered():
    """750 MB of answers: a program that kept them all would pass the limit of 600 MB (tests/benchmarks/images.py)."""
    script = Path(__file__).parent / "benchmarks/images.py"
    done = subprocess.run([sys.executable, script, "30", "25"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
