"""Packings against hard-sphere theory: contact, structure near and far, and nothing that overlaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import deviate
from scipy import stats
from scipy.spatial import cKDTree

from blurbench.colloids import packing, physics
from blurbench.colloids.packing import SHELL, SHELLS, contact_from_pairs, fitted_box, hard_spheres, pack

RUNS = {0.1: 60, 0.3: 10, 0.45: 6, 0.5: 6}


@pytest.fixture(scope="module")
def runs():
    """Packings of each volume fraction in boxes of 8.4 diameters, as a volume of 64 voxels needs."""
    return {phi: [pack(phi, fitted_box(phi, 8.4, 1.0), 1.0, seed) for seed in range(n)] for phi, n in RUNS.items()}


def closest(centres, box, diameters=None):
    """Smallest distance over the mean diameter of the pair; an implementation apart, by a tree."""
    pairs = cKDTree(centres % box, boxsize=box).query_pairs(2.0, output_type="ndarray")
    d = centres[pairs[:, 0]] - centres[pairs[:, 1]]
    d -= box * np.rint(d / box)
    mean = 1.0 if diameters is None else diameters[pairs].mean(axis=1)
    return (np.sqrt((d**2).sum(axis=1)) / mean).min()


@pytest.mark.parametrize("phi", RUNS)
def test_spheres_fill_their_share_and_do_not_overlap(runs, phi):
    for run in runs[phi]:
        assert len(run.centres) * np.pi / 6 / run.box.prod() == pytest.approx(phi, rel=1e-12)
        assert (run.centres >= 0).all() and (run.centres < run.box).all()
        assert run.nearest >= 1 and run.nearest == pytest.approx(closest(run.centres, run.box), rel=1e-12)


@pytest.mark.parametrize("phi", RUNS)
def test_contact_value_is_that_of_carnahan_and_starling(runs, phi):
    ratio = np.array([run.contact for run in runs[phi]]) / physics.contact_value(phi)
    error = ratio.std(ddof=1) / np.sqrt(len(ratio))
    assert error < 0.015  # else the test would say little
    assert abs(ratio.mean() - 1) < 0.03  # facts 6: the gate of a data set


@pytest.mark.parametrize("phi", [0.05, 0.1, 0.3, 0.5])
def test_extrapolation_to_contact(phi):
    """Pairs as the Percus-Yevick g(r), whose contact value is known, would have them."""
    n, volume = 500, 500 * np.pi / 6 / phi
    r = 1 + SHELL * (np.arange(SHELLS * 100) + 0.5) / 100
    density = 2 * np.pi * r**2 * physics.percus_yevick_g(r, phi) * SHELL / 100
    counts = density.reshape(SHELLS, 100).sum(axis=1) * n * (n - 1) / volume
    exact = (1 + phi / 2) / (1 - phi) ** 2
    assert contact_from_pairs(counts, n, volume, np.ones(n)) == pytest.approx(exact, rel=0.01)
    assert np.isnan(contact_from_pairs(np.zeros(SHELLS), n, volume, np.ones(n)))
    few = contact_from_pairs(np.eye(SHELLS)[-1], 10, volume, np.ones(10))  # a single pair, far out
    assert 0 < few < np.inf


@pytest.mark.parametrize("phi, tolerance", [(0.3, 0.03), (0.5, 0.1)])  # facts 5: rms .011 and .059 of long runs
def test_structure_is_that_of_percus_and_yevick(runs, phi, tolerance):
    edges = np.arange(1.1, 4.01, 0.1)
    g = np.mean([physics.radial_distribution(run.centres, run.box, edges, True) for run in runs[phi]], axis=0)
    fine = np.arange(1.1, 4.0, 0.01) + 0.005
    theory = (physics.percus_yevick_g(fine, phi) * fine**2).reshape(-1, 10).sum(axis=1)
    theory /= (fine**2).reshape(-1, 10).sum(axis=1)
    assert np.sqrt(np.mean((g - theory) ** 2)) < tolerance


@pytest.mark.parametrize("phi", [0.1, 0.3, 0.5])
def test_long_waves_are_those_of_the_fluid(runs, phi):
    """S(q) of the longest waves in the box: a packing that was only pushed apart has several times as much."""
    powers, expected = [], []
    for run in runs[phi]:
        for direction in np.eye(3):
            q = 2 * np.pi / run.box[0] * direction
            powers.append(abs(np.exp(1j * run.centres @ q).sum()) ** 2 / len(run.centres))
            expected.append(physics.structure_factor(np.linalg.norm(q), phi))
    # The power of a wave is exponentially distributed about S(q).
    total = 2 * np.sum(np.array(powers) / expected)
    assert 1e-6 < stats.chi2.sf(total, 2 * len(powers)) < 1 - 1e-6


def test_centres_are_anywhere_in_the_box(runs):
    at = np.concatenate([run.centres / run.box for run in runs[0.1]])
    for axis in range(3):
        deviate(
            np.exp(2j * np.pi * at[:, axis]).mean().real, 0, 1 / np.sqrt(2 * len(at))
        )  # S(q) < 1: no more than that
    share = np.histogram(at[:, 0], 10, (0, 1))[0] / len(at)
    deviate(share, 0.1, np.sqrt(0.09 / len(at)))


def test_fluids_do_not_crystallise(runs):
    order = [physics.bond_order(run.centres, run.box)[1] for run in runs[0.5]]
    assert np.mean(np.concatenate(order) > physics.CRYSTAL) < 0.02  # facts 6: the gate of a data set


def test_a_seed_names_a_packing():
    a, b, other = (hard_spheres(0.3, 5, 1, seed) for seed in (7, 7, 8))
    assert (a == b).all() and (a != other).any()
    assert hard_spheres(0.3, 10, 2, 7) == pytest.approx(2 * a, rel=1e-12)  # in any unit of length


def test_a_spread_of_diameters():
    run = pack(0.45, fitted_box(0.45, 7, 1, 0.1), 1.0, 1, 0.1)
    assert run.diameters.mean() == pytest.approx(1) and run.diameters.std() == pytest.approx(0.1, rel=0.01)
    assert (run.diameters**3).sum() * np.pi / 6 / run.box.prod() == pytest.approx(0.45, rel=1e-3)
    assert run.nearest >= 1 and run.nearest == pytest.approx(closest(run.centres, run.box, run.diameters), rel=1e-12)
    assert closest(run.centres, run.box) < 0.95  # of the small ones
    ratio = [pack(0.3, fitted_box(0.3, 8.4, 1, 0.1), 1.0, s, 0.1).contact for s in range(6)]
    ratio = np.array(ratio) / physics.contact_value(0.3, 0.1)
    assert abs(ratio.mean() - 1) < 0.03 + 2 * ratio.std(ddof=1) / np.sqrt(6)


@pytest.mark.parametrize("phi, box", [(0, 8), (-0.1, 8), (0.6, 8), (np.nan, 8), (0.3, 2.9), (0.3, [8, 8, 2])])
def test_what_cannot_be_packed_is_refused(phi, box):
    with pytest.raises(ValueError, match="was found, .* expected"):
        pack(phi, box, 1.0, 1)


@given(st.floats(0.02, 0.4), st.tuples(*[st.floats(3, 6)] * 3), st.floats(0, 0.1), st.integers(0, 2**40))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_box(phi, sides, spread, seed):
    box = fitted_box(phi, sides, 1.0, spread)
    assert (box >= sides).all() and np.ptp(box / sides) < 1e-12
    run = pack(phi, box, 1.0, seed, spread)
    assert len(run.centres) == packing.number(phi, np.array(sides), spread)
    assert (run.centres >= 0).all() and (run.centres < run.box).all() and run.nearest >= 1
