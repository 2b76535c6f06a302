"""Scores of predicted diffusion coefficients, per item, and the published metrics they reduce to.

Errors of ln D are taken after clipping an estimate to the range of D of its dataset. Every method is told that range:
the learned ones know it from their training anyway, and without it an unbiased estimator that happens to be zero or
negative would have no error of ln D at all. Where the test grid goes beyond that range, estimates may be half of its
lowest D and twice its highest. Errors in µm²/s are of the estimate as it was given.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion import PROBLEM
from blurbench.files.answers import OK
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.score_table import score_table


def _range(spec):
    """Lowest and highest D (µm²/s) that an estimate is clipped to."""
    (low, high), grid = spec["D_um2_s"], spec["test_D_um2_s"]
    return low if low <= min(grid) else min(grid) / 2, high if high >= max(grid) else 2 * max(grid)


def _span(spec):
    """Width of the dataset's range of D in µm²/s."""
    low, high = _range(spec)
    return high - low


def _ratio(spec):
    """Highest D of the dataset over its lowest."""
    low, high = _range(spec)
    return high / low


def _log_ratio(spec):
    """Width of the dataset's range of ln D."""
    return np.log(_ratio(spec))


def _signed(name, target, worst, *published, unit="1"):
    """An error or a ratio that may be of any size and sign."""
    return Metric(name, "target", (-np.inf, np.inf), worst, published, unit, target)


METRICS = (  # the first published number orders the tables and is compared pair by pair
    _signed(
        "error_ln_d",
        0,
        _log_ratio,
        Published("rmse_ln_d", "rms", "RMSE of ln D", to_limits=True, mistakes=True),
        Published("bias_ln_d", "bias", "bias of ln D", mistakes=True),
        Published("sd_ln_d", "sd"),
        Published("median_abs_ln_d", "median_abs"),
    ),
    _signed("relative_d", 1, _ratio, Published("relative_sd", "sd", "SD of the estimate / D", fixed_condition=True)),
    _signed(
        "error_um2_s",
        0,
        _span,
        Published("mae_um2_s", "mean_abs", "MAE (µm²/s)"),
        Published("rmse_um2_s", "rms", "RMSE (µm²/s)"),
        unit="um2/s",
    ),
    Metric("inside_68", "target", (0, 1), 0.0, (Published("coverage_68", "mean"),), target=0.68),
    Metric(
        "inside_95",
        "target",
        (0, 1),
        0.0,
        (Published("coverage_95", "mean", "coverage of 95 %", mistakes=True),),
        target=0.95,
    ),
    Metric("success", "max", (0, 1), 0.0, (Published("success_rate", "mean", "success"),)),
    Metric("seconds", "min", (0, np.inf), np.nan, (Published("seconds", "mean", "s per item"),), unit="s"),
    _signed(
        "error_ln_d_realised",
        0,
        _log_ratio,
        Published("rmse_ln_d_realised", "rms", "RMSE of ln D", table="realised"),
        Published("bias_ln_d_realised", "bias", "bias of ln D", table="realised"),
        Published("sd_ln_d_realised", "sd", "SD of ln D", table="realised"),
    ),
    _signed(
        "error_um2_s_realised",
        0,
        _span,
        Published("mae_um2_s_realised", "mean_abs", "MAE (µm²/s)", table="realised"),
        Published("rmse_um2_s_realised", "rms", "RMSE (µm²/s)", table="realised"),
        unit="um2/s",
    ),
)

CAPTION = (
    "Diffusion coefficient of one molecule from a stack of its images. Mean [95 % interval, bootstrap within each D]. "
    "Errors of ln D after clipping to the dataset's range of D, errors in µm²/s unclipped; a failed stack counts as "
    "off by the whole range. Cramér-Rao bounds are those of unbiased methods, and have no interval; a biased method, "
    "such as one that knows the range of D, may pass them."
)


def score(dataset, predictions: pd.DataFrame, metrics=METRICS) -> pd.DataFrame:
    """Long score table of one method on one dataset.

    Parameters
    ----------
    dataset : Dataset with truth; its spec gives the range of D
    predictions : one row per item, as `predictions.read` gives them: item, D, D_lo68, D_hi68, D_lo95, D_hi95 (µm²/s;
        NaN where the method gives none), seconds, status
    metrics : those of METRICS that are wanted

    Returns
    -------
    DataFrame with the columns item, D, metric, value, unit, direction, status, worst: one row per item and metric.
    `value` is NaN where the method failed on the item (status is not "ok") or does not give the quantity; `worst` is
    what a failed item counts as in the ranking, NaN if failures do not count.

    Raises
    ------
    ValueError if the predictions are not one row per item of the dataset.
    """
    items = dataset.items.index.to_numpy()
    if sorted(predictions["item"]) != list(items):
        raise ValueError("predictions must hold each item of the dataset once, and no other")
    found = predictions.set_index("item").loc[items]
    estimate = found["D"].to_numpy(float)
    status = found["status"].to_numpy(object)
    status = np.where((status == OK) & ~np.isfinite(estimate), "not finite", status)

    truth = dataset.items["D"].to_numpy(float)
    realised = np.asarray(dataset.truth["D_realised"][:], float)
    low, high = _range(dataset.spec)
    clipped = np.clip(estimate, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "error_ln_d": np.log(clipped / truth),
            "error_um2_s": estimate - truth,
            "relative_d": estimate / truth,
            "inside_68": _inside(truth, found, 68),
            "inside_95": _inside(truth, found, 95),
            "seconds": found["seconds"].to_numpy(float),
            "error_ln_d_realised": np.log(clipped / realised),
            "error_um2_s_realised": estimate - realised,
        }
    return score_table(dataset.items[list(PROBLEM.conditions)], metrics, values, status, dataset.spec)


def _inside(truth, found, level):
    """1 where the method's own interval holds the truth, 0 where not, NaN where it gives none."""
    low, high = (found[f"D_{end}{level}"].to_numpy(float) for end in ("lo", "hi"))
    return np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= truth) & (truth <= high))
