"""Mean squared displacement of all tracks of a movie together, and what it says of D."""

from dataclasses import replace

import numpy as np
import pandas as pd

from blurbench.diffusion.track_resampling import movie_of, resampled
from blurbench.scoring.statistics import replicate_sums

LAGS = (3, 10)  # fewest and most lags of the lines, a tenth of the movie in between


def squared_displacements(spots: pd.DataFrame, pixel_size: float, max_lag: int):
    """Sums (µm²) and numbers of squared displacements of every kept track, at lags 1 to max_lag: two (track, lag)."""
    kept = spots[spots["kept"]]
    grid = kept.pivot(index="particle", columns="frame", values=["y", "x"])
    frames = np.arange(kept["frame"].min(), kept["frame"].max() + 1)
    path = np.stack([grid[axis].reindex(columns=frames).to_numpy() for axis in "yx"], axis=-1) * pixel_size
    sums, numbers = [], []
    for lag in range(1, max_lag + 1):
        squares = ((path[:, lag:] - path[:, :-lag]) ** 2).sum(axis=-1)
        sums.append(np.nansum(squares, axis=1))
        numbers.append(np.isfinite(squares).sum(axis=1))
    return np.stack(sums, axis=1), np.stack(numbers, axis=1)


def ensemble_msd(spots: pd.DataFrame, recording: dict, resamples: int, seed: int) -> pd.DataFrame:
    """Mean squared displacement of all kept tracks together, and what it says of D.

    Lines: MSD = 4D·lag + offset over the first lags (a tenth of the movie, 3 to 10), the offset taking localisation
    error and motion blur; and MSD = 4D·lag^exponent in logarithms, which blur makes steeper and localisation error
    flatter than 1. Intervals by bootstrap over tracks, NaN where fewer than eight of them have a value; of many movies
    over these (`track_resampling`).

    Parameters
    ----------
    spots : what `tracking.find` returned, without the drift
    recording : entry of the configuration

    Returns
    -------
    DataFrame: quantity (msd, D_linear, offset, D_loglog, exponent), lag_s (of msd), value, ci_low, ci_high, unit,
    n_tracks.
    """
    length = int(spots["frame"].max() - spots["frame"].min()) + 1
    lags = min(max(LAGS[0], min(LAGS[1], length // 10)), length - 1)
    sums, numbers = squared_displacements(spots, recording["pixel_size_um"], lags)
    tau = np.arange(1, lags + 1) * recording["frame_time_s"]
    used = numbers.sum(axis=0) > 0

    def quantities(sums, numbers):
        msd = sums / numbers
        slope, offset = _lines(tau[used], msd[..., used])
        exponent, level = _lines(np.log(tau[used]), np.log(msd[..., used]))
        return np.concatenate([msd, np.stack([slope / 4, offset, np.exp(level) / 4, exponent], axis=-1)], axis=-1)

    moments = np.stack([sums, numbers]).transpose(0, 2, 1)
    particles = np.unique(spots.loc[spots["kept"], "particle"])
    draws = resampled(particles, movie_of(spots), resamples, seed)
    found = replicate_sums(moments, quantities, draws)
    counted = found.counted.copy()
    counted[:lags] = (draws.summed(numbers.T.astype(float)) > 0).sum(axis=-1)  # some tracks are shorter than a lag
    found = replace(found, counted=counted)
    names = [("msd", lag, "um2") for lag in tau]
    names += [("D_linear", np.nan, "um2/s"), ("offset", np.nan, "um2")]
    names += [("D_loglog", np.nan, "um2/s"), ("exponent", np.nan, "")]
    table = pd.DataFrame(names, columns=["quantity", "lag_s", "unit"])
    low, high = found.interval()
    columns = {"value": found.value, "ci_low": low, "ci_high": high, "n_tracks": len(sums)}
    return table.assign(**columns)[["quantity", "lag_s", "value", "ci_low", "ci_high", "unit", "n_tracks"]]


def _lines(x, y):
    """Slopes and intercepts of least-squares lines through y (..., len(x))."""
    away = x - x.mean()
    slope = (y * away).sum(axis=-1) / (away**2).sum()
    return slope, y.mean(axis=-1) - slope * x.mean()
