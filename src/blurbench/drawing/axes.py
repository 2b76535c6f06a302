"""Axes and what stands at them: log scales in plain numbers, letters of panels, scale bars."""

from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, Locator, MaxNLocator, NullFormatter, NullLocator
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

BAR_UM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
FEWEST, CROWD = 3, 10  # numbers along a log axis: fewer do not tell its scale, more are not read
DIGITS = ((1, 2, 5), (1, 3), (1,))  # of a decade, the denser first
LARGE = ((1e9, "G"), (1e6, "M"), (1e3, "k"))  # letters of thousands, from 10,000 on
BESIDE = 0.3  # of the least distance along x, over which methods at one x are spread


class RoundNumbers(Locator):
    """Ticks of a log axis, as many as its length has room for, wherever its ends come to lie."""

    axis: Any  # the one that it is set at

    def __call__(self):
        """Places of the ticks between the ends of the axis."""
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin, vmax):
        """Places of the ticks between two numbers."""
        return round_numbers(min(vmin, vmax), max(vmin, vmax), self.axis.get_tick_space())


def plain_log(axis, ticks=None):
    """Log scale with plain numbers: at the ticks given and none between, or at round ones with marks between."""
    if axis.get_scale() != "log":
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(RoundNumbers() if ticks is None else FixedLocator(ticks))
    if ticks is not None:
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: plain(value))
    axis.set_minor_formatter(NullFormatter())


def plain(value) -> str:
    """A number as it stands at an axis: 0.02, 3000, 20k, 1.5M."""
    if value >= 1e4:
        unit, letter = next((unit, letter) for unit, letter in LARGE if value >= unit)
        return f"{value / unit:g}{letter}"
    return f"{value:g}"


def round_numbers(low, high, most=CROWD) -> list[float]:
    """Round numbers between two positive ones for a log axis, at least three where `most` allows.

    1, 2 and 5 of each decade if these are no more than `most`, else fewer of them, else some decades; equal steps where
    the two numbers are too close for any of it.
    """
    most = max(min(most, CROWD), 2)
    decades = 10 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found = [[t for t in np.outer(decades, digits).ravel() if low <= t <= high] for digits in DIGITS]
    if len(found[0]) < FEWEST:
        steps = MaxNLocator(max(min(most, 5), FEWEST), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        return [t for t in steps if low <= t <= high]
    several = [ticks for ticks in found if len(ticks) > 1]
    chosen = next((ticks for ticks in several if len(ticks) <= most), several[-1])
    return chosen[:: int(np.ceil(len(chosen) / most))]


def side_by_side(x, number, log=False):
    """Positions (number, ...) about each x, so that what several methods have there does not hide each other.

    Parameters
    ----------
    x : ascending values, of one of which nothing is spread
    number : of methods
    log : whether x is on a log axis
    """
    x = np.log(x) if log else np.asarray(x, float)
    step = BESIDE * np.diff(x).min() if len(x) > 1 else 0
    moved = x + step * ((np.arange(number) + 0.5) / max(number, 1) - 0.5)[:, None]
    return np.exp(moved) if log else moved


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
