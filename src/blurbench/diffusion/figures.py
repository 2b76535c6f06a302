"""Figures of the diffusion problem, drawn from score tables, learning curves and a test dataset."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from blurbench.diffusion import PROBLEM
from blurbench.drawing import style
from blurbench.drawing.style import CYCLE, KIND_COLOURS, MARKERS, MM, readable
from blurbench.scoring.scores import KINDS, read, read_one
from blurbench.scoring.statistics import replicate, resampling_weights

RESAMPLES = 1000
UNIT = "µm²/s"
BOUNDS = {  # drawn as lines beside the methods
    "cramer_rao": ("Cramér-Rao bound of the path", "0.1", "--"),
    "true_centroid_cve": ("CVE on true centroids", "0.45", "--"),
    "true_centroid_mle": ("MLE on true centroids", "0.45", "-."),
    "photon_floor": ("photon-timed floor", "0.1", ":"),
}
CUES = {"all": "all cues", "no_trajectory": "no trajectory", "no_shape": "no shape", "no_intensity": "no intensity"}
COLUMNS = 5  # small multiples in a row


def draw(figure, path, given: style.Material):
    """Draw one figure.

    Parameters
    ----------
    figure : "predicted", "relative_sd" (from the scores of one dataset), "examples" (from its store), "learning" (from
        learning curves), "cues" (from the scores of several datasets, whose `cue` and `stream` say what they show)
    path : file to write, .svg (or any suffix that Matplotlib knows)

    A figure without data says so and raises nothing.
    """
    if figure == "predicted":
        _predicted(path, read_one(given.scores, PROBLEM.conditions), given.dataset)
    elif figure == "relative_sd":
        _relative_sd(path, read_one(given.scores, PROBLEM.conditions), given.dataset)
    elif figure == "examples":
        _examples(path, given.store)
    elif figure == "learning":
        _learning(path, given.curves, given.dataset)
    elif figure == "cues":
        _cues(path, {one.dataset: one for one in read(given.scores, PROBLEM.conditions)}, given.datasets)
    else:
        raise ValueError(f"no figure {figure!r}")


def _grid(scores):
    """Each D of the test grid, with the items there."""
    D = scores.items["D"].to_numpy()
    return [(value, D == value) for value in np.unique(D)]


def _log_axis(axis, values):
    """Log scale with plain numbers at 1 in each decade."""
    low, high = np.log10(np.min(values)), np.log10(np.max(values))
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(FixedLocator(10.0 ** np.arange(np.floor(low), np.ceil(high) + 1)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _predicted(path, scores, dataset):
    """Predicted against true D, one panel per method: median, 68 % and 95 % of the items."""
    if scores is None:
        return style.empty(path, "no scores")
    shown = scores.methods[scores.methods.kind != "limit"]
    grid = _grid(scores)
    D = np.array([value for value, _ in grid])
    estimates = scores.values["relative_d"]

    def quantiles(row):
        with np.errstate(all="ignore"):
            levels = [2.5, 16, 50, 84, 97.5]
            return D * np.array([_percentiles(estimates[row][:, items], levels) for _, items in grid]).T

    bound = scores.methods.index[scores.methods.method == "cramer_rao"]
    lowest, highest = D.min() / 4, D.max() * 4
    rows = -(-len(shown) // COLUMNS)
    with style.figure(path, height=(18 + 33 * rows) * MM) as drawing:
        axes = drawing.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, (row, method) in zip(axes, shown.iterrows()):
            if len(bound):
                low, _, high = quantiles(bound[0])[1:4]
                ax.fill_between(D, np.maximum(low, lowest / 10), high, color="0.85", lw=0)
            ax.plot([lowest, highest], [lowest, highest], color="0.4", lw=0.6)
            outer_low, low, middle, high, outer_high = np.clip(quantiles(row), lowest / 10, None)
            colour = KIND_COLOURS[method.kind]
            ax.vlines(D, outer_low, outer_high, color=colour, lw=0.7)
            ax.vlines(D, low, high, color=colour, lw=2.2)
            ax.plot(D, middle, "o", ms=2.8, mfc="white", mec=colour, mew=0.8)
            failed = scores.failed[row].sum() / (method.seeds * len(scores.items))
            ax.set_title(readable(method.method), color=colour, pad=3)
            if failed:
                ax.text(0.04, 0.95, f"{100 * failed:.3g} % failed", transform=ax.transAxes, va="top", fontsize=6)
            _log_axis(ax.xaxis, [lowest, highest])
            _log_axis(ax.yaxis, [lowest, highest])
            ax.set(xlim=(D.min() / 1.8, D.max() * 1.8), ylim=(lowest, highest))
        for ax in axes[len(shown) :]:
            ax.remove()
        for ax in axes[max(len(shown) - COLUMNS, 0) : len(shown)]:
            ax.xaxis.set_tick_params(labelbottom=True)
        drawing.supxlabel(f"true D ({UNIT})", fontsize=7)
        drawing.supylabel(f"predicted D ({UNIT})", fontsize=7)
        handles = [
            Line2D([], [], marker="o", ls="", mfc="white", mec="0.2", label="median"),
            Line2D([], [], color="0.2", lw=2.2, label="68 % of the items"),
            Line2D([], [], color="0.2", lw=0.7, label="95 %"),
            Line2D([], [], color="0.85", lw=5, label="68 % of an ideal estimator at the Cramér-Rao bound of the path"),
        ]
        drawing.legend(handles=handles, loc="outside upper center", ncols=4, title=_title(dataset, scores))


def _percentiles(values, levels):
    values = values[np.isfinite(values)]
    return np.percentile(values, levels) if len(values) else np.full(len(levels), np.nan)


def _title(dataset, scores):
    return readable(dataset or scores.dataset)


def _relative_sd(path, scores, dataset):
    """Relative SD against D, classical and learned methods side by side, with the bounds."""
    if scores is None:
        return style.empty(path, "no scores")
    grid = _grid(scores)
    D = np.array([value for value, _ in grid])
    estimates = []
    for _, items in grid:
        values = scores.values["relative_d"][..., items]
        spread = replicate(values, "sd", resampling_weights(values.shape[-1], RESAMPLES, seed=1))
        estimates.append((spread.value, *spread.interval()))
    value, low, high = np.moveaxis(np.array(estimates), 1, 0)  # (D, method) each
    with style.figure(path, height=115 * MM) as drawing:
        axes, legends = drawing.subplots(2, 2, sharey="row", height_ratios=(5, 1))
        for ax, below, kind in zip(axes, legends, ("classical", "learned")):
            for name, (_, colour, line) in BOUNDS.items():
                for row in scores.methods.index[scores.methods.method == name]:
                    ax.plot(D, value[:, row], color=colour, ls=line, lw=0.9)
            rows = [
                row for row in scores.methods.index[scores.methods.kind == kind] if np.isfinite(value[:, row]).any()
            ]
            handles = []
            for k, row in enumerate(rows):
                colour = CYCLE[k % len(CYCLE)]
                shift = 1 + 0.02 * (k - (len(rows) - 1) / 2)  # bars of different methods side by side
                handles.append(
                    ax.errorbar(
                        *(D * shift, value[:, row], [value[:, row] - low[:, row], high[:, row] - value[:, row]]),
                        color=colour,
                        marker=MARKERS[k % len(MARKERS)],
                        mfc="white" if k >= len(CYCLE) else colour,
                        elinewidth=0.7,
                        label=readable(scores.methods.method[row]),
                    )
                )
            _log_axis(ax.xaxis, D)
            ax.set(xlabel=f"D ({UNIT})", title=f"{kind} methods", yscale="log", ylim=_limits(value))
            ax.yaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]))
            ax.yaxis.set_minor_locator(NullLocator())
            ax.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
            below.set_axis_off()
            below.legend(handles=handles, loc="upper center", ncols=3, borderaxespad=0)
        axes[0].set_ylabel("SD of the estimate / D  (95 % interval)")
        style.label_panels(axes)
        bounds = [
            Line2D([], [], color=colour, ls=line, lw=0.9, label=label)
            for name, (label, colour, line) in BOUNDS.items()
            if name in set(scores.methods.method)
        ]
        drawing.legend(handles=bounds, loc="outside upper center", ncols=4, title=_title(dataset, scores))


def _limits(value):
    """Range of the axis; unclipped estimates of a method that breaks down may scatter without bound."""
    known = value[np.isfinite(value) & (value > 1e-3)]  # a control that never moves has no spread to show
    return (0.85 * known.min(), min(1.2 * known.max(), 5)) if len(known) else (0.05, 5)


def _examples(path, store):
    """Stacks of a few D: frames, the true path in each exposure, and its mean."""
    from blurbench.files.datasets import Dataset  # imported here, since the other figures need scores only

    dataset = store if hasattr(store, "images") else Dataset.open(Path(store))
    D = dataset.items["D"].to_numpy()
    values = np.unique(D)
    values = values[np.unique(np.linspace(0, len(values) - 1, 4).round().astype(int))]
    pixel = dataset.attrs["voxel_size"][-1]
    with style.figure(path, height=(14 + 28 * len(values)) * MM) as drawing:
        axes = drawing.subplots(len(values), 6, squeeze=False)
        for row, value in zip(axes, values):
            item = int(np.flatnonzero(D == value)[0])
            frames = int(dataset.items["frames"].iloc[item]) if "frames" in dataset.items else dataset.images.shape[1]
            images = np.asarray(dataset.images[item : item + 1])[0, :frames].astype(float)
            paths = np.asarray(dataset.truth["positions"][item : item + 1])[0, :frames]
            _example_row(row, images, paths, pixel)
            row[0].set_ylabel(f"D = {value:g} {UNIT}")
        drawing.legend(
            handles=[
                Line2D([], [], color=CYCLE[1], lw=1.2, label="true path during the exposure"),
                Line2D([], [], color=CYCLE[1], marker="o", mfc="white", ls="", label="its mean"),
                Line2D([], [], color=CYCLE[5], lw=0.8, label="path in the frames before"),
            ],
            loc="outside lower center",
            ncols=3,
        )


def _example_row(axes, images, paths, pixel):
    """Frames spread over one stack; every panel of the row shows the same field, cut to the path."""
    size = np.array(images.shape[1:])
    low, high = paths.min(axis=(0, 1)), paths.max(axis=(0, 1))
    centre = (low + high) / 2
    half = min(max(np.max(high - low) / 2 + 5 * pixel, 8 * pixel), size.max() * pixel / 2)
    shown = np.unique(np.linspace(0, len(images) - 1, len(axes)).round().astype(int))
    edge = size * pixel / 2
    vmin, vmax = np.percentile(images, [5, 99.98])
    for ax, frame in zip(axes, shown):
        ax.imshow(
            images[frame],
            cmap="gray",
            vmin=vmin,
            vmax=vmax,
            extent=(-edge[1], edge[1], edge[0], -edge[0]),
            interpolation="none",
        )
        before = paths[: frame + 1].reshape(-1, 2)
        ax.plot(before[:, 1], before[:, 0], color=CYCLE[5], lw=0.6, alpha=0.8)
        now = paths[frame]
        ax.add_collection(LineCollection([now[:, ::-1]], colors=CYCLE[1], linewidths=1.2))
        mean = now.mean(axis=0)
        ax.plot(mean[1], mean[0], "o", ms=3, mfc="white", mec=CYCLE[1], mew=0.8)
        ax.set(
            xlim=(centre[1] - half, centre[1] + half), ylim=(centre[0] + half, centre[0] - half), xticks=[], yticks=[]
        )
        ax.set_title(f"frame {frame + 1}", pad=2)
        ax.grid(False)
        ax.spines[:].set_visible(False)
    for ax in axes[len(shown) :]:
        ax.remove()
    _scale_bar(axes[0], centre, half)


def _scale_bar(ax, centre, half):
    steps = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    length = steps[steps <= max(0.8 * half, steps[0])][-1]
    x, y = centre[1] - 0.88 * half, centre[0] + 0.85 * half
    ax.plot([x, x + length], [y, y], color="white", lw=2, solid_capstyle="butt")
    ax.text(x + length / 2, y - 0.06 * half, f"{length:g} µm", color="white", ha="center", va="bottom", fontsize=6)


def _learning(path, curves, dataset):
    """Loss and RMSE of ln D on the validation split against the items presented."""
    curves = [Path(curve) for curve in curves]
    if not curves:
        return style.empty(path, "no method of this dataset learns")
    methods = sorted({curve.parent.name for curve in curves})
    with style.figure(path, height=80 * MM) as drawing:
        left, right = axes = drawing.subplots(1, 2)
        for k, method in enumerate(methods):
            colour, line = CYCLE[k % len(CYCLE)], ("-", (0, (4, 1.5)), ":")[k // len(CYCLE) % 3]
            for curve in sorted(c for c in curves if c.parent.name == method):
                table = pd.read_csv(curve)
                left.plot(table["items"], table["train_loss"], color=colour, ls=line, lw=0.5, alpha=0.6)
                left.plot(table["items"], table["validation_loss"], color=colour, ls=line)
                right.plot(table["items"], table["validation_rmse_ln_d"], color=colour, ls=line)
                last = table.dropna(subset="validation_rmse_ln_d").tail(1)
                right.plot(last["items"], last["validation_rmse_ln_d"], "o", ms=2.5, color=colour)
            right.plot([], [], color=colour, ls=line, label=readable(method))
        for ax in axes:
            ax.set(xscale="log", xlabel="training items presented")
        left.set_ylabel("loss (thin: training, thick: validation)")
        right.set_ylabel("RMSE of ln D, validation")
        right.set_yscale("log")
        right.yaxis.set_major_locator(FixedLocator([0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2]))
        right.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
        right.yaxis.set_minor_locator(NullLocator())
        drawing.legend(loc="outside lower center", ncols=6)
        style.label_panels(axes)
        drawing.suptitle(readable(dataset or curves[0].parent.parent.name), fontsize=7)


def _cues(path, scores, datasets):
    """RMSE of ln D with every cue in the images and with one taken away, one panel per dataset that has such sets."""
    groups = {}
    for name, spec in datasets.items():
        if spec.get("cue") and name in scores and spec["stream"] in scores:
            groups.setdefault(spec["stream"], {"all": scores[spec["stream"]]})[spec["cue"]] = scores[name]
    if not groups:
        return style.empty(path, "no dataset with a cue taken away")
    methods = pd.concat([one.methods for group in groups.values() for one in group.values()])
    methods = (
        methods[methods.kind.isin(KINDS[:2])]
        .drop_duplicates("method")
        .sort_values(
            ["kind", "method"], key=lambda column: column.map(KINDS.index) if column.name == "kind" else column
        )
    )
    names = list(methods.method)
    with style.figure(path, height=(22 + 6.5 * len(names)) * MM) as drawing:
        axes = drawing.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        for ax, (base, group) in zip(axes, groups.items()):
            for k, cue in enumerate(cue for cue in CUES if cue in group):
                value, low, high = _rmse(group[cue], names)
                y = np.arange(len(names)) + 0.2 * (k - 1.5)
                ax.errorbar(
                    *(value, y),
                    xerr=[value - low, high - value],
                    color=CYCLE[(7, 0, 1, 2)[k]],
                    marker="osD^"[k],
                    ls="",
                    elinewidth=0.9,
                    label=CUES[cue],
                )
            ax.set(xscale="log", xlabel="RMSE of ln D (95 % interval)", title=readable(base))
            ax.xaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5]))
            ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.grid(False, axis="y")
            for row in range(0, len(names), 2):
                ax.axhspan(row - 0.5, row + 0.5, color="0.96", lw=0)
        axes[0].set_yticks(np.arange(len(names)), [readable(name) for name in names])
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        for tick, kind in zip(axes[0].get_yticklabels(), methods.kind):
            tick.set_color(KIND_COLOURS[kind])
        drawing.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)


def _rmse(scores, names):
    """RMSE of ln D of the named methods, (value, low, high); NaN for one that is not there."""
    values = scores.values["error_ln_d"]
    result = replicate(values, "rms", resampling_weights(values.shape[-1], RESAMPLES, seed=1))
    rows = pd.DataFrame(np.transpose([result.value, *result.interval()]), index=scores.methods.method)
    return rows.reindex(names).to_numpy().T
