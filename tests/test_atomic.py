import os
import time

import pytest

from blurbench.files.atomic import ABANDONED_S, replacing


def folder(path, *names):
    path.mkdir()
    for name in names:
        (path / name).write_text(name)
    return path


def content(path):
    return sorted(found.name for found in path.iterdir())


def test_files_and_folders_take_their_names_when_the_block_ends(tmp_path):
    old, file = folder(tmp_path / "store", "old"), tmp_path / "store.json"
    with replacing(old, file) as (store, manifest):
        folder(store, "new")
        manifest.write_text("{}")
        assert content(old) == ["old"] and not file.exists()
    assert content(old) == ["new"] and file.read_text() == "{}" and content(tmp_path) == ["store", "store.json"]


def test_a_block_that_raises_changes_nothing_and_leaves_nothing(tmp_path):
    old = folder(tmp_path / "store", "old")
    with pytest.raises(OSError, match="full"), replacing(old, tmp_path / "store.json") as (store, manifest):
        folder(store, "new")
        manifest.write_text("{")
        raise OSError("the disk is full")
    assert content(old) == ["old"] and content(tmp_path) == ["store"]


def test_two_writers_of_one_name_do_not_touch_each_others_files(tmp_path):
    path = tmp_path / "store"
    with replacing(path) as one:
        folder(one, "a")
        with replacing(path) as two:
            folder(two, "b")
            assert content(one) == ["a"]
        assert content(path) == ["b"]
        (one / "c").write_text("c")
    assert content(path) == ["a", "c"] and content(tmp_path) == ["store"]


def test_what_a_killed_writer_left_goes_after_a_day_and_no_sooner(tmp_path):
    for name, age in (("store.partial-1", 2), ("store.partial-2", 0.5), ("other.partial-3", 2)):
        then = time.time() - age * ABANDONED_S
        os.utime(folder(tmp_path / name, "left"), (then, then))
    with replacing(tmp_path / "store") as store:
        store.write_text("new")
    assert content(tmp_path) == ["other.partial-3", "store", "store.partial-2"]
