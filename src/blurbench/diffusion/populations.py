"""Whether the tracks of a movie are of one D, and of which two if they are not.

The test compares the likeliest law of D, free in its form (Kiefer & Wolfowitz 1956, Ann Math Statist 27:887), with the
likeliest single D; what their ratio is by chance is simulated, as its law is not the usual one (McLachlan 1987, J R
Stat Soc C 36:318). Which two D, and how many tracks are of each, is the likeliest mixture of two.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

from blurbench.diffusion.track_likelihood import RANGE, Tracks

ALL, SLOW, FAST = "all", "slow", "fast"  # tracks
FEWEST = 8  # tracks of a test, as of an interval
MOST = 300  # tracks of a test: more would tell differences that do not matter
SIMULATED = 199  # times that the ratio is drawn for one D
LEVEL = 0.01  # of the test
ROUNDS = 60  # of expectation and maximisation, the same for what is seen and what is simulated
APART = 3  # ratio of two D from which on their median is neither
MINOR = 0.1  # share of the tracks from which on the others do not stand for all


class Populations(NamedTuple):
    """What the tracks say of being of one D.

    p : of the test against one D, at least 1/(SIMULATED + 1); NaN with fewer than FEWEST tracks, as the rest is
    D : µm²/s, of the likeliest mixture of two, the slower first
    share : of the tracks that are of the slower
    fast : by particle, whether it is rather of the faster
    """

    p: float
    D: tuple[float, float]
    share: float
    fast: pd.Series

    @property
    def differ(self) -> bool:
        """Whether the tracks are not of one D."""
        return self.p <= LEVEL

    @property
    def two(self) -> bool:
        """Whether they differ by so much that no single D stands for them."""
        return self.differ and self.D[1] > APART * self.D[0] and MINOR < self.share < 1 - MINOR

    def __str__(self):
        low, high = (f"{100 * share:.0f} % of {D:.2g}" for share, D in zip((self.share, 1 - self.share), self.D))
        return f"the tracks are not of one D (p {self.p:.2g}), rather {low} and {high} um2/s"


def populations(spots: pd.DataFrame, recording: dict, seed: int) -> Populations:
    """What the kept tracks of a movie say of being of one D.

    Parameters
    ----------
    spots : what `tracking.find` returned, without the drift
    recording : entry of the configuration
    seed : of the simulated ratios
    """
    tracks = Tracks(spots, recording)
    if len(tracks) < FEWEST:
        return Populations(np.nan, (np.nan, np.nan), np.nan, pd.Series(False, tracks.particles))
    single = tracks.likeliest()
    D = single * RANGE
    curves, variance = tracks.curves(D)
    parts, share, fast = _two(np.log(D), curves)
    some = np.unique(np.linspace(0, len(tracks) - 1, MOST).astype(int))
    at_single = variance[:, np.argmin(np.abs(RANGE - 1))]
    drawn = tracks.drawn(D, single, at_single, some, SIMULATED, np.random.default_rng([seed, 2]))
    exceeded = (_ratio(drawn) >= _ratio(curves[None, some])).sum()
    return Populations((1 + exceeded) / (1 + SIMULATED), parts, share, pd.Series(fast, tracks.particles))


def _ratio(curves):
    """Log-likelihood (set,) of the likeliest law of D less that of the likeliest single one; curves (set, track, D)."""
    peak = curves.max(axis=2, keepdims=True)
    likelihood = np.exp(curves - peak)
    law = np.full(curves.shape[::2], 1 / curves.shape[2])
    for _ in range(ROUNDS):
        mean = np.einsum("skd,sd->sk", likelihood, law)
        law = law * np.einsum("skd,sk->sd", likelihood, 1 / mean) / curves.shape[1]
    any_law = (np.log(np.einsum("skd,sd->sk", likelihood, law)) + peak[..., 0]).sum(axis=1)
    return any_law - curves.sum(axis=1).max(axis=1)


def _two(ln_D, curves):
    """The likeliest mixture of two D (µm²/s), the share of the slower, and which tracks are rather of the faster."""
    between = CubicSpline(ln_D, curves, axis=1)

    def parts(p):
        low, high = sorted(np.clip(p[:2], ln_D[0], ln_D[-1]))
        return np.stack([log_expit(p[2]) + between(low), log_expit(-p[2]) + between(high)])

    def cost(p):
        return -logsumexp(parts(p), axis=0).sum()

    # A coarse search first, as the likelihood may have several maxima.
    starts = [(low, high, 0.0) for low in ln_D[::6] for high in ln_D[::6] if low < high]
    p = minimize(cost, min(starts, key=cost), method="Nelder-Mead", options={"maxiter": 1000}).x
    low, high = np.exp(sorted(np.clip(p[:2], ln_D[0], ln_D[-1])))
    slow, fast = parts(p)
    return (float(low), float(high)), float(expit(p[2])), fast > slow
