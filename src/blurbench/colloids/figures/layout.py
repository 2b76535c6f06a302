"""What the figures of this problem share: how each method is drawn, which conditions are shown, axes."""

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from blurbench.colloids.tables.smallest import f1_of_volumes
from blurbench.drawing import style
from blurbench.drawing.style import CYCLE, MARKERS, MM
from blurbench.scoring.scores import RANKED

MOST_WIDE = 4  # panels side by side, and as many sizes are shown
DENSE = 0.5  # volume fraction up to which a fluid is stable
FRAMES = {"limit": ("0.1", ":"), "control": ("0.6", "-")}  # colour and line of what frames the methods


def styles(scores):
    """Style of each method, by name: learned ones full, classical ones dashed and open, the others without markers."""
    result = {}
    for k, (method, kind) in enumerate(zip(scores.methods.method, scores.methods.kind)):
        colour, line = FRAMES.get(kind, (CYCLE[k % len(CYCLE)], "-" if kind == "learned" else (0, (4, 1.2))))
        marker = MARKERS[k % len(MARKERS)] if kind in RANKED else ""
        result[method] = {
            "color": colour,
            "ls": line,
            "marker": marker,
            "mfc": "white" if kind == "classical" else colour,
        }
    return result


def best(scores, kinds=RANKED):
    """The method of these kinds with the highest mean F1, a failed volume counting as 0; None if there is none."""
    f1 = np.ma.masked_invalid(f1_of_volumes(scores)).mean(axis=(1, 2)).filled(-1)
    rows = [row for row, kind in enumerate(scores.methods.kind) if kind in kinds]
    return scores.methods.method[max(rows, key=lambda row: f1[row])] if rows else None


def spread(values, most=MOST_WIDE):
    """At most so many of the different values, ascending, both ends among them."""
    values = np.unique(values)
    return values[np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))]


def middle(values):
    """The middle one of the different values, the higher of two."""
    values = np.unique(values)
    return values[len(values) // 2]


def dense(phi):
    """The highest volume fraction of a stable fluid; the lowest one where none is."""
    values = np.unique(phi)
    return values[values <= DENSE][-1] if values[0] <= DENSE else values[0]


def apart(values, least):
    """Those of ascending values that stand apart from the one kept before: the labels of others would overlap."""
    kept = []
    for value in values:
        if not kept or value - kept[-1] >= least:
            kept.append(value)
    return kept


def width(columns):
    """Width of a figure with so many panels side by side, inches."""
    return style.WIDTH if columns > 2 else (60 + 50 * columns) * MM


def plain_log(axis, ticks):
    """Log scale with plain numbers at the ticks and none between."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
