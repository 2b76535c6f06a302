"""Likelihood of D for each track of a movie, at the localisation error that is likeliest for that D.

That of a path is exact in its sine-transformed displacements (Berglund 2010, PRE 82:011917); runs without gaps count as
independent. The error is each track's own, for molecules differ in brightness.
"""

import numpy as np
import pandas as pd
from scipy.fft import dst
from scipy.optimize import minimize_scalar

from blurbench.diffusion.estimators import blur_coefficient

LONGEST = 200  # displacements of a track that are used: D is then known to a tenth, and each takes its time
RANGE = np.geomspace(1e-4, 1e2, 61)  # of D over a likely one; a quarter apart, as a track of 50 frames knows it
VARIANCES = np.geomspace(1e-4, 2, 17)  # of the localisation, over half the mean square step


class Tracks:
    """Kept tracks as squares of their sine-transformed displacements, summed over both axes.

    particles : (track,)
    power, c : (n,), µm², and 1 - cos of the frequency, of all tracks one after the other

    Parameters
    ----------
    spots : what `tracking.find` returned, without the drift
    recording : entry of the configuration
    """

    def __init__(self, spots: pd.DataFrame, recording: dict):
        kept = spots[spots["kept"]].sort_values(["particle", "frame"])
        power, c, owner = [], [], []
        for particle, track in kept.groupby("particle"):
            track = track.iloc[: LONGEST + 1]
            path = track[["y", "x"]].to_numpy() * recording["pixel_size_um"]
            for run in np.split(path, np.flatnonzero(np.diff(track["frame"]) != 1) + 1):
                n = len(run) - 1
                if n > 0:
                    power.append((dst(np.diff(run, axis=0), type=1, norm="ortho", axis=0) ** 2).sum(axis=1))
                    c.append(1 - np.cos(np.pi * np.arange(1, n + 1) / (n + 1)))
                    owner += [particle] * n
        self.power, self.c = np.concatenate([[], *power]), np.concatenate([[], *c])
        self.particles, self._first = np.unique(np.array(owner, int), return_index=True)
        self._last = np.append(self._first[1:], len(owner))
        self._dt = recording["frame_time_s"]
        self._blur = blur_coefficient(recording["exposure_s"], self._dt)
        # Of two axes: what D times the frame time is, of paths that are all motion.
        self._scale = self.power.mean() / 4 if len(self.power) else np.nan

    def __len__(self):
        return len(self.particles)

    def likeliest(self) -> float:
        """The likeliest D of all tracks, µm²/s."""
        ln_D = np.log(self._scale / self._dt * RANGE)
        total = self.curves(np.exp(ln_D))[0].sum(axis=0)
        at = min(max(int(total.argmax()), 1), len(ln_D) - 2)
        ends = ln_D[at - 1], ln_D[at + 1]
        return float(
            np.exp(minimize_scalar(lambda x: -self.curves([np.exp(x)])[0].sum(), bounds=ends, method="bounded").x)
        )

    def curves(self, D):
        """Log-likelihoods (track, D) of every D (µm²/s), and the localisation variances (µm²) that make them so."""
        likelihood, variance = self._profiles(D, self.power[None], range(len(self)))
        return likelihood[0], variance[0]

    def drawn(self, D, true_D, variance, tracks, times, rng):
        """Log-likelihoods (times, track, D) of some tracks, by index, were they of one D.

        true_D : µm²/s;  variance : (track,) of the localisation of all tracks, µm²
        """
        each = np.repeat(variance, self._last - self._first)
        law = 2 * true_D * self._dt * (1 - 2 * self._blur * self.c) + 2 * each * self.c
        return self._profiles(D, law * rng.chisquare(2, (times, len(law))), tracks)[0]

    def _profiles(self, D, powers, tracks):
        """Likewise, (set, track, D), of sets of powers (set, n)."""
        D, variance = np.asarray(D)[:, None], self._scale * VARIANCES
        best, chosen = np.empty((2, len(powers), len(tracks), len(D)))
        for k, track in enumerate(tracks):
            own = slice(self._first[track], self._last[track])
            c = self.c[own, None, None]
            spectrum = 2 * D * self._dt * (1 - 2 * self._blur * c) + 2 * variance * c
            misfit = powers[:, own] @ (1 / spectrum).reshape(len(c), -1)
            likelihood = -np.log(spectrum).sum(axis=0) - misfit.reshape(-1, *spectrum.shape[1:]) / 2
            at = likelihood.argmax(axis=2)
            best[:, k], chosen[:, k] = np.take_along_axis(likelihood, at[..., None], 2)[..., 0], variance[at]
        return best, chosen
