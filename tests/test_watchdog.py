"""Calls that hang, crash or are killed, and what a method's predictions then are."""

import ctypes
import faulthandler
import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from blurbench.files.datasets import Dataset
from blurbench.running import methods
from blurbench.running.watchdog import NoAnswer, Watched, can_watch

pytestmark = pytest.mark.skipif(not can_watch(), reason="this system does not fork: calls have no time limit")
LIMIT = 1.0  # s, many times what a call takes that does not hang, also on a busy machine


def work(how):
    if how == "hangs":
        ctypes.PyDLL(None).sleep(1000)  # compiled, and holds on to the interpreter
    elif how == "crashes":
        faulthandler.disable()  # pytest's, which would fill the log
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "leaves":
        os._exit(3)
    elif how == "raises":
        raise KeyError("reason")
    return how, os.getpid()


def test_answers_come_from_one_process_until_it_hangs():
    with Watched(work, LIMIT) as watched:
        first, second = watched("a"), watched("b")
        assert first == ("a", second[1]) and second[1] != os.getpid()
        start = time.perf_counter()
        with pytest.raises(NoAnswer, match=r"timed out after 1 s"):
            watched("hangs")
        assert LIMIT <= time.perf_counter() - start < 10 * LIMIT  # it would sleep for 1000 s
        with pytest.raises(ProcessLookupError):
            os.kill(second[1], 0)
        assert watched("c")[1] != second[1]
    assert watched.child is None


@pytest.mark.parametrize(("how", "says"), [("crashes", "signal SIGSEGV"), ("leaves", "exit code 3")])
def test_a_crash_is_no_answer(how, says):
    with Watched(work, LIMIT) as watched:
        with pytest.raises(NoAnswer, match=says):
            watched(how)
        assert watched("goes on")[0] == "goes on"


def test_a_killed_process_is_an_error_of_the_job():
    with Watched(work, LIMIT) as watched, pytest.raises(MemoryError):
        watched("is killed")


def test_what_the_function_raises_is_raised():
    with Watched(work, LIMIT) as watched:
        with pytest.raises(KeyError, match="reason"):
            watched("raises")
        assert watched("goes on")[0] == "goes on"


def test_a_child_does_not_outlive_its_parent():
    with Watched(hold_open, 60) as watched:
        pid = watched("a")
        os.kill(pid, 0)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the grandchild lives on")


def hold_open(how):
    """Start a child of one's own that hangs, and keep it."""
    hold_open.inner = Watched(work, 1000)
    pid = hold_open.inner(how)[1]
    hold_open.inner.pipe.send(("hangs",))
    return pid


# Predictions


class Answers:
    """Answers 1; does with items whose first pixel is set what `how` says."""

    kind = "classical"

    def __init__(self, how="hangs"):
        self.how = how

    def predict(self, dataset, model, device):
        if (dataset.images[:][:, 0, 0, 0] > 0).any():
            work(self.how)
        return pd.DataFrame({"D": np.ones(len(dataset))})


def dataset(bad, n=8):
    images = np.zeros((n, 2, 2, 2), np.uint16)
    images[list(bad), 0, 0, 0] = 1
    attrs = {"problem": "diffusion", "spec": {}}
    return Dataset(attrs, images, pd.DataFrame({"photons": np.ones(n)}), {})


@pytest.mark.parametrize("bad", [[], [0], [3, 5], [7], [0, 2, 4, 6]])
def test_items_that_hang_keep_their_rows(bad, monkeypatch):
    monkeypatch.setattr("blurbench.files.datasets.CHUNK_ITEMS", 4)
    frame = methods.predict(Answers(), dataset(bad), timeout_s=LIMIT)
    expected = ["timed out after 1 s" if i in bad else "ok" for i in range(8)]
    assert list(frame["item"]) == list(range(8)) and list(frame["status"]) == expected
    assert (np.isnan(frame["D"]) == (frame["status"] != "ok")).all() and (frame["seconds"] > 0).all()


def test_a_method_that_always_hangs_ends_soon():
    frame = methods.predict(Answers(), dataset(range(8)), timeout_s=LIMIT)
    assert list(frame["status"][:3]) == ["timed out after 1 s"] * 3
    assert (frame["status"][3:] == "not tried: 3 items before it timed out after 1 s").all()


def test_items_that_crash_keep_their_rows():
    frame = methods.predict(Answers("crashes"), dataset([2]), timeout_s=LIMIT)
    assert frame["status"][2] == "the process crashed with signal SIGSEGV" and (frame["status"] == "ok").sum() == 7


def test_the_limit_changes_no_answer():
    data = dataset([], 1000)
    plain = methods.predict(Answers(), data)
    watched = methods.predict(Answers(), data, timeout_s=100)
    pd.testing.assert_frame_equal(plain.drop(columns="seconds"), watched.drop(columns="seconds"))
