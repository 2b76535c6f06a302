"""Axes and what stands at them: log scales in plain numbers, letters of panels, scale bars."""

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

BAR_UM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
CROWD, DECADES = 15, 5  # numbers on a log axis from which on only so many decades are told


def plain_log(axis, ticks=None):
    """Log scale with plain numbers: at the ticks given and none between, or at each decade with marks between."""
    if axis.get_scale() != "log":
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    if ticks is not None:
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def round_numbers(low, high):
    """1, 2 and 5 of each decade between two numbers; more where these are few, some decades where they are many."""
    decades = 10 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        found = [t for t in np.outer(decades, digits).ravel() if low <= t <= high]
        if len(found) > 2:
            break
    if len(found) < CROWD:
        return found
    whole = [t for t in decades if low <= t <= high]
    return whole[:: int(np.ceil(len(whole) / DECADES))]


def apart(values, least):
    """Those of ascending values that stand apart from the one kept before: the labels of others would overlap."""
    kept: list = []
    for value in values:
        if not kept or value - kept[-1] >= least:
            kept.append(value)
    return kept


def keep_first(axes, number):
    """The first panels of a grid, by rows; the others go, and the lowest of each column has numbers along x."""
    for ax in axes.flat[number:]:
        ax.remove()
    for ax in axes.flat[max(number - axes.shape[1], 0) : number]:
        ax.xaxis.set_tick_params(labelbottom=True)
    return axes.flat[:number]


def label_panels(axes):
    """a, b, c, ... at the upper left corner of the axes."""
    for letter, ax in zip("abcdefghijklmnopqrstuvwxyz", axes):
        ax.set_title(letter, loc="left", fontweight="bold")


def scale_bar(ax, width):
    """A scale bar in the lower left corner of an image that is `width` µm wide, on a plate that keeps it legible."""
    length = max((length for length in BAR_UM if length < width / 4), default=BAR_UM[0])
    bar = AnchoredSizeBar(
        ax.transData, length, f"{length} µm", "lower left", pad=0.3, sep=2, size_vertical=0.01 * width, label_top=True
    )
    bar.patch.set(facecolor="w", edgecolor="none", alpha=0.8)
    ax.add_artist(bar)
