"""The points that a method found, for the figures that show them."""

import numpy as np

from blurbench.colloids import PROBLEM
from blurbench.drawing.material import Material


def points_of(given: Material, method):
    """Points (n, 3) of every item of the test split in µm, of a method's first seed; None without a file."""
    file, n = given.answers().get(method), len(given.store)
    if file is None:
        return None
    frame = PROBLEM.answer.read(file, n).dropna(subset=["z", "y", "x"])
    return np.split(frame[["z", "y", "x"]].to_numpy(), np.searchsorted(frame["item"], np.arange(1, n)))
