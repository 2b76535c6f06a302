"""Random numbers of the compiled loops against the laws that they are named after."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numba import njit
from sampling import CHANCE, deviate, frequencies, normal
from scipy import stats

from blurbench.microscopy import random_streams as rs

N = 200_000


@njit
def _uniform(s, out):
    for i in range(len(out)):
        out[i] = rs.uniform(s)


@njit
def _normal(s, out):
    for i in range(len(out)):
        out[i] = rs.normal(s)


@njit
def _laplace(s, out, scale):
    for i in range(len(out)):
        out[i] = rs.laplace(s, scale)


@njit
def _gamma(s, out, shape):
    for i in range(len(out)):
        out[i] = rs.gamma(s, shape)


@njit
def _poisson(s, out, mean):
    for i in range(len(out)):
        out[i] = rs.poisson(s, mean)


@njit
def _draw(s, out, table):
    for i in range(len(out)):
        out[i] = rs.draw(s, table)


LAWS = {
    "uniform": (_uniform, (), stats.uniform()),
    "normal": (_normal, (), stats.norm()),
    "laplace": (_laplace, (0.7,), stats.laplace(scale=0.7)),
    "gamma_1": (_gamma, (1.0,), stats.gamma(1.0)),
    "gamma_2": (_gamma, (2.0,), stats.gamma(2.0)),
    "gamma_50": (_gamma, (50.0,), stats.gamma(50.0)),
}


def sample(law, n=N, item=0, purpose=0):
    out = np.empty(n)
    function, parameters, _ = LAWS[law]
    function(rs.stream(rs.key("test"), item, purpose), out, *parameters)
    return out


@pytest.mark.parametrize("law", LAWS)
def test_law(law):
    x, expected = sample(law), LAWS[law][2]
    mean, variance, skewness, excess = (float(m) for m in expected.stats("mvsk"))
    deviate(x.mean(), mean, np.sqrt(variance / N))
    deviate(((x - mean) ** 2).mean(), variance, variance * np.sqrt((excess + 2) / N))
    assert stats.kstest(x, expected.cdf).pvalue > CHANCE
    deviate(np.corrcoef(x[:-1], x[1:])[0, 1], 0, 1 / np.sqrt(N))


@pytest.mark.parametrize("mean", [0.0, 0.01, 1.0, 9.9, 10.0, 33.3, 100.0, 1e4])  # two algorithms meet at 10
def test_poisson(mean):
    out = np.empty(N, np.int64)
    _poisson(rs.stream(rs.key("poisson"), 1, 2), out, mean)
    first = max(0, int(mean - 12 * np.sqrt(mean)))
    p = stats.poisson.pmf(np.arange(first, int(mean + 12 * np.sqrt(mean)) + 30), mean)
    frequencies(np.bincount(out - first, minlength=len(p)), p)
    deviate(out.mean(), mean, np.sqrt(max(mean, 1e-9) / N))


def test_tails_of_the_normal_law():
    x = np.abs(sample("normal", 2_000_000))
    edges = [3, 3.442619855899, 3.8, 4.2, np.inf]  # the ziggurat's own tail begins at the second
    p = -np.diff(2 * stats.norm.sf([0, *edges]))
    frequencies(np.histogram(x, [0, *edges])[0], p)


def test_uniform_is_never_an_end():
    x = sample("uniform")
    assert 0 < x.min() and x.max() < 1


def test_streams_do_not_depend_on_what_was_drawn_before():
    for purpose in range(3):
        assert (sample("normal", 50, 7, purpose) == sample("normal", 100, 7, purpose)[:50]).all()


def test_streams_are_independent():
    n = 4000
    many = np.array([sample("normal", n, item, purpose) for item in range(12) for purpose in range(5)])
    normal(np.sqrt(n) * np.corrcoef(many)[np.triu_indices(len(many), 1)])
    first = np.array([sample("uniform", 1, item)[0] for item in range(5000)])  # neighbours in number
    assert stats.kstest(first, "uniform").pvalue > CHANCE
    deviate(np.corrcoef(first[:-1], first[1:])[0, 1], 0, 1 / np.sqrt(len(first)))


def test_keys():
    assert rs.key(1, "report", "test") == rs.key(1, "report", "test")
    assert len({rs.key(1, "report", "test"), rs.key("1report", "test"), rs.key(2, "report", "test")}) == 3
    assert max(rs.key(i) for i in range(200)) < 2**63  # compiled functions take a Python number for a signed one
    assert rs.key(1, "report", "test") == 8869963020939693240  # the same on every machine


def probabilities(table):
    """Law of an alias table, from its rows: the share below the threshold stays, the rest goes to the alias."""
    n = len(table)
    stays = (table >> np.uint64(32)).astype(float) / 2**32
    p = stays / n
    np.add.at(p, (table & np.uint64(0xFFFFFFFF)).astype(int), (1 - stays) / n)
    return p


WEIGHTS = arrays.arrays(float, st.integers(1, 60), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1e3)))


@given(WEIGHTS)
@settings(derandomize=True, deadline=None)
def test_alias_table_holds_its_probabilities(weights):
    assume(weights.sum() > 0)
    p = probabilities(rs.alias_table(weights.copy()))
    # Thresholds have 32 bits: each of n rows may shift 2^-32/n.
    assert np.abs(p - weights / weights.sum()).max() < 2 * 2.0**-32


@pytest.mark.parametrize("p", [[1.0], [0.5, 0.5], [0, 1, 0, 3], stats.poisson.pmf(np.arange(64), 2), np.arange(1000.0)])
def test_draws_have_their_frequencies(p):
    p = np.asarray(p, float)
    out = np.empty(N, np.int64)
    _draw(rs.stream(rs.key("draws"), 1, 2), out, rs.alias_table(p.copy()))
    frequencies(np.bincount(out, minlength=len(p)), p / p.sum())


@pytest.mark.parametrize("n", [1, 2, 5, 7, 64, 4097])
def test_fill_has_the_law_of_draw(n):
    p = stats.poisson.pmf(np.arange(64), 2)
    table, repeats = rs.pair_table(p, 100), max(1, 100_000 // n)
    state, out = rs.stream(rs.key("fill"), n, 0), np.empty((repeats, n), np.uint16)
    for row in out:
        rs.fill(state, row, table)
    frequencies(np.bincount(out.ravel() - 100, minlength=64), p / p.sum())
    frequencies(np.bincount(out[:, -1] - 100, minlength=64), p / p.sum())  # the odd one at the end
    if n > 1:
        r = np.corrcoef(out[:, 0], out[:, 1])[0, 1]  # of one random number
        deviate(r, 0, 1 / np.sqrt(repeats))


def test_fill_goes_on_where_it_ended():
    table, state = rs.pair_table(np.ones(1000), 0), rs.stream(1, 2, 3)
    a, b = np.empty((2, 64), np.uint16)
    rs.fill(state, a, table)
    rs.fill(state, b, table)
    assert np.intersect1d(a, b).size < 20  # of 64 in 1000, 4 by chance
    whole, parts = np.empty(10_000, np.uint16), np.empty(10_000, np.uint16)  # of several blocks
    rs.fill(rs.stream(1, 2, 3), whole, table)
    state = rs.stream(1, 2, 3)
    for part in np.split(parts, [100, 5000]):
        rs.fill(state, part, table)
    assert (whole == parts).all()
