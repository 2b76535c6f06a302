"""Ridge regression of a number on some columns and on all products of two of them: a quadratic form."""

import numpy as np
import torch
from sklearn.linear_model import Ridge


def fits(x, y, strengths):
    """A model for each strength of the ridge, of y (n,) by x (n, columns), float64, columns of SD 1.

    Yields dicts: strength, coefficients (columns, then their products) and intercept.
    """
    given = products(x)
    for strength in strengths:
        ridge = Ridge(alpha=strength, solver="cholesky").fit(given, y)
        values = {"coefficients": torch.from_numpy(ridge.coef_), "intercept": float(ridge.intercept_)}
        yield {**values, "strength": float(strength)}


def value(model, x) -> np.ndarray:
    """What a model of `fits` says of x (..., columns), (...)."""
    n, coefficients = x.shape[-1], model["coefficients"].numpy().astype(np.float32)
    square = np.zeros((n, n), np.float32)
    square[np.triu_indices(n)] = coefficients[n:]
    return np.einsum("...f,...f->...", x @ square, x) + x @ coefficients[:n] + np.float32(model["intercept"])


def products(x):
    """The columns of x (n, columns), and all products of two of them."""
    return np.column_stack([x, *(x[:, i:] * x[:, i, None] for i in range(x.shape[1]))])
