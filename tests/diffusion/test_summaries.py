"""Summaries of a stack, and the regressions that learn from them."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

from blurbench.diffusion import hermite_moments
from blurbench.diffusion.methods import summary_ridge
from blurbench.diffusion.summaries import summaries
from blurbench.diffusion.summary_regression import SummaryRegression
from blurbench.running import methods

RNG = np.random.default_rng(1)


def features(n=20, frames=9):
    """Features of no stack in particular, some frames lost and some that only pad."""
    x = RNG.normal(size=(n, frames, hermite_moments.FRAME_FEATURES)).astype(np.float32)
    x[..., 4] = RNG.random((n, frames)) < 0.8
    present = np.arange(frames) < RNG.integers(3, frames + 1, n)[:, None]
    return x * present[..., None], RNG.normal(size=(n, hermite_moments.STACK_FEATURES)).astype(np.float32), present


def test_padding_frames_change_no_summary():
    x, whole, present = features()
    longer = np.pad(x, ((0, 0), (0, 4), (0, 0))), whole, np.pad(present, ((0, 0), (0, 4)))
    assert summaries(*longer) == pytest.approx(summaries(x, whole, present), abs=1e-9)


def test_a_stack_without_spots_has_summaries():
    x, whole, present = features()
    x[..., 4] = 0
    assert np.isfinite(summaries(x, whole, present)).all()


def numbers(n, columns=6):
    x = RNG.normal(size=(n, columns))
    return x, x[:, 0] * x[:, 1] - x[:, 2] ** 2 + 0.5 * x[:, 3] + 0.1 * RNG.normal(size=n)


def test_ridge_finds_a_quadratic_law():
    """All but the noise of 0.1, of which 27 coefficients take a percent from 2,000 numbers."""
    ridge, (u, v) = methods.load("diffusion", "summary_ridge"), numbers(500)
    model = ridge.regress(*numbers(2000), (u, v), 1)
    assert np.std(ridge.correction(model, u) - v) == pytest.approx(0.1, rel=0.1) and model["strength"] < 100


def test_ridge_is_that_of_the_library():
    """Against scikit-learn, from data in more than one block. Rounding of sums over 5,000 rows."""
    ridge, (x, y), (u, v) = (
        methods.load("diffusion", "summary_ridge", {"strengths": [50.0]}),
        numbers(5000),
        numbers(50),
    )
    model = ridge.regress(x, y, (u, v), 1)
    assert 5000 > summary_ridge.BLOCK
    terms = PolynomialFeatures(2, include_bias=False)
    expected = Ridge(alpha=50.0).fit(terms.fit_transform(x), y).predict(terms.transform(u))
    assert ridge.correction(model, u) == pytest.approx(expected, abs=1e-9)


def test_trees_are_those_of_the_library():
    """Sum over the stored nodes against the library's own prediction with as many trees."""
    boosting, (x, y), (u, v) = methods.load("diffusion", "summary_boosting"), numbers(1000), numbers(500)
    model = boosting.regress(x, y, (u, v), 1)
    trees = len(model["value"])
    assert 20 < trees <= 400
    settings = {"max_leaf_nodes": boosting.leaves, "learning_rate": boosting.learning_rate, "early_stopping": False}
    expected = HistGradientBoostingRegressor(max_iter=trees, random_state=1, **settings).fit(x, y).predict(u)
    assert boosting.correction(model, u) == pytest.approx(expected, abs=1e-12)


def test_boosting_that_learns_nothing_has_no_tree():
    boosting = methods.load("diffusion", "summary_boosting")
    x, u = np.zeros((50, 3)), np.zeros((10, 3))
    model = boosting.regress(x, RNG.normal(size=50), (u, np.zeros(10)), 1)
    assert len(model["value"]) == 0 and np.ptp(boosting.correction(model, u)) == 0


class Scatter(SummaryRegression):
    """Knows nothing beyond the likelihood, which is wrong about its SD."""

    def regress(self, x, y, validation, seed):
        return {}

    def correction(self, model, x):
        return np.zeros(len(x))


def test_intervals_are_as_long_as_the_errors(monkeypatch):
    """Errors three times as large as the likelihood's SD says, and not normal: 1,000 stacks, three standard errors."""
    sd = RNG.uniform(0.1, 0.5, 2000)
    given = np.column_stack([RNG.normal(size=2000), sd])
    D = np.exp(given[:, 0] + 3 * sd * RNG.laplace(size=2000))

    class Split:
        def __init__(self, part):
            self.given, self.truth = given[part], {"D": D[part]}

    monkeypatch.setattr("blurbench.diffusion.summary_regression._summaries", lambda split, threads: split.given)
    monkeypatch.setattr("blurbench.diffusion.summary_regression.as_trained", lambda split, spec: split)
    known, new = Split(slice(1000)), Split(slice(1000, 2000))
    budget = type("Budget", (), {"threads": 1})
    model, _ = Scatter().fit({"train": known, "validation": known}, budget, None, 1)
    answer = Scatter().predict(new, {**model, "spec": None}, "cpu")
    for level, share in (("68", 0.68), ("95", 0.95)):
        inside = (answer[f"D_lo{level}"] <= D[1000:]) & (D[1000:] <= answer[f"D_hi{level}"])
        assert inside.mean() == pytest.approx(share, abs=3 * np.sqrt(2 * share * (1 - share) / 1000))
