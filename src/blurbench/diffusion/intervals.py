"""The answer of a method: D with its own 68 % and 95 % interval, µm²/s. Columns as in blurbench.diffusion.PROBLEM."""

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

TAILS = {"68": 0.16, "95": 0.025}  # probability on either side of an interval
Z = {level: -float(ndtri(tail)) for level, tail in TAILS.items()}


def from_log(ln_D, sd_ln_D, z=Z) -> pd.DataFrame:
    """Answers whose ln D is normal: arrays (item,) of its mean and SD.

    z : half the width of each interval in SD, where it is known to be another than that of a normal law
    """
    ln_D, sd_ln_D = np.asarray(ln_D, float), np.asarray(sd_ln_D, float)
    columns = {"D": np.exp(ln_D)}
    for level in TAILS:
        half = z[level] * sd_ln_D
        columns[f"D_lo{level}"], columns[f"D_hi{level}"] = np.exp(ln_D - half), np.exp(ln_D + half)
    return pd.DataFrame(columns)


def from_posterior(ln_D, probability) -> pd.DataFrame:
    """Answers by the posterior: the mean of ln D, which has the least mean square error, and its quantiles.

    ln_D : (n,), evenly spaced;  probability : (item, n), NaN where there is no answer
    """
    probability = np.asarray(probability, float).reshape(-1, len(ln_D))
    below = np.cumsum(probability, axis=1) - probability / 2
    columns = {"D": np.exp(probability @ ln_D)}
    for level, tail in TAILS.items():
        for end, share in (("lo", tail), ("hi", 1 - tail)):
            columns[f"D_{end}{level}"] = np.exp([np.interp(share, row, ln_D) for row in below])
    return pd.DataFrame(columns)


def from_linear(D, sd_D) -> pd.DataFrame:
    """Answers of an unbiased estimator: arrays (item,) of D, which may be negative, and its standard error (µm²/s).

    Where D is positive its interval is that of a normal ln D of SD sd_D/D, which keeps it positive and skewed as the
    laws of these estimators are; elsewhere it is D ± z sd_D, cut at 0.
    """
    D, sd_D = np.asarray(D, float), np.asarray(sd_D, float)
    positive = D > 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(positive, sd_D / D, np.nan)
        columns = {"D": D}
        for level, z in Z.items():
            columns[f"D_lo{level}"] = np.where(positive, D * np.exp(-z * relative), np.maximum(D - z * sd_D, 0))
            columns[f"D_hi{level}"] = np.where(positive, D * np.exp(z * relative), np.maximum(D + z * sd_D, 0))
    return pd.DataFrame(columns)


def from_densities(densities, low, high) -> pd.DataFrame:
    """Answers whose ln D has the given law: for each, the probability (cell,) of equal cells of ln D from low to high.

    D is the exponential of the mean of ln D; the intervals are its quantiles.
    """
    rows, levels = np.empty((len(densities), 5)), ndtr(np.array([-Z["68"], Z["68"], -Z["95"], Z["95"]]))
    for row, density in zip(rows, densities):
        edges = np.linspace(np.log(low), np.log(high), len(density) + 1)
        row[0] = density @ (edges[:-1] + edges[1:]) / 2
        row[1:] = np.interp(levels, np.concatenate([[0.0], np.cumsum(density)]), edges)
    return pd.DataFrame(np.exp(rows), columns=["D", "D_lo68", "D_hi68", "D_lo95", "D_hi95"])
