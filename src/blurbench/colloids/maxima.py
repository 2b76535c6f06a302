"""Where bright spots lie: maxima of a filtered volume, between the voxels."""

import numpy as np

ROUNDING = 1e-3  # of the largest response: what is smaller may be rounding, where a volume has no noise


def maxima(response, separation):
    """Local maxima of a filtered volume, between the voxels.

    A voxel counts if it is the largest within `separation` of itself and more than ROUNDING of the largest of all. Its
    position is the top of the quadratic through it and its neighbours (all second derivatives, central differences),
    moved by at most one voxel.
    A maximum in the outermost layer has no such neighbours and is not taken.

    Parameters
    ----------
    response : (z, y, x) float;  separation : voxels

    Returns
    -------
    positions (n, 3) in voxels, response at the tops (n,)
    """
    reach, least = int(np.ceil(separation)), max(ROUNDING * response.max(), 0)
    ball = np.sqrt(sum(g.astype(float) ** 2 for g in np.ogrid[tuple(3 * [slice(-reach, reach + 1)])])) <= separation
    # The box in the ball first: it is quick, and leaves few voxels to be compared with the whole ball.
    inside = max(1, int(separation / np.sqrt(3)))
    largest = _largest(np.pad(response, inside, constant_values=-np.inf), 2 * inside + 1)
    candidate = (response == largest) & (response > least)
    at = np.argwhere(candidate[1:-1, 1:-1, 1:-1]) + 1
    padded = np.pad(response, reach, constant_values=-np.inf)
    offsets = np.argwhere(ball)
    keep = [response[tuple(p)] >= padded[tuple((p + offsets).T)].max() for p in at]
    at = at[np.array(keep, bool)]
    return _tops(response, at)


def _largest(values, side):
    """Largest value in each box of `side` voxels, by its first one: whole arrays at once take half of SciPy's time."""
    for axis in range(3):
        values, width = np.moveaxis(values, axis, 0), 1
        while width < side:
            step = min(width, side - width)
            values, width = np.maximum(values[:-step], values[step:]), width + step
        values = np.moveaxis(values, 0, axis)
    return values


def _tops(response, at):
    """Tops (n, 3) of the quadratics through the neighbourhoods of voxels at (n, 3), and their heights (n,)."""
    if not len(at):
        return np.empty((0, 3)), np.empty(0)
    cube = np.stack(np.meshgrid(*3 * [[-1, 0, 1]], indexing="ij"), axis=-1)
    near = response[tuple(np.moveaxis(at[:, None, None, None] + cube, -1, 0))].astype(float)  # (n, 3, 3, 3)
    gradient, hessian = np.empty((len(at), 3)), np.empty((len(at), 3, 3))
    for a in range(3):
        line = np.moveaxis(near, 1 + a, 1)[:, :, 1, 1]
        gradient[:, a] = (line[:, 2] - line[:, 0]) / 2
        hessian[:, a, a] = line[:, 2] - 2 * line[:, 1] + line[:, 0]
        for b in range(a):
            face = np.moveaxis(near, (1 + a, 1 + b), (1, 2))[:, :, :, 1]
            mixed = (face[:, 2, 2] - face[:, 2, 0] - face[:, 0, 2] + face[:, 0, 0]) / 4
            hessian[:, a, b] = hessian[:, b, a] = mixed
    top = np.zeros_like(gradient)
    bends = np.linalg.eigvalsh(hessian)
    peaked = bends[:, -1] < 1e-6 * bends[:, 0]  # not flat along any direction, whatever rounding makes of that
    top[peaked] = -np.linalg.solve(hessian[peaked], gradient[peaked][..., None])[..., 0]
    top = np.clip(top, -1, 1)
    height = near[:, 1, 1, 1] + np.einsum("na,na->n", gradient, top)
    height += np.einsum("na,nab,nb->n", top, hessian, top) / 2
    return at + top, height
