"""Measures of structure against closed forms, published numbers, other implementations and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import deviate
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from blurbench.colloids import physics
from blurbench.colloids.packing import fitted_box, hard_spheres
from blurbench.colloids.physics import bond_order, core_precision, radial_distribution, volume_fraction

PHI = 0.3


@pytest.fixture(scope="module")
def fluids():
    """Ten packings in boxes of eleven diameters, and their box."""
    box = fitted_box(PHI, 11, 1.0)
    return [hard_spheres(PHI, box, 1.0, seed) for seed in range(10)], box


# Theory


@pytest.mark.parametrize(
    "phi, expected", [(0.3, [0.095603, 0.193531, 1.334022]), (0.5, [0.015909, 0.031070, 3.240036])]
)  # facts 5
def test_structure_factor(phi, expected):
    assert physics.structure_factor([0.5, 3, 7], phi) == pytest.approx(expected, abs=1e-6)
    assert physics.structure_factor(0, phi) == pytest.approx((1 - phi) ** 4 / (1 + 2 * phi) ** 2, rel=1e-12)
    assert physics.structure_factor(1e3, phi) == pytest.approx(1, abs=0.01)
    below, above = physics.structure_factor([0.2 - 1e-12, 0.2], phi)  # where the series hands over to the closed form
    assert below == pytest.approx(above, rel=1e-7)


def test_contact_value():
    phi = np.array([0.1, 0.3, 0.45, 0.5, 0.55])
    assert physics.contact_value(phi) == pytest.approx([1.303, 2.478, 4.658, 6.000, 7.956], abs=5e-4)  # facts 5
    z = (1 + phi + phi**2 - phi**3) / (1 - phi) ** 3
    assert 1 + 4 * phi * physics.contact_value(phi) == pytest.approx(z)
    assert (physics.contact_value(phi, 0.1) < physics.contact_value(phi)).all()


@pytest.mark.parametrize("phi", [0.1, 0.3, 0.5])
def test_percus_yevick_g_is_the_transform_of_its_structure_factor(phi):
    r = np.linspace(0, 20, 20001)[1:] - 0.0005
    h = physics.percus_yevick_g(r, phi) - 1
    assert (h[r < 1] == -1).all()
    assert physics.percus_yevick_g(1.0, phi) == pytest.approx((1 + phi / 2) / (1 - phi) ** 2, rel=1e-3)
    for q in (0.7, 3.0, 7.0, 12.0):
        s = 1 + 24 * phi * np.sum(h * np.sin(q * r) * r / q) * 0.001
        assert s == pytest.approx(physics.structure_factor(q, phi), abs=2e-3)


# Pairs


def test_radial_distribution_counts_pairs():
    rng = np.random.default_rng(1)
    x, sides, edges = rng.random((200, 3)) * [3, 4, 5], np.array([3.0, 4.0, 5.0]), np.array([0.2, 0.5, 1.0, 1.4])
    d = x[:, None] - x
    for periodic in (False, True):
        if periodic:
            d = d - sides * np.rint(d / sides)
        r, upper = np.sqrt((d**2).sum(axis=-1)), np.triu(np.ones((200, 200), bool), 1)
        weight = 1 / (np.prod(sides) if periodic else np.prod(sides - np.abs(d), axis=-1))
        sums = np.histogram(r[upper], edges, weights=np.broadcast_to(weight, r.shape)[upper])[0]
        expected = 2 * sums * 60**2 / (200 * 199) / (4 / 3 * np.pi * np.diff(edges**3))
        assert radial_distribution(x, sides, edges, periodic) == pytest.approx(expected)


@pytest.mark.parametrize("sides", [(4.0, 4.0, 4.0), (1.5, 6.0, 7.0)])
def test_random_points_have_no_structure_up_to_the_faces(sides):
    rng, edges = np.random.default_rng(2), np.arange(0.1, 1.5, 0.2)
    g = np.array([radial_distribution(rng.random((60, 3)) * sides, sides, edges, False) for _ in range(300)])
    deviate(g.mean(axis=0), 1, g.std(axis=0) / np.sqrt(len(g)))


@pytest.mark.parametrize("crop", [(6.0, 6.0, 6.0), (3.0, 9.0, 8.0)])
def test_the_shape_of_the_volume_leaves_no_trace(fluids, crop):
    runs, box = fluids
    edges = np.arange(1.0, 2.81, 0.2)
    whole = np.mean([radial_distribution(x, box, edges, True) for x in runs], axis=0)
    seen = [x[(x < crop).all(axis=1)] for x in runs]
    g = np.array([radial_distribution(x, crop, edges, False) for x in seen])
    # What a count's own fluctuation adds to g by n (n - 1) in its denominator is far below the standard error.
    deviate(g.mean(axis=0), whole, g.std(axis=0, ddof=1) / np.sqrt(len(g)))
    # The box of what was found is smaller than what was looked at: g would be too low.
    bounding = np.mean([radial_distribution(x, np.ptp(x, axis=0), edges, False) for x in seen], axis=0)
    assert (bounding < g.mean(axis=0)).all()


def test_missed_spheres_leave_g_and_thin_s(fluids):
    runs, box = fluids
    rng, edges, recall = np.random.default_rng(3), np.arange(1.0, 3.0, 0.2), 0.6
    thin = [x[rng.random(len(x)) < recall] for x in runs]
    g = np.array([radial_distribution(x, box, edges, True) for x in runs])
    difference = np.array([radial_distribution(x, box, edges, True) for x in thin]) - g
    deviate(difference.mean(axis=0), 0, difference.std(axis=0, ddof=1) / np.sqrt(len(g)))
    # S_thin - 1 = R (S - 1), over the waves of one length in the box.
    q = 2 * np.pi / box * np.array([v for v in np.ndindex(5, 5, 5) if 9 <= np.dot(v, v) <= 12])

    def s(x):
        return np.mean(np.abs(np.exp(1j * x @ q.T).sum(axis=0)) ** 2) / len(x)

    whole, thinned = np.array([[s(x), s(y)] for x, y in zip(runs, thin)]).T
    excess = (thinned - 1) - recall * (whole - 1)
    deviate(excess.mean(), 0, excess.std(ddof=1) / np.sqrt(len(excess)))


def test_precision_without_truth(fluids):
    runs, box = fluids
    rng, false = np.random.default_rng(4), 0.25

    def found(x):
        n = round(len(x) * false / (1 - false))
        return np.concatenate([x, rng.random((n, 3)) * box])

    squares = np.array([1 - core_precision(found(x), box, 1.0) ** 2 for x in runs])
    deviate(squares.mean(), 1 - (1 - false) ** 2, squares.std(ddof=1) / np.sqrt(len(squares)))
    assert core_precision(runs[0], box, 1.0) == 1
    random = [core_precision(rng.random((400, 3)) * box, box, 1.0) ** 2 for _ in range(50)]
    assert np.mean(random) < 0.15  # of 0, cut off below: the noise of some 50 pairs
    assert np.isnan(core_precision(runs[0][:1], box, 1.0)) and np.isnan(core_precision([], box, 1.0))


def test_too_long_distances_are_refused():
    with pytest.raises(ValueError, match=r"edges: 3 .* at most 2"):
        radial_distribution(np.zeros((5, 3)), [2, 4, 5], [0, 1, 3], False)
    with pytest.raises(ValueError, match=r"edges: 1\.5 .* at most 1"):
        radial_distribution(np.zeros((5, 3)), [2, 4, 5], [0, 1.5], True)
    assert np.isnan(radial_distribution(np.zeros((1, 3)), 4, [0, 1, 2], False)).all()


def test_volume_fraction():
    x = np.stack(np.meshgrid(*[np.arange(10) + 0.5] * 3), axis=-1).reshape(-1, 3)  # touching spheres on a grid
    assert volume_fraction(x, 10, 1.0) == pytest.approx(np.pi / 6)
    assert volume_fraction(x, 10, 1.0, inset=2) == pytest.approx(np.pi / 6)
    assert volume_fraction(x[x[:, 0] > 2], 10, 1.0, inset=2) == pytest.approx(np.pi / 6)
    assert volume_fraction(2 * x, [20, 20, 20], 2.0) == pytest.approx(np.pi / 6)
    assert volume_fraction([], 10, 1.0) == 0
    with pytest.raises(ValueError, match="inset"):
        volume_fraction(x, [10, 10, 4], 1.0, inset=2)


# Bond order

CELLS = {  # basis in units of the periods, and periods
    "fcc": ([(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)], (1, 1, 1)),
    "hcp": (
        [(0, 0, 0), (0, 0.5, 0.5), (0.5, 1 / 6, 0.5), (0.5, 2 / 3, 0)],
        (np.sqrt(8 / 3), np.sqrt(3), 1),
    ),
    "bcc": ([(0, 0, 0), (0.5, 0.5, 0.5)], (1, 1, 1)),
    "sc": ([(0, 0, 0)], (1, 1, 1)),
}


def lattice(name, repeats=5):
    basis, periods = CELLS[name]
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return ((cells + np.array(basis)) * periods).reshape(-1, 3), repeats * np.array(periods, float)


@pytest.mark.parametrize(
    "name, neighbours, q4, q6",
    [
        ("fcc", 12, 0.1909, 0.5745),
        ("hcp", 12, 0.0972, 0.4848),
        ("bcc", 14, 0.0364, 0.5107),
        ("bcc", 8, 0.5092, 0.6285),
        ("sc", 6, 0.7638, 0.3536),
    ],
)  # facts 5; the averaged order of a perfect lattice is that of its sites
def test_bond_order_of_perfect_lattices(name, neighbours, q4, q6):
    x, box = lattice(name)
    for degree, expected in ((4, q4), (6, q6)):
        for order in bond_order(x, box, degree, neighbours):
            assert order == pytest.approx(np.full(len(x), expected), abs=6e-5)


def test_bond_order_is_the_sum_of_spherical_harmonics():
    rng = np.random.default_rng(5)
    x = rng.random((60, 3))
    for degree in (3, 4, 6):
        q, averaged = bond_order(x, None, degree, 9)
        distance = np.linalg.norm(x[:, None] - x, axis=-1)
        near = np.argsort(distance, axis=1)[:, :10]
        bonds = x[near[:, 1:]] - x[:, None]
        theta = np.arccos(bonds[..., 0] / np.linalg.norm(bonds, axis=-1))  # the first axis, z, is the polar one
        phi = np.arctan2(bonds[..., 1], bonds[..., 2])
        q_lm = np.stack([sph_harm_y(degree, m, theta, phi).mean(axis=1) for m in range(-degree, degree + 1)], axis=-1)
        scale = 4 * np.pi / (2 * degree + 1)
        assert q == pytest.approx(np.sqrt(scale * (np.abs(q_lm) ** 2).sum(axis=-1)))
        assert averaged == pytest.approx(np.sqrt(scale * (np.abs(q_lm[near].mean(axis=1)) ** 2).sum(axis=-1)))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.tuples(*[st.floats(-50, 50)] * 3))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_bond_order_knows_no_direction_place_or_unit(seed, scale, shift):
    x = np.random.default_rng(seed).random((40, 3))
    moved = scale * x @ Rotation.random(rng=np.random.default_rng(seed)).as_matrix().T + shift
    for a, b in zip(bond_order(x), bond_order(moved)):
        assert a == pytest.approx(b, abs=1e-6)


def test_bond_order_of_the_fluid(fluids):
    runs, box = fluids
    q, averaged = np.concatenate([bond_order(x, box) for x in runs], axis=1)
    assert q.mean() == pytest.approx(0.295, abs=0.01) and averaged.mean() == pytest.approx(0.105, abs=0.01)  # facts 5
    wrapped = bond_order(runs[0] - 3 * box, box)  # in any period
    assert wrapped[0] == pytest.approx(bond_order(runs[0], box)[0])
    inner = (np.abs(runs[0] - box / 2) < box / 2 - 3.5).all(axis=1)
    free = bond_order(runs[0])[1]
    assert inner.sum() > 20 and free[inner] == pytest.approx(bond_order(runs[0], box)[1][inner])


def test_too_few_spheres_have_no_order():
    q, averaged = bond_order(np.random.default_rng(1).random((12, 3)))
    assert len(q) == 12 and np.isnan(q).all() and np.isnan(averaged).all()
    assert len(bond_order([])[0]) == 0
