"""Calls side by side: in order, in as many processes as are allowed, with their errors."""

import os
import time

import pytest

from blurbench.running.processes import side_by_side


def squared(number, seconds=0.0):
    time.sleep(seconds)
    return number**2, os.getpid()


def refused(number):
    raise ValueError(f"found {number}, expected none")


@pytest.mark.parametrize("threads", [1, 2])
def test_results_keep_their_order_and_there_are_as_many_processes_as_threads(monkeypatch, threads):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(threads))
    results = side_by_side(squared, ((number, 0.3 if number == 0 else 0.01) for number in range(20)))
    numbers, processes = zip(*results)
    assert list(numbers) == [number**2 for number in range(20)]  # the first ends after others
    assert len(set(processes)) == threads and (os.getpid() in processes) == (threads == 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_a_call_is_raised(monkeypatch, threads):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(threads))
    with pytest.raises(ValueError, match="found 3, expected none"):
        side_by_side(refused, [(3,)])


def test_what_does_not_fork_does_all_by_itself(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert {process for _, process in side_by_side(squared, [(1,), (2,)])} == {os.getpid()}
