"""Regressions of the truth at a voxel: what they can learn of numbers that are known, and that a file keeps it."""

import numpy as np
import pytest
import torch

from blurbench.files import models
from blurbench.fusion import quadratic
from blurbench.running import methods

NAMES = ("local_ridge", "local_boosting")


def columns(n, seed):
    return np.random.default_rng(seed).normal(size=(n, 6))


def fitted(name, law):
    """A method, and its first model of a law of the columns."""
    x, u = columns(4000, 1), columns(1000, 2)
    method = methods.load("fusion", name)
    return method, next(iter(method.regressions(x, law(x), lambda: (u, law(u)), 1)))


def left(name, law):
    """Share of the variance of a law that a method leaves, on columns that it has not seen."""
    (method, model), x = fitted(name, law), columns(1000, 3)
    return np.mean((method.root(model, x) - law(x)) ** 2) / law(x).var()


def test_a_ridge_of_products_is_their_quadratic_form():
    x, rng = columns(50, 5), np.random.default_rng(6)
    model = {"coefficients": torch.from_numpy(rng.normal(size=27)), "intercept": 0.5}
    expected = quadratic.products(x) @ model["coefficients"].numpy() + 0.5
    np.testing.assert_allclose(quadratic.value(model, x), expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_quadratic_form_is_learned(name):
    assert left(name, lambda x: 9 + x[:, 0] * x[:, 1] - x[:, 2]) < 0.02


def test_boosting_learns_what_no_quadratic_form_is():
    """A step that two columns decide by their signs, where a third is high: every product averages out over it."""

    def step(x):
        return 2.0 + (x[:, 0] > 0.5) * np.sign(np.sin(4 * x[:, 1]))

    assert left("local_ridge", step) > 0.8
    assert left("local_boosting", step) < 0.3


@pytest.mark.parametrize("name", NAMES)
def test_a_file_keeps_what_was_learned(name, tmp_path):
    method, model = fitted(name, lambda x: 2.0 + (x[:, 0] > 0.5))
    models.write(model, tmp_path / "model.pt")
    x = columns(24, 4).astype(np.float32).reshape(2, 3, 4, 6)
    expected = method.root(model, x)
    np.testing.assert_array_equal(method.root(models.read(tmp_path / "model.pt"), x), expected)
    assert expected.shape == (2, 3, 4)
