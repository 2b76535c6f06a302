"""What a frame's spot and the steps to and from it show, in numbers that no symmetry of the problem changes.

Brownian motion knows neither directions in the plane nor one of time. So a moment of the image is taken along the
steps: a molecule that comes in along a line goes on along it, and has been on that line while the shutter was open.
Vectors and moments are complex, y + ix: a moment of angular order m turns with the m-th power of a direction.
"""

import numpy as np

from blurbench.diffusion.hermite_moments import PAIRS

SCALES = 2
COUNT = 8 + 15 * SCALES
_SOFT = 0.2  # of the square of a step, in variances of the PSF: shorter ones have no direction to speak of


def invariants(frames, present):
    """Invariants (n, t, COUNT) float32 of the `frames` of `hermite_moments.features`; 0 for frames that only pad."""
    x = frames.astype(float)
    there = found(x, present)
    before, after = steps(x, there)
    whole, turn = before + after, after - before
    square = np.abs(before) ** 2 + np.abs(after) ** 2
    usual = (square.sum(axis=1) / 2 / np.maximum((there[:, 1:] & there[:, :-1]).sum(axis=1), 1) + 0.05)[:, None]
    values = [
        np.log(square + 0.05), np.sqrt(square / usual), (before.conj() * after).real / usual,
        np.abs(whole) / np.sqrt(usual), np.log(usual) + 0 * square, x[..., 2], x[..., 3], there,
    ]  # fmt: skip
    for scale in range(SCALES):
        values += _of_scale(moments(x, scale), before, after, whole, turn)
    return (np.clip(np.stack(values, axis=-1), -50, 50) * present[..., None]).astype(np.float32)


def found(frames, present):
    """Frames (n, t) in which a spot was found."""
    return present & (frames[..., 4] > 0)


def steps(frames, there):
    """Steps to and from each frame, complex (n, t); 0 where one of its ends is missing."""
    position = frames[..., 0] + 1j * frames[..., 1]
    step = np.where(there[:, 1:] & there[:, :-1], np.diff(position, axis=1), 0.0)
    none = np.zeros_like(step[:, :1])
    return np.concatenate([none, step], axis=1), np.concatenate([step, none], axis=1)


def moments(frames, scale):
    """Moments of one scale by order and angular order {(n, m): (n, t)}, complex where m > 0: Hermite forms of r^n."""
    m = {pair: frames[..., 5 + scale * len(PAIRS) + i] for i, pair in enumerate(PAIRS)}
    r2, r6, r24 = np.sqrt((2, 6, 24))
    return {
        (0, 0): m[0, 0],
        (2, 0): m[2, 0] + m[0, 2],
        (2, 2): (m[2, 0] - m[0, 2]) / r2 + 1j * m[1, 1],
        (3, 1): r6 * m[3, 0] + r2 * m[1, 2] + 1j * (r6 * m[0, 3] + r2 * m[2, 1]),
        (3, 3): r6 * m[3, 0] - 3 * r2 * m[1, 2] + 1j * (3 * r2 * m[2, 1] - r6 * m[0, 3]),
        (4, 0): r24 * (m[4, 0] + m[0, 4]) + 4 * m[2, 2],
        (4, 2): r24 / 2 * (m[4, 0] - m[0, 4]) + 1j * r6 * (m[3, 1] + m[1, 3]),
        (4, 4): r24 * (m[4, 0] + m[0, 4]) - 12 * m[2, 2] + 4j * r6 * (m[3, 1] - m[1, 3]),
    }


def _of_scale(m, before, after, whole, turn):
    """Moments of one scale that have no direction, and the others along the steps.

    Backwards in time the way through a frame changes its sign, which moments of even angular order do not see; the turn
    in it does not, so that odd ones are taken along that.
    """
    quadrupole, skewness = m[2, 2], m[3, 1]
    square, across = np.abs(before) ** 2 + np.abs(after) ** 2, np.abs(turn)
    return [
        m[0, 0], m[2, 0], np.abs(quadrupole), np.abs(skewness), m[4, 0],
        along(quadrupole, whole**2, np.abs(whole) ** 2),
        along(quadrupole, before**2 + after**2, square),
        along(quadrupole, turn**2, across**2),
        along(quadrupole, skewness**2, np.abs(skewness) ** 2),
        (skewness.conj() * turn).real / np.sqrt(across**2 + _SOFT),
        along(m[3, 3], turn**3, across**3),
        along(m[3, 3], turn * whole**2, across * np.abs(whole) ** 2),
        along(m[4, 2], whole**2, np.abs(whole) ** 2),
        along(m[4, 2], turn**2, across**2),
        along(m[4, 4], whole**4, np.abs(whole) ** 4),
    ]  # fmt: skip


def along(moment, direction, length, soft=_SOFT):
    """Part of a moment along a direction given by a vector's power, which has that length."""
    return (moment.conj() * direction).real / (length + soft)
