"""Scores of predicted diffusion coefficients, per item, and the published metrics they reduce to.

Errors of ln D are taken after clipping an estimate to the range of D of its dataset. Every method is told that range:
the learned ones know it from their training anyway, and without it an unbiased estimator that happens to be zero or
negative would have no error of ln D at all. Errors in µm²/s are of the estimate as it was given.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion import PROBLEM
from blurbench.files.answers import OK
from blurbench.scoring.scores import ItemMetric, Metric, score_table

ITEM_METRICS = {
    "error_ln_d": ItemMetric(direction="target"),
    "error_um2_s": ItemMetric("um2/s", "target"),
    "relative_d": ItemMetric(direction="target"),
    "inside_68": ItemMetric(direction="target"),
    "inside_95": ItemMetric(direction="target"),
    "success": ItemMetric(direction="max"),
    "seconds": ItemMetric("s", "min"),
    "error_ln_d_realised": ItemMetric(direction="target"),
    "error_um2_s_realised": ItemMetric("um2/s", "target"),
}

METRICS = {  # the first one orders the tables and is compared pair by pair
    "rmse_ln_d": Metric("error_ln_d", "rms", "RMSE of ln D", to_limits=True),
    "bias_ln_d": Metric("error_ln_d", "mean", "bias of ln D", direction="target", target=0),
    "sd_ln_d": Metric("error_ln_d", "sd"),
    "median_abs_ln_d": Metric("error_ln_d", "median_abs"),
    "relative_sd": Metric("relative_d", "sd", "SD of the estimate / D", fixed_condition=True),
    "mae_um2_s": Metric("error_um2_s", "mean_abs", "MAE (µm²/s)", "um2/s"),
    "rmse_um2_s": Metric("error_um2_s", "rms", "RMSE (µm²/s)", "um2/s"),
    "coverage_68": Metric("inside_68", "mean", direction="target", target=0.68),
    "coverage_95": Metric("inside_95", "mean", "coverage of 95 %", direction="target", target=0.95),
    "success_rate": Metric("success", "mean", "success", direction="max"),
    "seconds": Metric("seconds", "mean", "s per item", "s"),
    "rmse_ln_d_realised": Metric("error_ln_d_realised", "rms", "RMSE of ln D", table="realised"),
    "bias_ln_d_realised": Metric(
        "error_ln_d_realised", "mean", "bias of ln D", direction="target", target=0, table="realised"
    ),
    "sd_ln_d_realised": Metric("error_ln_d_realised", "sd", "SD of ln D", table="realised"),
    "mae_um2_s_realised": Metric("error_um2_s_realised", "mean_abs", "MAE (µm²/s)", "um2/s", table="realised"),
    "rmse_um2_s_realised": Metric("error_um2_s_realised", "rms", "RMSE (µm²/s)", "um2/s", table="realised"),
}

CAPTION = (
    "Diffusion coefficient of one molecule from a stack of its images. Mean [95 % interval, bootstrap over items]. "
    "Errors of ln D after clipping to the dataset's range of D, errors in µm²/s unclipped."
)
NOTES = {
    "realised": (
        "Against the D of the realised path: the slope of the mean squared displacement of the true sub-positions over "
        "all lags. It is what the source report used as its label, and a noisy statistic of D: at fixed D it scatters "
        "by some 80 %. A method that copies this noise of the path scores well here and badly against D; the table "
        "shows how well a method reproduces that statistic, not how well it measures D."
    )
}


def score(dataset, predictions: pd.DataFrame) -> pd.DataFrame:
    """Long score table of one method on one dataset.

    Parameters
    ----------
    dataset : Dataset with truth; its spec gives the range of D
    predictions : one row per item, as `predictions.read` gives them: item, D, D_lo68, D_hi68, D_lo95, D_hi95 (µm²/s;
        NaN where the method gives none), seconds, status

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
    low, high = dataset.spec["D_um2_s"]
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
    worst = {
        "error_ln_d": np.log(high / low),
        "error_um2_s": high - low,
        "relative_d": high / low,
        "inside_68": 0.0,
        "inside_95": 0.0,
        "success": 0.0,
        "seconds": np.nan,
        "error_ln_d_realised": np.log(high / low),
        "error_um2_s_realised": high - low,
    }
    return score_table(dataset.items[list(PROBLEM.conditions)], ITEM_METRICS, values, status, worst)


def _inside(truth, found, level):
    """1 where the method's own interval holds the truth, 0 where not, NaN where it gives none."""
    low, high = (found[f"D_{end}{level}"].to_numpy(float) for end in ("lo", "hi"))
    return np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= truth) & (truth <= high))
