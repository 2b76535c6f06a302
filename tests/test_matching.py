"""One-to-one matching against numbers worked out by hand and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linear_sum_assignment

from blurbench.scoring.matching import assign, candidates, greedy, match


def total(truth, found, pairs):
    return np.linalg.norm(np.asarray(truth)[pairs[:, 0]] - np.asarray(found)[pairs[:, 1]], axis=1).sum()


def test_the_best_matching_is_not_the_greedy_one():
    truth, found = [[0, 0, 0], [0, 0, 2]], [[0, 0, 0.9], [0, 0, -1.2]]
    # Nearest first would take (0, 0) at 0.9 and leave the other two, 3.2 apart, alone.
    assert match(truth, found, 1.5).tolist() == [[0, 1], [1, 0]]
    # Of two full matchings the shorter one: 0.4 + 0.6, although 0.1 is the smallest distance, whose partner is 1.1 off.
    truth, found = [[0, 0, 0], [0, 0, 0.5]], [[0, 0, 0.4], [0, 0, 1.1]]
    assert match(truth, found, 2).tolist() == [[0, 0], [1, 1]]


def brute_force(truth, found, radius):
    """Number of pairs and total distance of the best matching: dense, a pair that is too far costing more than all."""
    distance = np.linalg.norm(truth[:, None] - found[None], axis=2)
    i, j = linear_sum_assignment(np.where(distance <= radius, distance, 1e3))
    near = distance[i, j] <= radius
    return near.sum(), distance[i, j][near].sum()


@settings(max_examples=200, deadline=None)
@given(
    truth=arrays.arrays(float, st.tuples(st.integers(0, 9), st.just(3)), elements=st.floats(0, 2, width=16)),
    found=arrays.arrays(float, st.tuples(st.integers(0, 9), st.just(3)), elements=st.floats(0, 2, width=16)),
    radius=st.floats(0, 2),
)
def test_matching_is_optimal(truth, found, radius):
    pairs = match(truth, found, radius)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (np.linalg.norm(truth[pairs[:, 0]] - found[pairs[:, 1]], axis=1) <= radius).all()
    number, distance = brute_force(truth, found, radius)
    assert len(pairs) == number
    assert total(truth, found, pairs) == pytest.approx(distance, abs=1e-9)
    assert total(found, truth, match(found, truth, radius)) == pytest.approx(distance, abs=1e-9)


def test_matching_of_many_points():
    rng = np.random.default_rng(1)
    truth, found = rng.random((2, 600, 3)) * 5
    for radius in (0.2, 0.5, 1.0):  # from single pairs to one cluster of all points
        pairs = match(truth, found, radius)
        number, distance = brute_force(truth, found, radius)
        assert len(pairs) == number and total(truth, found, pairs) == pytest.approx(distance)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 0), (0, 3)])
def test_no_points_no_pairs(n, m):
    assert match(np.zeros((n, 3)), np.zeros((m, 3)), 1).shape == (0, 2)


@pytest.mark.parametrize("axes", [1, 2, 4])
def test_points_of_any_number_of_axes(axes):
    rng = np.random.default_rng(2)
    truth, found = rng.random((2, 40, axes)) * 3
    pairs = match(truth, found, 0.5)
    number, distance = brute_force(truth, found, 0.5)
    assert len(pairs) == number and total(truth, found, pairs) == pytest.approx(distance)


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(float, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.floats(0, 1, width=16)))
def test_assignment_of_overlaps(overlap):
    """Of masks, say, whose overlaps are known: as many pairs that touch as can be, and of these the largest sum."""
    i, j = np.nonzero(overlap)
    pairs = assign(i, j, 1 - overlap[i, j])
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs) and (np.diff(pairs[:, 0]) > 0).all()
    a, b = linear_sum_assignment(np.where(overlap > 0, 1 - overlap, 1e3))
    assert len(pairs) == (overlap[a, b] > 0).sum()
    assert overlap[tuple(pairs.T)].sum() == pytest.approx(overlap[a, b].sum())


def test_greedy_takes_the_first_that_is_free():
    truth, found = np.array([[0, 0, 0], [0, 0, 2.0]]), np.array([[0, 0, 0.9], [0, 0, -1.2]])
    i, j, distance = candidates(truth, found, 1.5)
    assert greedy(i, j, np.argsort(distance)).tolist() == [[0, 0]]
    assert greedy(i, j, np.argsort(-distance)).tolist() == [[0, 1], [1, 0]]
