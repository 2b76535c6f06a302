"""Which conditions of the test grid the figures show."""

import numpy as np

from blurbench.drawing.style import MOST_WIDE

DENSE = 0.5  # volume fraction up to which a fluid is stable


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
