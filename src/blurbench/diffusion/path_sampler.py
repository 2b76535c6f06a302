"""Sampler of the posterior of path and D, given the pixels of a stack: a Markov chain whose law is exact.

The state is the sub-positions (t, k, 2), in pixels from the corner of the field, and D (pixels²/s). Their prior: the
steps of a Brownian path, a normal start, ln D flat on a range. An iteration has moves of five kinds, each of which
leaves the posterior as it is:

- Hamiltonian Monte Carlo of all sub-positions (Duane et al. 1987; Neal 2011). The mass is the precision of the prior,
  and a constant for that of the photons: a tridiagonal matrix.
- Segments of sub-positions within a frame are reversed or change places, which the photons cannot tell.
- Segments are drawn anew from the prior, between what is before and after: dim spots have several places to be.
- Changes of D together with all of the path that the photons hardly see: with some of its features held, `Features`,
  the rest is scaled as sqrt(D). Without it D would follow the many steps of the path, and each of them D.
- D given the path: inverse-gamma, cut at the ends of the range.

The posterior of ln D is the mean over the iterations of that last law, not a histogram of its draws (Rao-Blackwell).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from blurbench.diffusion.pixel_likelihood import log_likelihood, of_frame
from blurbench.microscopy.random_streams import gamma, normal, stream, uniform

ACCEPTED, SCALED = 0.75, 0.4  # shares of Hamiltonian moves and of changes of D that their sizes are tuned to
REDRAWN = 2  # segments of each frame
LEAPS = 9  # most steps of a Hamiltonian move
SETTLING = 20  # iterations in which the path forgets where it began, at the D that the chain began with


class Motion(NamedTuple):
    """Prior of the path; pixels and s.

    durations : (t k - 1,) of the steps between sub-positions, frame after frame
    anchor : sub-position of the first frame whose place has a normal prior
    centre, precision : (2,) mean of that, and 1/variance per axis
    D_low, ln_range : lowest D, and ln of the highest over it
    photon_precision : what the photons of a frame are worth to each of its sub-positions, 1/pixels²
    """

    durations: np.ndarray
    anchor: int
    centre: np.ndarray
    precision: float
    D_low: float
    ln_range: float
    photon_precision: float


class Features(NamedTuple):
    """Some features of a path, weighted sums of its sub-positions, and what path is most likely, given them.

    weights : (feature, length) of the sub-positions from `first` (feature,) on
    paths : (feature, t k), what a unit of each feature adds to that path
    """

    weights: np.ndarray
    first: np.ndarray
    paths: np.ndarray


def features(frames: int, positions: int, motion: Motion, block: int, modes: int) -> Features:
    """The anchor, and the lowest cosines, `modes` of them, over each block of so many frames: the first is their mean.

    What a path has beyond the one most likely is independent of its features under the prior, and its variance goes as
    D. The linear algebra is that of the best prediction of a Brownian path on both sides of its anchor.
    """
    n, length = frames * positions, min(block, frames) * positions
    first = np.repeat(np.arange(0, n, length), modes)
    sizes = np.minimum(length, n - first)[:, None]
    at = (np.arange(length) + 0.5) / sizes
    weights = np.cos(np.pi * np.tile(np.arange(modes), len(first) // modes)[:, None] * at) * (at < 1) / sizes
    seen = np.zeros((len(first), n))
    for row, weight, start in zip(seen, weights, first):
        row[start : start + length] = weight[: n - start]
    time = np.concatenate([[0.0], np.cumsum(motion.durations)])
    time = (time - time[motion.anchor]) / time[-1]
    common = np.minimum(abs(time[:, None]), abs(time)) * (time[:, None] * time > 0)
    paths = np.linalg.solve(seen @ common @ seen.T, seen @ common)
    of_anchor = 1 - seen.sum(axis=1) @ paths
    alone = np.eye(1, length)
    return Features(np.vstack([alone, weights]), np.append(motion.anchor, first), np.vstack([of_anchor, paths]))


class State(NamedTuple):
    """Where a chain is, which `advance` changes.

    path : (t, k, 2), pixels;  D : (1,), pixels²/s
    ln_sizes : (1 + features,) of the steps of Hamiltonian moves, and of the changes of D with each of the Features
    random : (1,), of its random stream
    """

    path: np.ndarray
    D: np.ndarray
    ln_sizes: np.ndarray
    random: np.ndarray


def begin(path: np.ndarray, D: float, held: tuple, key: int, number: int) -> State:
    """A chain that begins at a path (t, k, 2) and a D, in pixels and s; key and number are of its random stream."""
    sizes = np.array([0.3] + [0.2] * len(held))
    return State(path.copy(), np.array([D]), np.log(sizes), stream(key, number, 0))


@njit(cache=True)
def advance(state, pixels, motion, held, warm_up, iterations, density):
    """Advance a chain.

    Parameters
    ----------
    state : State, changed in place
    pixels : Pixels;  motion : Motion;  held : tuple of Features
    warm_up, iterations : how many are not counted, in which the sizes of the moves are tuned; and how many are
    density : (cells,), filled with the posterior probability of equal cells of ln D over its range

    Returns
    -------
    (1 + len(held),) share of the Hamiltonian moves and of the changes of D that were accepted
    """
    s, path, ln_sizes, slope = state.random, state.path, state.ln_sizes, np.empty_like(state.path)
    D, steps = state.D[0], path.shape[0] * path.shape[1] - 1.0
    accepted = np.zeros(len(ln_sizes))
    density[:] = 0.0
    for i in range(warm_up + iterations):
        is_counted, rate = i >= warm_up, (10.0 + i) ** -0.6 if i < warm_up else 0.0
        likelihood = log_likelihood(path, pixels, slope, True)
        likelihood, share = _hamiltonian(s, path, D, pixels, motion, math.exp(ln_sizes[0]), likelihood, slope)
        ln_sizes[0] += 2.0 * rate * (share - ACCEPTED)
        accepted[0] += share if is_counted else 0.0
        _reverse(s, path, D, motion)
        _swap(s, path, D, motion)
        likelihood = _redraw(s, path, D, pixels, motion)
        if i < min(SETTLING, warm_up):
            continue
        for j in range(len(held)):
            width = math.exp(ln_sizes[1 + j])
            D, likelihood, share = _scale(s, path, D, pixels, motion, held[j], width, likelihood)
            ln_sizes[1 + j] += 4.0 * rate * (share - SCALED)
            accepted[1 + j] += share if is_counted else 0.0
        rough = _roughness(path, motion)
        D = _draw_D(s, D, steps, rough, motion)
        if is_counted:
            _add(density, steps, rough / motion.D_low, motion.ln_range)
    state.D[0] = D
    for i in range(len(density)):
        density[i] /= iterations
    return accepted / iterations


@njit(cache=True)
def _roughness(path, motion):
    """Sum of step²/(4 duration), pixels²/s: minus ln of the prior of the steps is that over D + (t k - 1) ln D."""
    total, flat = 0.0, path.reshape(-1, 2)
    for i in range(len(flat) - 1):
        dy, dx = flat[i + 1, 0] - flat[i, 0], flat[i + 1, 1] - flat[i, 1]
        total += (dy * dy + dx * dx) / (4.0 * motion.durations[i])
    return total


@njit(cache=True)
def _off_centre(place, motion):
    """Minus ln of the prior of the anchor."""
    dy, dx = place[0] - motion.centre[0], place[1] - motion.centre[1]
    return 0.5 * motion.precision * (dy * dy + dx * dx)


@njit(cache=True)
def _hamiltonian(s, path, D, pixels, motion, step, likelihood, slope):
    """Move all sub-positions; `slope` is that of the likelihood at `path`. Returns likelihood and acceptance."""
    x = path.copy()
    flat, n = x.reshape(-1, 2), x.shape[0] * x.shape[1]
    stiff = 1.0 / (2.0 * D * motion.durations)
    # Mass matrix L L': the diagonal of L, and what lies below it.
    root, below = np.empty(n), np.zeros(n)
    for i in range(n):
        diagonal = motion.photon_precision + (motion.precision if i == motion.anchor else 0.0)
        if i > 0:
            diagonal += stiff[i - 1]
            below[i] = -stiff[i - 1] / root[i - 1]
        if i + 1 < n:
            diagonal += stiff[i]
        root[i] = math.sqrt(diagonal - below[i] * below[i])
    p, v, ahead = np.empty((n, 2)), np.empty((n, 2)), slope.copy()
    before = _roughness(x, motion) / D + _off_centre(flat[motion.anchor], motion) - likelihood
    for axis in range(2):
        z = 0.0
        for i in range(n):
            last, z = z, normal(s)
            p[i, axis] = root[i] * z + below[i] * last
            before += 0.5 * z * z
    _kick(p, flat, stiff, motion, ahead, 0.5 * step)
    leaps, new = 1 + int(uniform(s) * LEAPS), 0.0
    for leap in range(leaps):
        _velocity(p, root, below, v)
        for i in range(n):
            flat[i, 0] += step * v[i, 0]
            flat[i, 1] += step * v[i, 1]
        new = log_likelihood(x, pixels, ahead, True)
        _kick(p, flat, stiff, motion, ahead, step if leap + 1 < leaps else 0.5 * step)
    _velocity(p, root, below, v)
    after = _roughness(x, motion) / D + _off_centre(flat[motion.anchor], motion) - new
    for i in range(n):
        after += 0.5 * (p[i, 0] * v[i, 0] + p[i, 1] * v[i, 1])
    share = math.exp(min(before - after, 0.0)) if math.isfinite(after) else 0.0
    if uniform(s) < share:
        _put(path.reshape(-1, 2), flat)
        return new, share
    return likelihood, share


@njit(cache=True)
def _kick(p, x, stiff, motion, slope, step):
    """Add `step` times the slope of the log-posterior, (t k, 2), to the momenta; `slope` is that of the likelihood."""
    along = slope.reshape(-1, 2)
    for axis in range(2):
        p[motion.anchor, axis] -= step * motion.precision * (x[motion.anchor, axis] - motion.centre[axis])
        pull = 0.0
        for i in range(len(x)):
            back, pull = pull, stiff[i] * (x[i + 1, axis] - x[i, axis]) if i + 1 < len(x) else 0.0
            p[i, axis] += step * (along[i, axis] + pull - back)


@njit(cache=True)
def _velocity(p, root, below, v):
    """Solve L L' v = p."""
    n = len(p)
    for axis in range(2):
        last = 0.0
        for i in range(n):
            last = (p[i, axis] - below[i] * last) / root[i]
            v[i, axis] = last
        last /= root[n - 1]
        v[n - 1, axis] = last
        for i in range(n - 2, -1, -1):
            last = (v[i, axis] - below[i + 1] * last) / root[i]
            v[i, axis] = last


@njit(cache=True)
def _reverse(s, path, D, motion):
    """Reverse segments within frames, as many as there are sub-positions."""
    frames, positions, _ = path.shape
    flat, anchor = path.reshape(-1, 2), motion.anchor
    for _ in range(len(flat)):
        frame = int(uniform(s) * frames) * positions
        i, j = frame + int(uniform(s) * positions), frame + int(uniform(s) * positions)
        a, b = min(i, j), max(i, j)
        gain = 0.0
        for axis in range(2):
            start, end = flat[a, axis], flat[b, axis]
            if a > 0:
                gain += _nearer(flat[a - 1, axis], start, end) / (4.0 * D * motion.durations[a - 1])
            if b + 1 < len(flat):
                gain += _nearer(flat[b + 1, axis], end, start) / (4.0 * D * motion.durations[b])
            if a <= anchor <= b:
                gain += (
                    0.5
                    * motion.precision
                    * _nearer(motion.centre[axis], flat[anchor, axis], flat[a + b - anchor, axis])
                )
        if math.log(uniform(s)) < gain:
            for k in range((b - a + 1) // 2):
                for axis in range(2):
                    flat[a + k, axis], flat[b - k, axis] = flat[b - k, axis], flat[a + k, axis]


@njit(cache=True)
def _swap(s, path, D, motion):
    """Let neighbouring segments within frames change places, as often as there are sub-positions."""
    frames, positions, _ = path.shape
    flat, anchor, turned = path.reshape(-1, 2), motion.anchor, np.empty((positions, 2))
    for _ in range(len(flat)):
        frame = int(uniform(s) * frames) * positions
        a, b, c = uniform(s), uniform(s), uniform(s)
        first, stop = min(a, b, c), max(a, b, c)
        middle = frame + int((a + b + c - first - stop) * (positions + 1))
        first, stop = frame + int(first * (positions + 1)), frame + int(stop * (positions + 1))
        if first == middle or middle == stop:
            continue
        gain = 0.0
        for axis in range(2):
            start, before, after, end = (
                flat[first, axis],
                flat[middle - 1, axis],
                flat[middle, axis],
                flat[stop - 1, axis],
            )
            gain += ((after - before) ** 2 - (start - end) ** 2) / (4.0 * D * motion.durations[middle - 1])
            if first > 0:
                gain += _nearer(flat[first - 1, axis], start, after) / (4.0 * D * motion.durations[first - 1])
            if stop < len(flat):
                gain += _nearer(flat[stop, axis], end, before) / (4.0 * D * motion.durations[stop - 1])
            if first <= anchor < stop:
                other = anchor + middle - first
                other = flat[other if other < stop else other - stop + first, axis]
                gain += 0.5 * motion.precision * _nearer(motion.centre[axis], flat[anchor, axis], other)
        if math.log(uniform(s)) < gain:
            n = stop - first
            for i in range(n):
                source = i + middle - first
                source = first + (source if source < n else source - n)
                turned[i, 0], turned[i, 1] = flat[source, 0], flat[source, 1]
            _put(flat[first:stop], turned[:n])


@njit(cache=True)
def _redraw(s, path, D, pixels, motion):
    """Draw segments within frames anew from the prior, or move them towards such a draw; returns the likelihood.

    A segment is that of a Brownian bridge between its neighbours. Half of the moves go all the way, the others part of
    it (Neal 1999: the new is cos(angle) of the old and sin(angle) of the draw, both beyond the mean of the bridge).
    """
    frames, positions, _ = path.shape
    flat, total, unused = path.reshape(-1, 2), 0.0, np.empty((positions, 2))
    for t in range(frames):
        likelihood = of_frame(path[t], pixels.rows[t], pixels, unused, False)
        for _ in range(REDRAWN):
            i, j = int(uniform(s) * positions), int(uniform(s) * positions)
            first, last = t * positions + min(i, j), t * positions + max(i, j)
            if first == 0 and last + 1 == len(flat):
                continue  # a path without an end that is held
            angle = 0.5 * math.pi * (1.0 if uniform(s) < 0.5 else uniform(s))
            old = path[t].copy()
            _bridge(s, flat, first, last, D, motion, math.cos(angle), math.sin(angle))
            new = of_frame(path[t], pixels.rows[t], pixels, unused, False)
            gain = new - likelihood
            if first <= motion.anchor <= last:
                gain += _off_centre(old[motion.anchor], motion) - _off_centre(flat[motion.anchor], motion)
            if math.log(uniform(s)) < gain:
                likelihood = new
            else:
                _put(path[t], old)
        total += likelihood
    return total


@njit(cache=True)
def _bridge(s, flat, first, last, D, motion, kept, drawn):
    """Leave the segment `kept` of its deviation from the bridge's mean, and add `drawn` of that of a new one."""
    # From the neighbour before, or else backwards from the one after; towards the other one, where there is one.
    step, here, held = (1, first, first - 1) if first > 0 else (-1, last, last + 1)
    other = last + 1 if first > 0 else -1
    has_end = 0 <= other < len(flat)
    whole = motion.durations[max(first - 1, 0) : last + 1].sum()
    gone, start, deviation = 0.0, flat[held].copy(), np.zeros(2)
    while first <= here <= last:
        duration = motion.durations[here - 1 if step > 0 else here]
        share = duration / (whole - gone) if has_end else 0.0
        gone += duration
        sd = math.sqrt(2.0 * D * duration * (1.0 - share))
        for axis in range(2):
            deviation[axis] += sd * normal(s) - share * deviation[axis]
            mean = start[axis] + (gone / whole * (flat[other, axis] - start[axis]) if has_end else 0.0)
            flat[here, axis] = mean + kept * (flat[here, axis] - mean) + drawn * deviation[axis]
        here += step


@njit(cache=True)
def _put(to, places):
    """Write places (n, 2); numba compiles an assignment of arrays for a second each time."""
    for i in range(len(places)):
        to[i, 0], to[i, 1] = places[i, 0], places[i, 1]


@njit(cache=True)
def _nearer(to, old, new):
    """By how much the square of a distance falls."""
    return (old - to) ** 2 - (new - to) ** 2


@njit(cache=True)
def _scale(s, path, D, pixels, motion, held, width, likelihood):
    """Change ln D, and scale what is beyond the features held. Returns D, the likelihood, and the acceptance."""
    change = width * normal(s)
    to = D * math.exp(change)
    if not 0.0 <= math.log(to / motion.D_low) <= motion.ln_range:
        return D, likelihood, 0.0
    moved = np.zeros_like(path)
    flat, x = path.reshape(-1, 2), moved.reshape(-1, 2)
    n, length, factor = len(flat), held.weights.shape[1], math.exp(0.5 * change)
    for f in range(len(held.first)):
        first = held.first[f]
        for axis in range(2):
            value = 0.0
            for i in range(min(length, n - first)):
                value += held.weights[f, i] * flat[first + i, axis]
            for i in range(n):
                x[i, axis] += value * held.paths[f, i]
    for i in range(n):
        for axis in range(2):
            x[i, axis] += factor * (flat[i, axis] - x[i, axis])
    new = log_likelihood(moved, pixels, moved, False)
    # n - 1 powers of D in the prior of the steps, and as many of sqrt(D) per axis in the volume as are not held.
    gain = new - likelihood + _roughness(path, motion) / D - _roughness(moved, motion) / to
    share = math.exp(min(gain + change * (1.0 - len(held.first)), 0.0))
    if uniform(s) < share:
        _put(flat, x)
        return to, new, share
    return D, likelihood, share


@njit(cache=True)
def _draw_D(s, D, steps, rough, motion):
    """D given the path; as it was where a hundred draws fall outside of the range."""
    for _ in range(100):
        drawn = rough / gamma(s, steps)
        if 0.0 <= math.log(drawn / motion.D_low) <= motion.ln_range:
            return drawn
    return D


@njit(cache=True)
def _add(density, steps, rough, ln_range):
    """Add the law of ln D given the path to the cells of `density`; rough over the lowest D."""
    cells = len(density)
    width, mode, reach = ln_range / cells, math.log(rough / steps), 8.0 / math.sqrt(steps)
    first = min(max(int((mode - reach) / width), 0), cells - 1)
    stop = max(min(int((mode + reach) / width) + 1, cells), first + 1)
    likeliest = min(max(mode, (first + 0.5) * width), (stop - 0.5) * width)
    law, total = np.empty(stop - first), 0.0
    for i in range(first, stop):
        at = (i + 0.5) * width
        law[i - first] = math.exp(steps * (likeliest - at) + rough * (math.exp(-likeliest) - math.exp(-at)))
        total += law[i - first]
    for i in range(first, stop):
        density[i] += law[i - first] / total
