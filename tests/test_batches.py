"""Batches in the order of the steps, made when they are asked for or ahead of that."""

import threading

import pytest

from blurbench.learning.batches import in_order


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_every_step_has_its_batch(ahead, n):
    with in_order(lambda step: step**2, range(3, 3 + n), ahead) as ready:
        assert list(ready) == [step**2 for step in range(3, 3 + n)]


def test_the_next_batch_is_made_while_one_is_in_use_and_no_further():
    made = [threading.Event() for _ in range(4)]
    with in_order(lambda step: made[step].set(), range(4), ahead=True) as ready:
        next(ready)
        assert made[1].wait(60)
        assert not made[2].wait(0.1)


def test_without_it_none_is_made_before_it_is_asked_for():
    made = []
    with in_order(made.append, range(4), ahead=False) as ready:
        next(ready)
        assert made == [0]


@pytest.mark.parametrize("ahead", [False, True])
def test_an_error_in_making_a_batch_is_raised_where_it_is_asked_for(ahead):
    def make(step):
        if step == 1:
            raise ValueError("no batch")

    with in_order(make, range(3), ahead) as ready:
        next(ready)
        with pytest.raises(ValueError, match="no batch"):
            next(ready)


def test_no_thread_is_left_when_a_training_ends_early():
    with in_order(lambda step: step, range(100), ahead=True) as ready:
        next(ready)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
