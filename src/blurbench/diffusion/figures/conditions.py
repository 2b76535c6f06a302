"""What the test grid is for the figures: each D with its items."""

import numpy as np

UNIT = "µm²/s"


def grid(scores):
    """Each D of the test grid, with a mask of the items there."""
    D = scores.items["D"].to_numpy()
    return [(value, D == value) for value in np.unique(D)]
