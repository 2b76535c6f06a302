"""The figure of a recording: its tracks, of several movies those of the first, and the D that every method finds."""

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm

from blurbench.diffusion.movie import frames_of
from blurbench.diffusion.movies import each
from blurbench.diffusion.populations import ALL
from blurbench.diffusion.training_range import ABOVE
from blurbench.drawing import style
from blurbench.drawing.axes import label_panels, plain_log, scale_bar
from blurbench.drawing.style import KIND_COLOURS, MM
from blurbench.files.answers import OK
from blurbench.running.measurement import Measurement

PREFERRED = ("ours", "mle", "cve", "centroid_msd_optimal")  # whose D colours the tracks: the first that ran
HIGHEST = 220  # mm, of the image
REMARK = 60  # characters in a line
STATED = {"expected": "expected_D_um2_s", "known": "D_um2_s"}  # D of the entry that answers are shown beside
LINES = {"expected": ":", "known": "--"}


def draw(path, recording: dict, items, survey: pd.DataFrame, measurement: Measurement) -> None:
    """Tracks over the first frame, coloured by D, and how D is distributed per method, with the ensemble's as a line.

    Parameters
    ----------
    path : file to write
    recording, items, survey : as in `measure`
    measurement : what it returned
    """
    file, first = next(each(survey, recording))
    image, pixel = frames_of({**recording, "file": file})[0], recording["pixel_size_um"]
    measured, table = measurement.details, measurement.methods
    ran = list(dict.fromkeys(measured["method"]))
    chosen = next((name for name in PREFERRED if name in ran), ran[0])
    ok = measured[measured["status"] == OK]
    positive = ok.loc[ok["D"] > 0, "D"]
    low, high = np.quantile(positive, [0.02, 0.98]) if len(positive) else (0.1, 1)
    stated = {name: recording[key] for name, key in STATED.items() if key in recording}
    known = stated.get("known", low)  # in sight, however far the answers are from it
    low, high = min(low, known), max(high, known)
    aspect = image.shape[0] / image.shape[1]
    height = max(min(100 * aspect, HIGHEST) * MM + 24 * MM, (18 + 6.5 * len(ran)) * MM)
    with style.figure(path, height=height) as drawing:
        left, right = drawing.subplots(1, 2, width_ratios=[1.45, 1])
        by = chosen + (f", {Path(file).name}" if "movie" in survey else "")
        _map(drawing, left, image, first, ok[ok["method"] == chosen], by, pixel)
        _distributions(right, ok, table, (low / 1.3, high * 1.3), stated)
        if remark := table["remark"].iloc[0]:
            right.set_title(fill(remark, REMARK), fontsize=5.5, loc="right")
        label_panels([left, right])


def _map(drawing, ax, image, spots, ok, by, pixel):
    """The first panel: image, tracks, scale bar, colour bar; by : whose D and of which movie, in words."""
    extent = (0, image.shape[1] * pixel, image.shape[0] * pixel, 0)
    ax.imshow(
        image, cmap="gray", extent=extent, vmin=np.quantile(image, 0.002), vmax=np.quantile(image, 0.998), alpha=0.6
    )
    D = ok.groupby("particle")["D"].median()
    paths = spots[spots["particle"].isin(D.index)].sort_values("frame").groupby("particle")
    lines = [(group[["x", "y"]].to_numpy() + 0.5) * pixel for _, group in paths]
    values = D.loc[[particle for particle, _ in paths]].to_numpy()
    shown = values[values > 0]
    norm = LogNorm(*np.quantile(shown, [0.05, 0.95])) if len(shown) > 1 else LogNorm(0.1, 1)
    tracks = LineCollection(lines, cmap="plasma", norm=norm, linewidths=0.9)
    tracks.set_array(np.maximum(values, norm.vmin))
    ax.add_collection(tracks)
    scale_bar(ax, extent[1])
    ax.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    ax.set_title(f"{len(lines)} tracks, D by {by}")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    # An inset keeps the bar at the image, whose aspect is fixed.
    colours = drawing.colorbar(tracks, cax=ax.inset_axes([0, -0.09, 1, 0.04]), orientation="horizontal", extend="both")
    colours.set_label("D (µm²/s), median over the stacks of a track")
    plain_log(colours.ax.xaxis)


def _distributions(ax, ok, table, limits, stated):
    """The second panel: a histogram per method, its medians with intervals below, and how many lie off the axis."""
    ensemble, rows = (table[(table["kind"] == "ensemble") == is_one] for is_one in (True, False))
    names = list(dict.fromkeys(rows["method"]))
    edges = np.geomspace(*limits, 41)
    for k, name in enumerate(names):
        D, own = ok.loc[ok["method"] == name, "D"], rows[rows["method"] == name]
        colour, base = KIND_COLOURS[own["kind"].iloc[0]], len(names) - 1 - k
        counts, _ = np.histogram(D, edges)
        heights = 0.72 * counts / max(counts.max(), 1)
        ax.stairs(base + heights, edges, baseline=base, fill=True, color=colour, alpha=0.35, linewidth=0)
        ax.stairs(base + heights, edges, baseline=base, color=colour, linewidth=0.7)
        for row in own[own["D"] > 0].itertuples():
            ends = max(row.ci_low, limits[0]), min(row.ci_high, limits[1])
            ax.plot(ends, [base - 0.08] * 2, color=colour, linewidth=1.6)
            if row.bound:  # an arrow to the side on which D may be anywhere, and no dot
                ax.plot(ends[row.bound == ABOVE], base - 0.08, "<>"[row.bound == ABOVE], color=colour, markersize=4)
            else:
                ax.plot(row.D, base - 0.08, "o", color=colour, markersize=2.8)
        for side, number, words in ((0, (D < limits[0]).sum(), "← {}"), (1, (D > limits[1]).sum(), "{} →")):
            if number:
                align = ("left", "right")[side]
                ax.text(limits[side], base + 0.3, words.format(number), ha=align, fontsize=5.5, color="0.35")
    for row in ensemble.itertuples():
        whose = "ensemble MSD" if row.population == ALL else f"ensemble MSD of the {row.population}"
        ax.axvspan(row.ci_low, row.ci_high, color="0.2", alpha=0.15, linewidth=0)
        ax.axvline(row.D, color="0.2", linewidth=0.9, label=f"{whose}, {row.D:#.2g} µm²/s")
    for name, D in stated.items():
        ax.axvline(D, color="0.2", linewidth=0.9, linestyle=LINES[name], label=f"{name}, {D:#.2g} µm²/s")
    ax.set_yticks(np.arange(len(names))[::-1], names)
    ax.tick_params(axis="y", length=0)
    ax.set(xscale="log", xlim=limits, ylim=(-0.35, len(names)), xlabel="D (µm²/s)")
    plain_log(ax.xaxis)
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), handlelength=1.4, borderaxespad=0)
