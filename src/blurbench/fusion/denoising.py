"""Total variation denoising of photons (Rudin, Osher & Fatemi 1992; Chambolle 2004, J. Math. Imaging Vis. 20:89).

Anscombe's square root (1948, Biometrika 35:246) makes their noise as strong in dark places as in bright ones before it.
The steps are those of scikit-image's `denoise_tv_chambolle`, to the last bit (`tests/fusion/test_classical.py`); but it
writes some ten volumes at each of them, and here a plane is made at a time, in a seventh of the time.
"""

import numpy as np
from numba import njit

ITERATIONS = 40  # always so many: if each tile of a view stopped for itself, seams would show


def total_variation(photons, weight, planes=0) -> np.ndarray:
    """Photons (z, y, x) without most of their noise, float32.

    Parameters
    ----------
    weight : of the total variation against the noise of SD 1; 0 leaves the photons as they are
    planes : 1 if each plane is denoised for itself, as structures thinner than their distance must be; 0 if not
    """
    if not weight:
        return np.asarray(photons, np.float32)
    even = 2 * np.sqrt(np.maximum(np.asarray(photons, np.float32) + np.float32(3 / 8), 0))
    if planes:
        even = np.concatenate([_denoised(plane[None], weight, 1 / 4) for plane in even])
    else:
        even = _denoised(even, weight, 1 / 6)
    return np.square(even / 2) - np.float32(3 / 8)


@njit(cache=True, error_model="numpy")
def _denoised(image, weight, step):
    """Chambolle's projection of an image (z, y, x) float32; the step is one over twice the number of dimensions."""
    nz, ny, nx = image.shape
    dual = np.zeros((3, nz + 1, ny + 1, nx + 1), np.float32)  # one voxel on: nothing comes from before the first ones
    out = np.empty_like(image)
    shape = (ny + 1, nx + 1)  # and beyond the last ones it goes on as it is
    here, there = np.empty(shape, np.float32), np.empty(shape, np.float32)
    step, fall = np.float32(step), np.float32(step / weight)
    for _ in range(ITERATIONS - 1):
        _primal(image, dual, np.int64(0), here)  # a literal 0 is a type of its own, compiled for once more
        for z in range(nz):
            if z + 1 < nz:
                _primal(image, dual, z + 1, there)
            else:
                _copy(here, there)
            for y in range(ny):
                row, next_row, next_plane = here[y], here[y + 1], there[y]
                p, q, r = dual[0, z + 1, y + 1], dual[1, z + 1, y + 1], dual[2, z + 1, y + 1]
                for x in range(nx):
                    a, b, c = next_plane[x] - row[x], next_row[x] - row[x], row[x + 1] - row[x]
                    norm = np.sqrt(a * a + b * b + c * c) * fall + np.float32(1)
                    p[x + 1] = (p[x + 1] - step * a) / norm
                    q[x + 1] = (q[x + 1] - step * b) / norm
                    r[x + 1] = (r[x + 1] - step * c) / norm
            here, there = there, here
    for z in range(nz):
        _primal(image, dual, z, here)
        _copy(here, out[z])
    return out


@njit(cache=True)
def _copy(plane, to):
    """Copy what of a plane (y, x) finds room. A loop, as numba compiles an assignment of arrays for seconds."""
    for y in range(to.shape[0]):
        for x in range(to.shape[1]):
            to[y, x] = plane[y, x]


@njit(cache=True, error_model="numpy")
def _primal(image, dual, z, out):
    """A plane of the image with the divergence of the dual, (y + 1, x + 1): its last row and column stand twice."""
    _, ny, nx = image.shape
    for y in range(ny):
        p, q, r = dual[0, z + 1, y + 1], dual[1, z + 1, y + 1], dual[2, z + 1, y + 1]
        before, above = dual[0, z, y + 1], dual[1, z + 1, y]
        for x in range(nx):
            out[y, x] = image[z, y, x] + (-(p[x + 1] + q[x + 1] + r[x + 1]) + before[x + 1] + above[x + 1] + r[x])
        out[y, nx] = out[y, nx - 1]
    for x in range(nx + 1):
        out[ny, x] = out[ny - 1, x]
