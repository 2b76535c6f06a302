"""Paths of a diffusing molecule: where it is at even moments of every exposure, and between them.

A Brownian path is known at K moments of every exposure, the middles of K equal parts. Between two of its positions it
is a Brownian bridge, so that it can be asked for at any further moment, exactly. Positions are (y, x) in µm.
"""

import math

import numpy as np
from numba import njit

from blurbench.microscopy.random_streams import normal, uniform

MAX_REALISED_POINTS = 320


@njit(cache=True)
def walk(s, D, frames, substeps, frame_time, exposure, start_spread):
    """Sub-positions (frame, substep, 2), µm; the first lies in a square of side `start_spread` about the centre."""
    path = np.empty((frames, substeps, 2))
    y = (uniform(s) - 0.5) * start_spread
    x = (uniform(s) - 0.5) * start_spread
    within = math.sqrt(2.0 * D * exposure / substeps)
    between = math.sqrt(2.0 * D * (exposure / substeps + frame_time - exposure))
    for t in range(frames):
        for k in range(substeps):
            if t + k > 0:
                step = within if k > 0 else between
                y += step * normal(s)
                x += step * normal(s)
            path[t, k, 0] = y
            path[t, k, 1] = x
    return path


@njit(cache=True, forceinline=True)
def bridge(s, start, end, gone, left, per_time):
    """Coordinate of a Brownian path that left `start` `gone` ago and will be at `end` in `left`.

    per_time : variance of a free step per unit of time, 2D
    """
    share = gone / (gone + left)
    return start + share * (end - start) + math.sqrt(per_time * gone * (1.0 - share)) * normal(s)


@njit(cache=True)
def exposure_ends(s, path, D, frame_time, exposure):
    """Where a path is when each exposure begins and when it ends, (frame, 2, 2), given its sub-positions."""
    frames, substeps, _ = path.shape
    ends = np.empty((frames, 2, 2))
    half, dead = 0.5 * exposure / substeps, frame_time - exposure
    for axis in range(2):
        # Before the first and after the last sub-position the path is free, in both directions of time.
        ends[0, 0, axis] = path[0, 0, axis] + math.sqrt(2.0 * D * half) * normal(s)
        for t in range(1, frames):
            after = path[t, 0, axis]
            ends[t - 1, 1, axis] = bridge(s, path[t - 1, -1, axis], after, half, dead + half, 2.0 * D)
            ends[t, 0, axis] = bridge(s, ends[t - 1, 1, axis], after, dead, half, 2.0 * D)
        ends[-1, 1, axis] = path[-1, -1, axis] + math.sqrt(2.0 * D * half) * normal(s)
    return ends


@njit(cache=True)
def _all_lag_slope(path, times):
    """Slope of the time-averaged MSD at all lags, regressed through the origin, over 4 (µm²/s)."""
    n = len(path)
    above = below = 0.0
    for lag in range(1, n):
        msd = tau = 0.0
        for i in range(n - lag):
            dy = path[i + lag, 0] - path[i, 0]
            dx = path[i + lag, 1] - path[i, 1]
            msd += dy * dy + dx * dx
            tau += times[i + lag] - times[i]
        msd /= n - lag
        tau /= n - lag
        above += msd * tau
        below += tau * tau
    return above / below / 4.0


def realised(path, frame_time, exposure):
    """D of one realised path (t, substep, 2), µm²/s: the all-lag MSD of its sub-positions through the origin.

    The label of the source report (CS-433/ml-project-2-big-burger, 2024). A noisy statistic of D: its relative SD over
    paths of one D is 0.8. Long paths are thinned evenly to at most MAX_REALISED_POINTS points.
    """
    frames, substeps, _ = path.shape
    times = (np.arange(frames)[:, None] * frame_time + np.arange(substeps) * exposure / substeps).ravel()
    thin = slice(None, None, -(-len(times) // MAX_REALISED_POINTS))
    return _all_lag_slope(path.reshape(-1, 2)[thin].astype(float), times[thin])
