"""Correlation along one axis against SciPy's."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d, gaussian_filter

from blurbench.microscopy.separable import correlated, gaussian


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("margin", [0, 3, -2])
def test_correlated_is_that_of_scipy_to_the_bit(axis, margin, dtype):
    profile = np.exp(-0.5 * (np.arange(-6, 7) / 1.7) ** 2)
    for shape in ((9, 7, 40), (5, 5, 6), (6, 30, 31)):  # shorter than the profile, more lines than a block
        field = np.random.default_rng(0).normal(size=shape).astype(dtype)
        around = np.pad(field, [(max(margin, 0),) * 2 if a == axis else (0, 0) for a in range(3)])
        wanted = correlate1d(around, profile, axis, mode="constant")
        inner = slice(-min(margin, 0), wanted.shape[axis] + min(margin, 0))
        wanted = wanted[tuple(inner if a == axis else slice(None) for a in range(3))]
        found = correlated(field, profile, axis, margin)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("orders", [(0, 0, 0), (2, 0, 0), (0, 2, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaussian_is_that_of_scipy_to_the_bit(dtype, orders):
    for sd in ((2.5, 1.1, 0.7), (0.1, 4.0, 1.3)):
        field = np.random.default_rng(0).normal(size=(12, 9, 30)).astype(dtype)
        np.testing.assert_array_equal(gaussian(field, sd, orders), gaussian_filter(field, sd, orders))
        flat = gaussian_filter(field[0], sd[:2], mode="nearest")
        np.testing.assert_array_equal(gaussian(field[0], sd[:2], beyond="edge"), flat)
