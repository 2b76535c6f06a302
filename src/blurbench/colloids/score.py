"""Scores of detected spheres, per volume, and the published metrics they reduce to.

Lengths are in units of d, the mean diameter. A detection is right if it lies within a quarter of d of the sphere it is
matched to: within d / 2, the radius of the literature, random points reach a precision near the volume fraction.
Spheres nearer to a face than d / 2, and outside, are not asked for (`volume_border.trim`). What describes the packing
(volume fraction, g(r), bond order) is of the centres in the volume less that margin, for truth and detections alike.
"""

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from blurbench.colloids import PROBLEM
from blurbench.colloids.average_precision import average_precision, challenge_average_precision
from blurbench.colloids.physics import bond_order, core_precision, radial_distribution
from blurbench.colloids.volume_border import inside, trim
from blurbench.files.answers import OK
from blurbench.scoring.matching import match
from blurbench.scoring.metric import Metric, Published
from blurbench.scoring.score_table import score_table

RADIUS = 0.25  # of a match
FINE, LOOSE = 0.1, 0.5  # of a strict match, and of the literature's
MARGIN = 0.5  # of the border
CORE = 0.7  # no two spheres are so near to each other, and errors of position hardly bring them there
CORE_PAIRS = 3  # expected in the core of a random gas; with fewer, one pair decides
# Of g(r), whose first maximum lies at contact, and moves outwards and sinks as errors grow: shells thin against the
# Gaussian that smooths them, which is as narrow as the number of pairs in one volume allows.
SHELLS, SMOOTHING = np.linspace(0.5, 1.8, 66), 0.05
PEAK = (0.8, 1.5)  # where the first maximum is looked for
PEAK_PAIRS = 20  # nearer to each other than PEAK; with fewer, the highest shell is a matter of chance


def _share(name, *published):
    """A part of a whole; a failed item counts as none."""
    return Metric(name, "max", (0, 1), worst=0.0, published=published)


def _ratio_to_truth(name, *published):
    return Metric(name, "target", (0, np.inf), target=1, worst=0.0, published=published)


def _error(name, largest, *published):
    """A signed error; a failed item counts as the largest."""
    return Metric(name, "target", (-largest, largest), target=0, worst=largest, published=published)


METRICS = (  # the first published number orders the tables and is compared pair by pair
    _share("f1", Published("f1", "mean", "F1", mistakes=True)),
    _share("precision", Published("precision", "mean", "precision")),
    _share("recall", Published("recall", "mean", "recall")),
    _share("ap", Published("ap", "mean", "AP")),
    # A failed item has found nothing false: it counts where it is scored for what it missed.
    Metric(
        "false_per_volume",
        "min",
        (0, np.inf),
        np.nan,
        (Published("false_per_volume", "mean", "false per volume", mistakes=True),),
    ),
    Metric("rms_z_d", "min", (0, RADIUS), worst=RADIUS, published=(Published("rms_z_d", "rms", "rms z / d"),)),
    Metric("rms_xy_d", "min", (0, RADIUS), worst=RADIUS, published=(Published("rms_xy_d", "rms", "rms x, y / d"),)),
    _error("bias_z_d", RADIUS, Published("bias_z_d", "bias")),
    _share("f1_010", Published("f1_010", "mean")),
    _share("precision_010", Published("precision_010", "mean")),
    _share("recall_010", Published("recall_010", "mean")),
    _ratio_to_truth("phi_ratio", Published("phi_ratio", "mean", "φ found / φ")),
    _ratio_to_truth("peak_height_ratio", Published("peak_height_ratio", "mean")),
    _error("peak_position_error", PEAK[1] - PEAK[0], Published("peak_position_error", "bias")),
    _share("core_precision", Published("core_precision", "mean", "precision from g(r)")),
    _error("core_error", 1.0, Published("core_error", "bias")),
    _error("q6_error", 1.0, Published("q6_error", "bias")),
    _share("ap_challenge_radius", Published("ap_challenge_radius", "mean", "AP as scored", table="challenge")),
    _share(
        "ap_challenge",
        Published("ap_challenge", "mean"),
        Published("ap_challenge_diameter", "mean", "AP as described", table="challenge"),
    ),
    _share("success", Published("success_rate", "mean")),
    Metric("seconds", "min", (0, np.inf), np.nan, (Published("seconds", "mean", "s per volume"),), unit="s"),
    _share("f1_050", Published("f1_050", "mean", table="challenge")),
    _share("precision_050", Published("precision_050", "mean", "precision at d / 2", table="challenge")),
    _share("recall_050", Published("recall_050", "mean", "recall at d / 2", table="challenge")),
)

CAPTION = (
    "Centres of dense spheres in a volume. Mean over volumes [95 % interval, bootstrap within each cell of volume "
    "fraction, size and CNR]; a failed volume counts as none found. A detection is right within a quarter of the "
    "diameter d of its sphere, matched one to one; spheres nearer to a face than d / 2 are not asked for. The errors "
    "are of the right detections only: within that radius chance alone makes 0.11 d an axis, so read them beside the "
    "recall. Precision from g(r) needs no truth: it is the share of detections that are some sphere's, however far "
    "off, and says nothing of a finder that forbids near pairs by itself."
)


def score(dataset, predictions: pd.DataFrame, metrics=METRICS) -> pd.DataFrame:
    """Long score table of one method on one dataset.

    Parameters
    ----------
    dataset : Dataset with truth
    predictions : columns item, z, y, x (µm), confidence, seconds, status; at least one row per item, the last two alike
        on every row of an item. One row without coordinates means that nothing was found
    metrics : those of METRICS that are wanted; the first alone takes a part of the time

    Returns
    -------
    DataFrame with the columns item, phi, sigma_z_d, cnr, metric, value, unit, direction, status, worst: one row per
    item and metric. `value` is NaN where the method failed on the item (status is not "ok") or the quantity is
    undefined: a precision without detections, an error without matches, structure of too few points. `worst` is what a
    failed item counts as in the ranking, NaN if failures do not count.

    Raises
    ------
    ValueError if the predictions miss an item of the dataset or hold another.
    """
    items = dataset.items.index.to_numpy()
    if not np.array_equal(np.unique(predictions["item"]), items):
        raise ValueError("predictions must hold every item of the dataset, and no other")
    predictions = predictions.sort_values("item", kind="stable")
    points = predictions[["z", "y", "x"]].to_numpy(float)
    confidence = predictions["confidence"].to_numpy(float)
    starts = np.searchsorted(predictions["item"], items)
    status = predictions["status"].to_numpy(object)[starts]
    complete = np.isfinite(points).all(axis=1)
    unsure = complete.any() and np.isnan(confidence[complete]).all()  # a method that gives no confidence

    corners = np.array([np.full(3, -0.5), np.array(dataset.images.shape[1:]) - 0.5])
    centres = np.asarray(dataset.truth["centres"][:], float)  # at once: a chunk of it holds many items
    of_volume, rows = _leading if metrics == METRICS[:1] else _volume, []
    for i, (item, part) in enumerate(zip(dataset.items.itertuples(), np.split(np.arange(len(points)), starts[1:]))):
        if len(part) == 1 and np.isnan(points[part]).all():
            part = part[:0]
        if status[i] == OK and not complete[part].all():
            status[i] = "not finite"
        if status[i] != OK:
            rows.append({})
            continue
        d = item.particle_size_um
        truth = centres[i][np.isfinite(centres[i]).all(axis=1)]
        rows.append(of_volume(truth / d, points[part] / d, confidence[part], corners * item.voxel_um / d))
    values = pd.DataFrame(rows, index=items, columns=[metric.name for metric in METRICS])
    if unsure:
        values["ap"] = np.nan
    values["seconds"] = predictions["seconds"].to_numpy(float)[starts]
    return score_table(dataset.items[list(PROBLEM.conditions)], metrics, values, status, dataset.spec)


def _leading(truth, found, confidence, box):
    """The first metric of one volume."""
    return {"f1": _f1(*_trimmed(truth, found, RADIUS, box), truth)}


def _trimmed(truth, found, radius, box):
    return trim(truth, found, match(truth, found, radius), box, MARGIN)


def _f1(pairs, asked, counted, truth):
    total = counted.sum() + asked.sum()
    # Of an image without a sphere, to find nothing is right.
    return _ratio(2 * len(pairs), total) if total or len(truth) else 1.0


def _volume(truth, found, confidence, box):
    """Metrics of one volume, lengths in d: all but `success` and `seconds`."""
    values = {}
    for suffix, radius in (("_050", LOOSE), ("_010", FINE), ("", RADIUS)):
        pairs, asked, counted = _trimmed(truth, found, radius, box)
        values["precision" + suffix] = _ratio(len(pairs), counted.sum())
        values["recall" + suffix] = _ratio(len(pairs), asked.sum())
        values["f1" + suffix] = _f1(pairs, asked, counted, truth)
    values["false_per_volume"] = float(counted.sum() - len(pairs))
    if len(pairs):
        error = found[pairs[:, 1]] - truth[pairs[:, 0]]
        values["rms_z_d"] = np.sqrt(np.mean(error[:, 0] ** 2))
        values["rms_xy_d"] = np.sqrt(np.mean(error[:, 1:] ** 2))
        values["bias_z_d"] = np.mean(error[:, 0])
    values["ap"] = average_precision(truth, found, confidence, RADIUS, box, MARGIN)
    values["ap_challenge"] = challenge_average_precision(truth, found, 1.0, box)
    values["ap_challenge_radius"] = challenge_average_precision(truth, found, 0.5, box)
    true, answered = _packing(truth, box), _packing(found, box)
    values["phi_ratio"] = _ratio(answered["number"], true["number"])
    values["peak_height_ratio"] = answered["peak_height"] / true["peak_height"]
    values["peak_position_error"] = answered["peak_position"] - true["peak_position"]
    values["q6_error"] = answered["q6"] - true["q6"]
    values["core_precision"] = answered["core_precision"]
    values["core_error"] = answered["core_precision"] - values["precision_050"]
    return values


def _ratio(part, whole):
    return part / whole if whole else np.nan


def _packing(points, box):
    """What the centres in the volume less its margin say of the packing, without truth; NaN where they are too few.

    core_precision: of `physics`, the share of detections that are some sphere's if the others are scattered uniformly.
    It asks whether a detection belongs to a sphere at all and hardly how near it is, so `core_error` compares it with
    the precision at LOOSE.
    """
    low, high = box
    size = high - low - 2 * MARGIN
    points = points[inside(points, box, MARGIN)] - low - MARGIN
    n = len(points)
    result = {"number": n, **dict.fromkeys(("peak_height", "peak_position", "core_precision", "q6"), np.nan)}
    if n > 1:
        result["q6"] = bond_order(points)[1].mean()
        if n * (n - 1) / 2 * 4 / 3 * np.pi * CORE**3 / size.prod() >= CORE_PAIRS:
            result["core_precision"] = core_precision(points, size, 1.0, CORE)
        if size.min() >= SHELLS[-1] and len(cKDTree(points).query_pairs(PEAK[1])) >= PEAK_PAIRS:
            result["peak_height"], result["peak_position"] = _peak(radial_distribution(points, size, SHELLS, False))
    return result


def _peak(g):
    """Height and place of the first maximum."""
    middle = (SHELLS[:-1] + SHELLS[1:]) / 2
    g = gaussian_filter1d(g, SMOOTHING / (middle[1] - middle[0]))
    first = np.where((PEAK[0] <= middle) & (middle <= PEAK[1]), g, -np.inf).argmax()
    return g[first], middle[first]
