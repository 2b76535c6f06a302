"""What the methods say about a real recording: D per track, its median per method, and a figure.

Where the width of the PSF is known to some accuracy only, every method is asked three times: told the width, and told
one that is a standard deviation smaller or larger. An error of the width is the same for all stacks and does not fall
with their number, so what it does to the median is part of the median's interval.
"""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm

from blurbench.diffusion.drift import still
from blurbench.diffusion.ensemble_msd import ensemble_msd
from blurbench.diffusion.intervals import Z
from blurbench.diffusion.populations import Populations, populations
from blurbench.diffusion.recorded_psf import Width
from blurbench.drawing import style
from blurbench.drawing.axes import label_panels, plain_log, round_numbers, scale_bar
from blurbench.drawing.style import KIND_COLOURS, MM, readable
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.microscopy.frames import read
from blurbench.running.measurement import Measurement, answers
from blurbench.scoring.statistics import replicate, resampling

PREFERRED = ("ours", "mle", "cve", "centroid_msd_optimal")  # whose D colours the tracks: the first that ran
INTERVAL = ["D_lo68", "D_hi68", "D_lo95", "D_hi95"]
SHIFTED = ["D_narrower", "D_wider"]  # were the PSF one standard deviation narrower, wider
# Times the photons of its training, beyond which a network has no answer. One of 100 photons is within 10 % of D on
# movies of 92 and 108, with intervals that hold it in 92 to 93 %; on movies of 82 and 118 it is 13 to 24 % off, in 73
# to 85 %, and on those of 300 it finds 0.6 to 0.7 of D, in 25 to 62 % (tests/benchmarks/recording_psf.py).
BRIGHTER = 1.1
REMARK = 60  # characters in a line of the figure
ALL, SLOW, FAST = "all", "slow", "fast"  # populations of tracks


def measure(recording: dict, items, survey: pd.DataFrame, entries: dict, device: str, resamples: int, seed: int):
    """What the methods find on the stacks of a movie, and the ensemble's mean squared displacement to compare with.

    Parameters
    ----------
    recording : entry of the configuration
    items : Dataset that `preparation.prepare` wrote
    survey : what it returned, the spots of the movie
    entries, device : as in `running.measurement.answers`; what is learned has `trained_on`, that dataset's entry
    resamples, seed : of the bootstrap

    Returns
    -------
    Measurement of what `summarise`, `run` and `ensemble_msd` return. Where the tracks are of two D so far apart that
    none stands for all, each method has a row for the slow and one for the fast. Beside the methods stand one_D_p, of
    the test against one D, and remark, what makes all of their answers doubtful, empty where nothing does.
    """
    spots = still(survey, recording)
    found = populations(spots, recording, seed)
    ensemble = ensemble_msd(spots, recording, resamples, seed)
    details = run(items, entries, device)
    details["population"] = population = _population(details["particle"], found)
    tables = []
    for name in (each for each in (ALL, SLOW, FAST) if (population == each).any()):
        of_these = spots[_population(spots["particle"], found) == name]
        line = ensemble if name == ALL else ensemble_msd(of_these, recording, resamples, seed)
        some = details[population == name]
        tables.append(summarise(some, line, recording.get("expected_D_um2_s"), resamples, seed, name))
    order = [*entries, "ensemble_msd"]
    table = pd.concat(tables).sort_values(
        "method", key=lambda of: of.map(order.index), kind="stable", ignore_index=True
    )
    remarks = [*items.spec["remarks"], *([str(found)] if found.differ else [])]
    table = table.assign(one_D_p=found.p, remark="; ".join(remarks))
    reference = pd.concat([ensemble, populations_table(found), psf_table(items)], ignore_index=True)
    return Measurement(table, details, reference)


def _population(particles, found) -> pd.Series:
    """Of which population the tracks of these particles are, where no single D stands for all."""
    fast = particles.map(found.fast).fillna(False).astype(bool)
    return fast.map({True: FAST, False: SLOW}) if found.two else pd.Series(ALL, particles.index)


def populations_table(found: Populations) -> pd.DataFrame:
    """What the tracks say of being of one D, in the columns of the ensemble's table."""
    values = {"one_D_p": (found.p, ""), "D_slow": (found.D[0], "um2/s"), "D_fast": (found.D[1], "um2/s")}
    values["share_slow"] = (found.share, "")
    rows = [{"quantity": name, "value": value, "unit": unit} for name, (value, unit) in values.items()]
    return pd.DataFrame(rows).assign(n_tracks=len(found.fast))


def psf_table(stacks) -> pd.DataFrame:
    """FWHM of the PSF as stated, as estimated and as told to the methods, in the columns of the ensemble's table."""
    rows = []
    for name, width in stacks.spec["psf"].items():
        value, sd = (width["fwhm_um"], width["known_to"]) if width else (np.nan, np.nan)
        about = {"quantity": f"psf_fwhm_{name}", "value": value, "sd": value * sd, "unit": "um"}
        low, high = (value * np.exp(sign * Z["95"] * sd) for sign in (-1, 1))
        rows.append({**about, "ci_low": low, "ci_high": high, "n_tracks": stacks.items["particle"].nunique()})
    return pd.DataFrame(rows)


def run(stacks, entries: dict, device: str) -> pd.DataFrame:
    """D of every stack by every method.

    Parameters
    ----------
    stacks : Dataset, written by `preparation.prepare`
    entries, device : as in `measure`

    Returns
    -------
    DataFrame, one row per stack and method: item, particle, frame, frames, y_um, x_um (in the first frame), method,
    kind, D and its intervals (µm²/s; the geometric mean over training seeds), D_narrower and D_wider (the answer if the
    PSF is one SD narrower or wider; of what all stacks share in that SD), status.
    """
    pixel = stacks.attrs["voxel_size"][-1]
    where = stacks.items[["particle", "frame", "frames"]].assign(
        item=np.arange(len(stacks)), y_um=stacks.items["y"] * pixel, x_um=stacks.items["x"] * pixel
    )
    columns = ["item", "D", *INTERVAL, *SHIFTED, "status"]
    found = []
    for name, entry in entries.items():
        if reason := untrained_psf(stacks.spec, entry) or untrained_photons(stacks.items, entry):
            answer = pd.DataFrame({"item": where["item"], "status": reason})
        else:
            answer = _asked(stacks, name, entry, device)
        answer = answer.reindex(columns=columns).assign(method=name, kind=entry["kind"])
        found.append(where.merge(answer, on="item"))
    columns = ["item", *where.columns.drop("item"), "method", "kind", "D", *INTERVAL, *SHIFTED, "status"]
    return pd.concat(found, ignore_index=True)[columns]


def untrained_psf(spec: dict, entry: dict) -> str:
    """Why a method cannot answer for the PSF of a recording; empty if it can.

    Learned methods know the widths of their training data, and how well they were told them. Where a recording's is
    known less well, their answers are moved by its error, which shows only if they were trained on different widths.
    """
    if entry["kind"] != "learned":
        return ""
    told, stated, trained = Width(**spec["psf"]["told"]), spec["imaging"]["psf"], entry["trained_on"]["imaging"]["psf"]
    if stated["kind"] != trained["kind"]:
        return f"PSF: {stated['kind']}, trained on {trained['kind']}"
    if trained["kind"] != "gaussian":
        same = all(stated[key] == value for key, value in trained.items())
        return "" if same else f"PSF: another {trained['kind']} than that of the training data"
    low, high = np.min(trained["fwhm_um"]), np.max(trained["fwhm_um"])
    if not low * 0.99 <= told.fwhm_um <= high * 1.01:
        widths = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        return f"PSF: {told.fwhm_um:.3g} um wide, trained on {widths} um"
    if low == high and told.uncertainty > trained.get("known_to", 0.0):
        return f"PSF: known to {100 * told.uncertainty:.1g} %, trained on one width, known better"
    return ""


def untrained_photons(items: pd.DataFrame, entry: dict) -> str:
    """Why a method cannot answer for the photons of a recording; empty if it can.

    items : of the stacks, whose median of `photons` in a frame counts
    """
    if entry["kind"] != "learned":
        return ""
    found, trained = items["photons"].median(), entry["trained_on"]["imaging"]["photons"]
    low, high = np.min(trained), np.max(trained)
    if low / BRIGHTER <= found <= high * BRIGHTER:
        return ""
    range_ = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"photons: {found:.3g} in a frame, trained on {range_}"


def _asked(stacks, name, entry, device):
    """Answers of a method, with what it says of a narrower and a wider PSF, and intervals that hold the PSF's error."""
    told, imaging = Width(**stacks.spec["psf"]["told"]), stacks.spec["imaging"]
    if entry["kind"] == "learned":  # networks are told what they were told in training
        imaging = {**stacks.spec["dataset_imaging"], "psf": entry["trained_on"]["imaging"]["psf"]}
    spec = {**stacks.spec, "imaging": imaging}
    answer = _at_width(stacks, spec, told.fwhm_um, name, entry, device)
    if not told.known_to:
        return answer.assign(D_narrower=answer["D"], D_wider=answer["D"])
    for column, sign in zip(SHIFTED, (-1, 1)):
        width = told.fwhm_um * np.exp(sign * told.known_to)
        answer[column] = _at_width(stacks, spec, width, name, entry, device)["D"]
    unaware = told.uncertainty**2 - imaging["psf"].get("known_to", 0.0) ** 2
    return _widened(answer, np.sqrt(unaware) / told.known_to) if unaware > 1e-12 else answer


def _at_width(stacks, spec, fwhm_um, name, entry, device):
    """Answers of a method that is told that width of the PSF."""
    told = Dataset({**stacks.attrs, "spec": spec}, stacks.images, stacks.items.assign(fwhm_um=fwhm_um), {})
    (by_seed,) = (found for *_, found in answers(told, {name: entry}, device))
    runs = list(by_seed.values())
    return runs[0] if len(runs) == 1 else _over_seeds(runs)


def _widened(answer, times):
    """Intervals that hold the error of the PSF too, for a method unaware of it: `times` the SD that it was asked at."""
    shift = times * (np.log(answer["D_narrower"]) - np.log(answer["D_wider"])).abs() / 2
    wide = answer.copy()
    for column in INTERVAL:
        z = Z[column[-2:]]
        away = np.hypot(np.log(answer[column] / answer["D"]), z * shift)
        wide[column] = answer["D"] * np.exp(-away if "_lo" in column else away)
    return wide


def _over_seeds(runs):
    """Geometric mean of the training seeds' answers; the first failure speaks for an item."""
    columns = ["D", *(c for c in INTERVAL if c in runs[0])]
    mean = runs[0][["item", "status"]].copy()
    mean[columns] = np.exp(np.mean([np.log(run[columns]) for run in runs], axis=0))
    for run in runs[1:]:
        mean["status"] = mean["status"].where(mean["status"] != OK, run["status"])
    return mean


def summarise(
    measured: pd.DataFrame, ensemble: pd.DataFrame, expected=None, resamples=1000, seed=1, population=ALL
) -> pd.DataFrame:
    """Median D per method with its 95 % interval, and the ensemble MSD's D beside it.

    The bootstrap draws tracks, each with all its stacks: stacks of one track are not independent, as spots differ. What
    a PSF one SD narrower or wider makes of the median is added to its interval in quadrature, 1.96 times.

    Parameters
    ----------
    measured : what `run` returned
    ensemble : what `ensemble_msd` returned
    expected : D known from elsewhere (µm²/s), optional
    population : which of the tracks these are

    Returns
    -------
    DataFrame: method, kind, population, D, ci_low, ci_high (NaN for fewer than eight tracks), psf_sd (what an SD of the
    PSF's width moves D by), unit, n_tracks, n_stacks, n_failed, status (of a method without any answer: why), and
    ratio_to_expected if D is expected.
    """
    good = (measured["status"] == OK) & np.isfinite(measured["D"])
    method, names = pd.factorize(measured["method"])
    track, tracks = pd.factorize(measured["particle"])
    stack = measured.groupby(["method", "particle"]).cumcount()
    D = np.full((3, len(names), stack.max() + 1, len(tracks)), np.nan)
    for k, column in enumerate(["D", *SHIFTED]):
        D[k, method, stack, track] = measured[column].where(good)
    medians, *others = (replicate(one, "median", resampling(len(tracks), resamples, seed)) for one in D)
    shifted = np.array([other.value for other in others]) - medians.value
    low, high = medians.interval()
    low = medians.value - np.hypot(medians.value - low, Z["95"] * np.maximum(-shifted.min(axis=0), 0))
    high = medians.value + np.hypot(high - medians.value, Z["95"] * np.maximum(shifted.max(axis=0), 0))
    line = ensemble.set_index("quantity").loc["D_linear"]
    table = pd.DataFrame(
        {
            "method": [*names, "ensemble_msd"],
            "kind": [*measured.drop_duplicates("method")["kind"], "ensemble"],
            "population": population,
            "D": [*medians.value, line["value"]],
            "ci_low": [*low, line["ci_low"]],
            "ci_high": [*high, line["ci_high"]],
            "psf_sd": [*np.ptp(shifted, axis=0) / 2, 0.0],
            "unit": "um2/s",
            "n_tracks": [*np.isfinite(D[0]).any(axis=1).sum(axis=1), int(line["n_tracks"])],
            "n_stacks": [*np.isfinite(D[0]).sum(axis=(1, 2)), 0],
            "n_failed": [*(~good).groupby(method).sum(), 0],
            "status": [*(_status(measured["status"][method == m]) for m in range(len(names))), OK],
        }
    )
    return table if expected is None else table.assign(ratio_to_expected=table["D"] / expected)


def _status(statuses):
    """What a method says of all stacks together: why, where none has an answer."""
    return OK if (statuses == OK).any() else statuses.iloc[0]


def draw(path, recording: dict, items, survey: pd.DataFrame, measurement: Measurement) -> None:
    """Tracks over the first frame, coloured by D, and how D is distributed per method, with the ensemble's as a line.

    Parameters
    ----------
    path : file to write
    recording, items, survey : as in `measure`
    measurement : what it returned
    """
    image, pixel = read(recording["file"])[0], recording["pixel_size_um"]
    measured, table = measurement.details, measurement.methods
    ran = list(dict.fromkeys(measured["method"]))
    chosen = next((name for name in PREFERRED if name in ran), ran[0])
    ok = measured[measured["status"] == OK]
    positive = ok.loc[ok["D"] > 0, "D"]
    low, high = np.quantile(positive, [0.02, 0.98]) if len(positive) else (0.1, 1)
    aspect = image.shape[0] / image.shape[1]
    height = max(100 * MM * aspect + 24 * MM, (18 + 6.5 * len(ran)) * MM)
    with style.figure(path, height=height) as drawing:
        left, right = drawing.subplots(1, 2, width_ratios=[1.45, 1])
        _map(drawing, left, image, survey, ok[ok["method"] == chosen], chosen, pixel)
        _distributions(right, ok, table, (low / 1.3, high * 1.3), recording.get("expected_D_um2_s"))
        if remark := table["remark"].iloc[0]:
            right.set_title(fill(remark, REMARK), fontsize=5.5, loc="right")
        label_panels([left, right])


def _map(drawing, ax, image, spots, ok, chosen, pixel):
    """The first panel: image, tracks, scale bar, colour bar."""
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
    ax.set_title(f"{len(lines)} tracks, D by {readable(chosen)}")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    # An inset keeps the bar at the image, whose aspect is fixed.
    colours = drawing.colorbar(tracks, cax=ax.inset_axes([0, -0.09, 1, 0.04]), orientation="horizontal", extend="both")
    colours.set_label("D (µm²/s), median over the stacks of a track")
    plain_log(colours.ax.xaxis, round_numbers(norm.vmin, norm.vmax))


def _distributions(ax, ok, table, limits, expected):
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
            ax.plot([max(row.ci_low, limits[0]), row.ci_high], [base - 0.08] * 2, color=colour, linewidth=1.6)
            ax.plot(row.D, base - 0.08, "o", color=colour, markersize=2.8)
        for side, number, words in ((0, (D < limits[0]).sum(), "← {}"), (1, (D > limits[1]).sum(), "{} →")):
            if number:
                align = ("left", "right")[side]
                ax.text(limits[side], base + 0.3, words.format(number), ha=align, fontsize=5.5, color="0.35")
    for row in ensemble.itertuples():
        whose = "ensemble MSD" if row.population == ALL else f"ensemble MSD of the {row.population}"
        ax.axvspan(row.ci_low, row.ci_high, color="0.2", alpha=0.15, linewidth=0)
        ax.axvline(row.D, color="0.2", linewidth=0.9, label=f"{whose}, {row.D:.2f} µm²/s")
    if expected:
        ax.axvline(expected, color="0.2", linewidth=0.9, linestyle=":", label=f"expected, {expected:.2f} µm²/s")
    ax.set_yticks(np.arange(len(names))[::-1], [readable(name) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set(xscale="log", xlim=limits, ylim=(-0.35, len(names)), xlabel="D (µm²/s)")
    plain_log(ax.xaxis, round_numbers(*limits))
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), handlelength=1.4, borderaxespad=0)
