"""What the methods say about real volumes: how many spheres, how they are packed, and whether that can be true."""

import math
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.collections import EllipseCollection
from scipy.spatial import cKDTree

from blurbench.colloids import contrast, known_centres
from blurbench.colloids.configuration import INSET
from blurbench.colloids.doubts import absent, evened, faded, hollow, outshone
from blurbench.colloids.known_centres import AXES, SCORES
from blurbench.colloids.measurement_tables import of_methods, over_volumes, placed
from blurbench.colloids.physics import core_precision, radial_distribution, volume_fraction
from blurbench.drawing import style
from blurbench.drawing.axes import scale_bar
from blurbench.drawing.style import CYCLE, KIND_COLOURS, MM
from blurbench.files.answers import OK
from blurbench.running.measurement import Measurement, answers

CORE = 0.7  # diameters: nearer to each other no two spheres are, whatever the errors of localisation
STEP, FARTHEST = 0.1, 4.0  # of g(r), diameters
PEAK = (CORE, 1.7)  # diameters: where the first peak of g(r) is looked for
NUMBERS = ("n", "n_inset", "phi", "peak_r_d", "peak_g", "core_g", "core_precision", "neighbour_d")
COLUMNS, FIELD, CURVE = 4, 16, 20 * MM  # of the picture: methods side by side, diameters across, height of g(r)
REMARK = 110  # characters in a line
VIEWS = {"xy": (1, 0), "xz": (0, 1)}  # the axis that runs down, and the one that is cut through; x runs across
BRIGHT = {"learned": CYCLE[5], "classical": CYCLE[4]}  # colours that stand out from grey


def measure(recording: dict, items, survey: pd.DataFrame, entries: dict, device: str, resamples: int, seed: int):
    """What the methods find in every volume, what follows from it without a truth, and scores where centres are known.

    Parameters
    ----------
    recording : entry of the configuration
    items : Dataset that `preparation.prepare` wrote
    survey : what it returned, the light of each slice
    resamples, seed : not used, as nothing here is drawn at random
    entries, device : as in `running.measurement.answers`

    Returns
    -------
    Measurement of

    methods : one row per method, its numbers the means over its training seeds, see `describe`; `n_seeds`, `seconds`,
        `status`, which is that of the first seed that failed, and `remark`, what makes all of their answers doubtful.
        Where centres are known, the scores of `known_centres`, the RMS as a root of mean squares, and `n_scored`
        volumes. Of several volumes the numbers are means over those that were answered, `n_volumes` and `n_failed`
        stand beside, and below are rows of each `item`, with `file` and `time`
    details : method, kind, seed, z, y, x (µm from the centre of the recording's first voxel), confidence; of several
        volumes item, file and time
    reference : method, r_d (middle of the bin, diameters) and g, the mean over training seeds and over volumes
    """
    extent = np.array(items.images.shape[1:]) * items.items["voxel_um"].iloc[0]
    known = known_centres.read(recording, items.spec["volumes"], extent)
    shift = _shift(recording, items)
    in_items = [None if points is None else points - shift for points in known]
    present = [one["beyond_noise"] >= contrast.PRESENT for one in items.spec["seen"]]
    hidden = [_hidden(items, i, shift) for i in range(len(items))]
    rows, centres, curves = [], [], []
    for name, entry, by_seed in answers(items, entries, device):
        for trained, answer in by_seed.items():
            scores = known_centres.scores(items, answer, in_items)
            for i, own in answer.groupby("item"):
                status, seconds = own["status"].iloc[0], own["seconds"].iloc[0]
                found = own.loc[np.isfinite(own["z"]), [*AXES, "confidence"]]
                points = found[AXES].to_numpy(float)
                about, r, g = describe(points, recording, items, status == OK, present[i], hidden[i])
                which = {"method": name, "kind": entry["kind"], "seed": trained, "item": i}
                rows.append({**which, **about, **scores.loc[i], "seconds": seconds, "status": status})
                curves.append(pd.DataFrame({"method": name, "item": i, "seed": trained, "r_d": r.round(6), "g": g}))
                centres.append(found.assign(**{axis: found[axis] + s for axis, s in zip(AXES, shift)}, **which))
    details = pd.concat(centres, ignore_index=True)[["item", "method", "kind", "seed", *AXES, "confidence"]]
    remarks = [
        _remarks(i, items, survey, details, shift, hidden[i]) if there else absent() for i, there in enumerate(present)
    ]
    numbers = [*NUMBERS, *(SCORES if "centres" in recording else ()), "seconds"]
    volumes = items.spec["volumes"]
    table = of_methods(pd.DataFrame(rows), numbers, remarks, volumes)
    return Measurement(table, placed(details, volumes), over_volumes(pd.concat(curves)))


def _hidden(items, i, shift):
    """Voxels (z, y, x), bool, of an item in which something outshines spheres; None where nothing does."""
    seen, voxel, shape = items.spec["seen"][i], items.items["voxel_um"].iloc[i], items.images.shape[1:]
    if not seen["outlying_um"]:
        return None
    places = np.rint((np.array(seen["outlying_um"]) - shift) / voxel).astype(int)
    return contrast.within(shape, np.clip(places, 0, np.array(shape) - 1), np.array(seen["reach_um"]) / voxel)


def _remarks(i, items, survey, details, shift, hidden):
    """Sentences on what makes the answers on one volume of spheres doubtful."""
    item, volume, slices = items.items.iloc[i], items.images[i].astype(np.float32), survey[survey["item"] == i]
    own = details[details["item"] == i]
    first = own[own["seed"] == own.groupby("method")["seed"].transform("min")]
    places = {name: (one[AXES].to_numpy(float) - shift) / item["voxel_um"] for name, one in first.groupby("method")}
    return [
        *(evened(slices) or faded(slices)),
        *outshone(hidden),
        *hollow(volume, float(item["diameter_px"]), places),
    ]


def _shift(recording, items):
    """(3,) µm from the centre of the recording's first voxel to that of the item's: they share their first corner."""
    return (items.items["voxel_um"].iloc[0] - np.asarray(recording["voxel_um"])) / 2


def describe(centres, recording, items, ran=True, present=True, hidden=None):
    """What the centres found in a volume say, without a truth.

    Parameters
    ----------
    centres : (n, 3), µm from the centre of the item's first voxel
    recording, items : as in `measure`
    ran : whether the method gave an answer; without one every number is NaN
    present : whether the volume shows spheres; without them every number is NaN but how many were found
    hidden : (z, y, x) bool, voxels of the item that are not judged: neither they nor centres in them count, but in n

    Returns
    -------
    dict:
        n, n_inset : centres in the volume, and farther than the inset from its faces
        phi : volume fraction of spheres of the stated diameter, from n_inset
        peak_r_d, peak_g : place (diameters) and height of the first peak of g(r) in the inset, the top of the parabola
            through the highest bin and its neighbours
        core_g : g(r) nearer than CORE diameters, where spheres have none
        core_precision : √(1 - core_g), the share of centres that are spheres if the rest stands anywhere; a finder that
            keeps its answers apart hides false ones from it
        neighbour_d : mean distance to the nearest neighbour, diameters, of the centres in the inset
    r, g : (k,) middles of the bins (diameters) and g(r)
    """
    item = items.items.iloc[0]
    diameter, voxel = item["particle_size_um"], item["voxel_um"]
    box, inset = np.array(items.images.shape[1:]) * voxel / diameter, recording.get("inset_d", INSET)
    inner = box - 2 * inset
    edges = np.arange(0, min(FARTHEST, 0.9 * inner.min()), STEP)
    r = (edges[1:] + edges[:-1]) / 2
    corner = (centres + voxel / 2) / diameter  # from the volume's corner, in diameters
    judged, share = _judged(hidden, centres / voxel, inset * diameter / voxel)
    inside = judged & ((corner >= inset) & (corner < box - inset)).all(axis=1)
    within = corner[inside] - inset
    about = dict.fromkeys(NUMBERS, math.nan)
    if not ran:
        return about, r, np.full(len(r), math.nan)
    about |= {"n": len(corner), "n_inset": len(within)}
    if not present:
        return about, r, np.full(len(r), math.nan)
    about["phi"] = volume_fraction(corner[judged], box, 1.0, inset) / share if share > 0 else math.nan
    g = share * radial_distribution(within, inner, edges, periodic=False)  # of a place, so many partners are judged
    if len(within) > 1:
        core = radial_distribution(within, inner, [0.0, CORE], periodic=False)[0]
        about |= {"core_g": core, "core_precision": core_precision(within, inner, 1.0, CORE)}
        about["neighbour_d"] = cKDTree(corner).query(corner[inside], 2)[0][:, 1].mean()
        about["peak_r_d"], about["peak_g"] = _first_peak(r, g)
    return about, r, g


def _judged(hidden, centres, inset):
    """Which centres (n, 3) in voxels do not lie in hidden ones, and the share of the inset that is not hidden."""
    if hidden is None:
        return np.ones(len(centres), bool), 1.0
    at = np.clip(np.rint(centres), 0, np.array(hidden.shape) - 1).astype(int)
    margin = round(inset)
    inner = hidden[tuple(slice(margin, n - margin) for n in hidden.shape)]
    return ~hidden[tuple(at.T)], 1 - float(inner.mean())


def _first_peak(r, g):
    """Place and height of the highest bin of g(r) in PEAK, between the bins by a parabola."""
    near = np.flatnonzero((r > PEAK[0]) & (r < PEAK[1]))
    k = near[np.argmax(g[near])]
    if not 0 < k < len(g) - 1:
        return r[k], g[k]
    slope, bend = (g[k + 1] - g[k - 1]) / 2, g[k + 1] - 2 * g[k] + g[k - 1]
    step = float(np.clip(-slope / bend, -0.5, 0.5)) if bend < 0 else 0.0
    return r[k] + step * STEP, g[k] + slope * step + bend * step**2 / 2


def draw(path, recording: dict, items, survey: pd.DataFrame, measurement: Measurement) -> None:
    """Two slices through the middle of the volume with the spheres that each method finds cut there, and its g(r).

    Of several volumes the first is shown; g(r) is the mean over all.

    Parameters
    ----------
    path : file to write
    recording, items, survey : as in `measure`
    measurement : what it returned; of several training seeds the first one's centres are shown
    """
    table, details = (of[of["item"] == 0] if "item" in of else of for of in (measurement.methods, measurement.details))
    item, volume = items.items.iloc[0], items.images[0]
    field = np.minimum(volume.shape, FIELD * item["diameter_px"])
    rows = -(-len(table) // COLUMNS)
    columns = -(-len(table) // rows)
    width = style.WIDTH * max(columns, 2) / COLUMNS
    panel = (width - 14 * MM) / columns
    heights = [panel * field[1] / field[2], panel * field[0] / field[2], CURVE]
    with style.figure(path, width, rows * (sum(heights) + 14 * MM)) as drawing:
        axes = drawing.subplots(3 * rows, columns, height_ratios=heights * rows, squeeze=False)
        blocks = axes.reshape(rows, 3, columns).transpose(0, 2, 1).reshape(-1, 3)
        for (_, row), block in zip(table.iterrows(), blocks):
            found = details[details["method"] == row["method"]]
            found = found[found["seed"] == found["seed"].min()]
            centres = (found[AXES].to_numpy(float) - _shift(recording, items)) / item["voxel_um"]
            for ax, view in zip(block, VIEWS):
                _slice(ax, view, volume, field, centres, item, BRIGHT[row["kind"]])
            number = f"n = {row['n']:.0f}" if row["status"] == OK else "failed"
            block[0].set_title(f"{row['method']}, {number}", pad=3)
            _curve(block[2], measurement.reference, row)
        if remark := table["remark"].iloc[0]:
            drawing.suptitle(fill(remark, REMARK), fontsize=6)
        scale_bar(blocks[0][0], field[2] * item["voxel_um"])
        for first in blocks[: len(table) : columns]:
            for ax, name in zip(first, (*VIEWS, "g(r)")):
                ax.set_ylabel(name)
        for unused in blocks[len(table) :].flat:
            unused.set_visible(False)


def _slice(ax, view, volume, field, centres, item, colour):
    """The middle of one slice through the middle of the volume, and the spheres cut by it; centres in voxels."""
    down, cut = VIEWS[view]
    voxel, plane, middle = item["voxel_um"], (volume.shape[cut] - 1) / 2, (np.array(volume.shape) - 1) / 2
    image = volume.take(round(plane), axis=cut)
    low, high = np.quantile(image, [0.01, 0.998])
    right, bottom = ((np.array(volume.shape) - 0.5) * voxel)[[2, down]]
    ax.imshow(
        image, cmap="gray", vmin=low, vmax=high, extent=(-voxel / 2, right, bottom, -voxel / 2), interpolation="none"
    )
    away = (centres[:, cut] - round(plane)) / (item["diameter_px"] / 2)
    reached = np.abs(away) < 1
    cuts = item["particle_size_um"] * np.sqrt(1 - away[reached] ** 2)
    spheres = EllipseCollection(
        *(cuts, cuts, np.zeros(len(cuts))),
        units="xy",
        offsets=centres[reached][:, [2, down]] * voxel,
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=colour,
        linewidths=0.6,
    )
    ax.add_collection(spheres)
    (left, right), (top, bottom) = ((middle[a] + np.array([-1, 1]) * field[a] / 2) * voxel for a in (2, down))
    ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _curve(ax, reference, row):
    """g(r) of one method, before those of the others."""
    for name, curve in reference.groupby("method", sort=False):
        own = name == row["method"]
        style = {"color": KIND_COLOURS[row["kind"]], "zorder": 3} if own else {"color": "0.8", "linewidth": 0.7}
        ax.plot(curve["r_d"], curve["g"], **style)
    ax.axhline(1, color="0.5", linewidth=0.5, linestyle=":")
    # The first few pairs would make a spike at small distances: the peak sets the scale.
    top = reference.loc[reference["r_d"] > CORE, "g"].max()
    ax.set(xlim=(0, reference["r_d"].max()), ylim=(0, 1.1 * top if top > 0 else 1), xlabel="r / d")
