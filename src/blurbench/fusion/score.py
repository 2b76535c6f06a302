"""Scores of restored volumes, per volume, and the published numbers they reduce to.

N_SSIM is the challenge's: of what the view lacks of similarity to a target, how much an answer makes up for; 0 for a
copy of the view and 1 for the target. It has no lower bound, and few bad volumes rule its mean: the median orders the
tables. What similarity is stands in `blurbench.fusion.ssim`. The truth has no noise; the targets that are made of all
views, fused and deconvolved, have noise that is independent of the view's, or to copy noise would pay.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from blurbench.files.answers import OK
from blurbench.fusion import PROBLEM
from blurbench.fusion.items import TARGETS, View, read
from blurbench.fusion.resolution import COARSEST_UM, resolution
from blurbench.fusion.segmenting import agreement, nuclei
from blurbench.fusion.ssim import K1, K2, PERCENTILES, WINDOW, Similarity, foreground, normalised, similarity
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.score_table import score_table

DEPTHS = ("shallow", "middle", "deep")  # thirds of the planes, the first nearest to the objective
FAILED = -1.0  # N_SSIM of an item without an answer: as far below a copy of the view as the truth is above it


def _gain(name, *published):
    """Part of what a copy of the view lacks that is made up for: 0 for the copy, 1 for the target."""
    return Metric(name, "max", (-np.inf, 1), worst=FAILED, published=published)


def _below_0(name, *published):
    """Whether a gain is negative."""
    return Metric(name, "min", (0, 1), worst=1.0, published=published)


def _by_depth(depth):
    gain = Published(f"n_ssim_{depth}", "median", f"N_SSIM, {depth}", table="depth")
    period = Published(f"resolution_{depth}", "median", f"resolution, {depth} (µm)", table="depth")
    yield _gain(gain.name, gain)
    yield Metric(period.name, "min", (0, COARSEST_UM), worst=COARSEST_UM, published=(period,), unit="um")


METRICS = (  # the first published number orders the tables and is compared pair by pair
    _gain(
        "n_ssim",
        Published("n_ssim", "median", "N_SSIM", mistakes=True),
        Published("n_ssim_quartile_1", "quartile_1", "lower quartile"),
        Published("n_ssim_quartile_3", "quartile_3", "upper quartile"),
        Published("n_ssim_mean", "mean", "mean N_SSIM"),
    ),
    _below_0("below_0", Published("fraction_below_0", "mean", "share below 0")),
    _gain("n_ssim_foreground", Published("n_ssim_foreground", "median", "N_SSIM, foreground")),
    Metric("ssim", "max", (-1, 1), worst=0.0, published=(Published("ssim", "median", "SSIM"),)),
    Metric(
        "psnr", "max", (-np.inf, np.inf), worst=0.0, published=(Published("psnr", "median", "PSNR (dB)"),), unit="dB"
    ),
    Metric("nrmse", "min", (0, np.inf), worst=1.0, published=(Published("nrmse", "median", "NRMSE"),)),
    # Of a volume that is empty nothing else says how much light an answer invents.
    Metric("rmse", "min", (0, np.inf), np.nan, (Published("rmse", "median", mistakes=True),), unit="photons"),
    _gain("n_iou", Published("n_iou", "median", "N_IOU, nuclei")),
    Metric("success", "max", (0, 1), worst=0.0, published=(Published("success_rate", "mean"),)),
    Metric("seconds", "min", (0, np.inf), np.nan, (Published("seconds", "mean", "s per volume"),), unit="s"),
    _gain(
        "n_ssim_fused",
        Published("n_ssim_fused", "median", "N_SSIM to the fusion", table="targets"),
        Published("n_ssim_fused_quartile_1", "quartile_1", "lower quartile", table="targets"),
        Published("n_ssim_fused_quartile_3", "quartile_3", "upper quartile", table="targets"),
        Published("n_ssim_fused_mean", "mean", "mean", table="targets"),
    ),
    _below_0("below_0_fused", Published("fraction_below_0_fused", "mean", "share below 0", table="targets")),
    _gain(
        "n_ssim_fused_foreground",
        Published("n_ssim_fused_foreground", "median", "to the fusion, foreground", table="targets"),
    ),
    _gain(
        "n_ssim_deconvolved", Published("n_ssim_deconvolved", "median", "N_SSIM to the deconvolution", table="targets")
    ),
    *(metric for depth in DEPTHS for metric in _by_depth(depth)),
)

CAPTION = (
    "A volume fused from several views, from one. Median over volumes [95 % interval, bootstrap within each study]; a "
    f"failed volume counts as {FAILED:g}. N_SSIM is the part of what the view lacks of similarity to the truth without "
    "noise that an answer makes up for: 0 for a copy of the view, 1 for the truth. Similarity is the mean of the SSIM "
    f"map in three dimensions: uniform window of {WINDOW} voxels, sample covariance, K1 {K1:g}, K2 {K2:g}, without the "
    f"border that has no whole window; each volume scaled by its percentiles {PERCENTILES[0]:g} and "
    f"{PERCENTILES[1]:g}, not clipped; data range the larger of answer's and target's, as is most likely in the "
    "challenge. In the foreground (above Otsu's threshold of the target) the range is the target's alone, so that "
    "neither the noise of the background nor an answer's outliers decide. PSNR is of the scaled volumes. NRMSE is of "
    "photons as they are answered, over the difference of the truth's percentiles. N_IOU is made likewise of the "
    "overlap of the nuclei that one fixed segmenter finds in an answer with those that it finds in the truth."
)


def n_ssim(prediction, target, view, in_foreground: bool = False) -> float:
    """Normalised SSIM of a prediction: 0 for a copy of the view, 1 for the target, without lower bound.

    (SSIM(prediction, target) - SSIM(view, target)) / (1 - SSIM(view, target)), all settings in `blurbench.fusion.ssim`
    (Fuse My Cells challenge, ISBI 2025).

    Parameters
    ----------
    prediction, target, view : (z, y, x), of one shape, at least 7 voxels along each axis
    in_foreground : over the target's foreground alone, with a data range that the prediction cannot change

    Returns
    -------
    float; NaN where the view is the target, or the target has one grey value
    """
    return comparison(target, view, in_foreground)(prediction)


def comparison(target, view, in_foreground: bool = False) -> Callable[[np.ndarray], float]:
    """Function of a prediction, `n_ssim` of it: what of that is the target's and the view's is found once."""
    target = normalised(target)
    mask, kind = foreground(target.volume), "foreground" if in_foreground else "mean"

    def similar(volume):
        return getattr(similarity(normalised(volume), target, mask), kind)

    copied = similar(view)
    return lambda prediction: gain(similar(prediction), copied)


def gain(found, copied) -> float:
    """Part of what a copy lacks to 1 that is found; NaN where it lacks nothing."""
    return float((found - copied) / (1 - copied)) if copied < 1 else float("nan")


def score(dataset, found, metrics=METRICS) -> pd.DataFrame:
    """Score table of one method on one dataset, one volume in memory at a time.

    Parameters
    ----------
    dataset : Dataset with truth;  found : ImageAnswers
    metrics : those of METRICS that are wanted; the first alone takes a part of the time

    Returns
    -------
    `score_table`: one row per item and metric, with the name of its study. NaN where the method failed, and where a
    quantity is undefined: N_SSIM if the target has one grey value, N_IOU of membranes and where there is no nucleus.
    """
    status = found.table["status"].to_numpy(object)
    of_volume = _leading if metrics == METRICS[:1] else _volume
    rows = [of_volume(dataset, i, found.images[i]) if state == OK else {} for i, state in enumerate(status)]
    values = pd.DataFrame(rows, columns=[metric.name for metric in METRICS])
    values["seconds"] = found.table["seconds"].to_numpy(float)
    items = dataset.items[list(PROBLEM.conditions)].assign(study=studies_of(dataset))
    return score_table(items, metrics, values, status, dataset.spec)


def studies_of(dataset) -> np.ndarray:
    """Name of the study of each item."""
    return np.array(list(dataset.spec["studies"]), object)[dataset.items["study"].to_numpy(int)]


def _leading(dataset, i, answer):
    """The first metric of one answer."""
    view = read(dataset, i, ("density",))
    return {"n_ssim": n_ssim(answer, view.truth.density, view.photons)}


def _volume(dataset, i, answer):
    """Metrics of one answer: all but `success` and `seconds`."""
    view = read(dataset, i, TARGETS)
    truth, about = view.truth.density, dataset.items.iloc[i]
    scaled, copy, target = (normalised(volume) for volume in (answer, view.photons, truth))
    values = similarities(scaled, copy, target)
    error = np.sqrt(np.mean(np.square(answer - truth), dtype=float))
    values |= {"rmse": error, "nrmse": error / target.scale}
    for name in ("fused", "deconvolved"):
        to = similarities(scaled, copy, normalised(getattr(view.truth, name)))
        values |= {f"{key}_{name}": to[key] for key in ("n_ssim", "below_0")}
        values[f"n_ssim_{name}_foreground"] = to["n_ssim_foreground"]
    for depth, *parts in zip(DEPTHS, np.array_split(answer, len(DEPTHS)), np.array_split(truth, len(DEPTHS))):
        values[f"resolution_{depth}"] = resolution(*parts, view.optics.spacing_um)
    if view.channel == "nuclei":
        values["n_iou"] = _n_iou(answer, view, float(about["cell_diameter_um"]))
    return values


def similarities(answer, view, target) -> dict[str, float]:
    """What can be said of an answer by its similarity to a target, by metric; all three of `ssim.normalised`."""
    mask = foreground(target.volume)
    found, copied = (similarity(volume, target, mask) for volume in (answer, view))
    total = gain(found.mean, copied.mean)
    values = {"n_ssim": total, "below_0": float(total < 0) if np.isfinite(total) else np.nan, "ssim": found.mean}
    values["n_ssim_foreground"] = gain(found.foreground, copied.foreground)
    with np.errstate(divide="ignore"):
        values["psnr"] = -10 * np.log10(found.mean_square)
    return values | {f"n_ssim_{depth}": gain(*pair) for depth, pair in zip(DEPTHS, _thirds(found, copied))}


def _thirds(*similarities: Similarity):
    """Mean similarities in each third of the planes; NaN in one that has none."""
    for parts in zip(*(np.array_split(one.by_plane, len(DEPTHS)) for one in similarities)):
        yield [part.mean() if len(part) else np.nan for part in parts]


def _n_iou(answer, view: View, diameter_um):
    """Gain in the agreement of nuclei with those of the truth."""
    truth, found, copied = (
        nuclei(volume, view.optics.spacing_um, diameter_um) for volume in (view.truth.density, answer, view.photons)
    )
    return gain(agreement(found, truth), agreement(copied, truth))
