"""How low it goes: the contour of F1 in the plane of what blurs spheres and what hides them in noise.

A panel for each volume fraction. On the side of a line where spheres are larger and contrast is higher, a method
tracks them; the further it lies towards small and faint, the better the method. The tint is what the best one tracks.
"""

import numpy as np
from contourpy import contour_generator
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from blurbench.colloids import PROBLEM
from blurbench.colloids.tables.smallest import LEVEL, last_crossing, surface
from blurbench.drawing import style
from blurbench.drawing.axes import apart, keep_first, label_panels, plain_log
from blurbench.drawing.material import Material
from blurbench.drawing.style import MM
from blurbench.scoring.scores import RANKED, read

TINT = 0.15  # opacity of the region that the best method tracks
PANEL, LEGEND = 64, 3  # mm, height of a panel; entries side by side


def draw(path, given: Material):
    """Contours of F1 in the plane of σz/d and CNR, a panel per volume fraction, for every dataset with such a plane."""
    scores = read(given.scores, PROBLEM.conditions)
    scores = [one for one in scores if min(one.items["sigma_z_d"].nunique(), one.items["cnr"].nunique()) > 1]
    if not scores:
        return style.empty(path, "no dataset with several sizes and contrasts")
    columns = min(max(one.items["phi"].nunique() for one in scores), style.MOST_WIDE)
    rows = [-(-one.items["phi"].nunique() // columns) for one in scores]
    keys = [10 + 4.6 * -(-(len(one.methods) + 1) // LEGEND) for one in scores]
    heights = [height for key, n in zip(keys, rows) for height in (key, *[PANEL] * n)]
    with style.figure(path, style.width(columns), sum(heights) * MM) as drawing:
        grid, first = drawing.add_gridspec(len(heights), columns, height_ratios=heights), 0
        for one, n in zip(scores, rows):
            key, panels = (
                drawing.add_subplot(grid[first, :]),
                grid[first + 1 : first + 1 + n, :].subgridspec(n, columns),
            )
            axes = panels.subplots(sharex=True, sharey=True, squeeze=False)
            sizes_um = given.datasets.get(one.dataset, {}).get("test_particle_size_um", ())
            _dataset(key, axes, one, given.styles(dict(zip(one.methods.method, one.methods.kind))), sizes_um)
            first += 1 + n


def contour(sigma_z_d, cnr, f1, level=LEVEL):
    """Where F1 crosses a level, linear in σz/d and log CNR between the cells of the grid.

    Parameters
    ----------
    sigma_z_d (k,), cnr (l,) : ascending, two values or more each
    f1 : (l, k); NaN where it is not known

    Returns
    -------
    lines : list of (n, 2) vertices σz/d, CNR
    areas : list of Matplotlib paths around where F1 is above the level
    """
    generator = contour_generator(sigma_z_d, np.log(cnr), np.ma.masked_invalid(f1), fill_type="OuterCode")
    lines = [np.column_stack([line[:, 0], np.exp(line[:, 1])]) for line in generator.lines(level)]
    rings = zip(*generator.filled(level, np.inf))
    return lines, [Path(np.column_stack([ring[:, 0], np.exp(ring[:, 1])]), codes) for ring, codes in rings]


def _dataset(key, axes, scores, styles, sizes_um):
    """The panels of one dataset; in `key` a legend that says which method reaches the level nowhere or everywhere."""
    methods = scores.methods[scores.methods.kind != "control"]
    phi, grid = np.unique(scores.items["phi"]), np.unique(scores.items["sigma_z_d"])
    without = {method: {"nowhere": [], "everywhere": []} for method in methods.method}
    shown = keep_first(axes, len(phi))
    for ax, value in zip(shown, phi):
        x, cnr, f1, _ = surface(scores, value)
        f1 = f1[methods.index]
        for row, method in methods.method.items():
            tracked = f1[row][np.isfinite(f1[row])] >= LEVEL
            if tracked.all() or not tracked.any():
                without[method]["everywhere" if tracked.any() else "nowhere"].append(f"{value:g}")
            _method(ax, x, cnr, f1[row], styles[method])
        _shade_best(ax, x, cnr, f1[methods.kind.isin(RANKED)], list(styles.values()))
        _axes(ax, grid, np.unique(scores.items["cnr"]), sizes_um)
        ax.set_title(f"φ = {value:g}")
    for ax in axes[:, 0]:
        ax.set_ylabel("CNR")
    label_panels(shown)
    handles = [Line2D([], [], **styles[method], label=_label(method, without[method], len(phi))) for method in without]
    handles.append(Patch(color="0.5", alpha=TINT, lw=0, label="tracked by the best method"))
    title = f"{scores.dataset}: a method tracks (F1 ≥ {LEVEL:g}) what lies above and to the left of its line"
    key.set_axis_off()
    key.legend(handles=handles, loc="center", ncols=LEGEND, title=title)


def _method(ax, x, cnr, f1, styles):
    """The contour of one method, with marks where it crosses a CNR of the grid."""
    for line in contour(x, cnr, f1)[0]:
        ax.plot(*line.T, color=styles["color"], ls=styles["ls"])
    at = last_crossing(x, f1)
    crossed = at < x[-1]
    if crossed.any():  # without points an unclipped line would claim the corner of the figure
        ax.plot(at[crossed], cnr[crossed], **{**styles, "ls": ""}, clip_on=False, zorder=3)


def _shade_best(ax, x, cnr, f1, styles):
    """The region of the method that tracks the smallest spheres, on average over the CNRs."""
    reached = np.nan_to_num(last_crossing(x, f1)).mean(axis=-1)
    if reached.size and reached.max() > 0:
        best = int(reached.argmax())
        for area in contour(x, cnr, f1[best])[1]:
            ax.add_patch(PathPatch(area, color=styles[best]["color"], alpha=TINT, lw=0))


def _label(method, without, panels):
    """Name of a method, with the volume fractions at which it has no line."""
    where = [word if len(phi) == panels else f"{word} at φ {', '.join(phi)}" for word, phi in without.items() if phi]
    return method + (f" ({'; '.join(where)})" if where else "")


def _axes(ax, grid, cnr, sizes_um):
    """Ticks at the test grid, and the sizes on top."""
    shown = apart(grid, 0.12 * np.ptp(grid))
    ax.set(xlim=(grid[0], grid[-1]), ylim=(cnr[0], cnr[-1]), xticks=shown, xlabel="σz/d")
    ax.xaxis.set_tick_params(labelbottom=True)
    plain_log(ax.yaxis, cnr)
    if len(sizes_um) == len(grid):
        sizes = dict(zip(grid, sorted(sizes_um, reverse=True)))
        top = ax.secondary_xaxis("top")
        top.set_xticks(shown, [f"{sizes[x]:.2g}" for x in shown])
        top.set_xlabel("particle size (µm)")
