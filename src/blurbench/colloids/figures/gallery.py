"""Slices of the same three volumes through the best methods of each kind, and of each method's best, median and worst.

Circles are true spheres where the slice along x and z cuts them, crosses are centres that the method found; over a
panel stand the conditions, φ with σz/d and CNR, and F1. The three volumes are the first, the middle and the last one
of the test split in the order of its conditions. A circle without a cross was missed; a cross without a circle is
false, or of a sphere that the slice just misses.
"""

import numpy as np

from blurbench.colloids import PROBLEM
from blurbench.colloids.figures.points import points_of
from blurbench.colloids.figures.slices import PAIR, section
from blurbench.colloids.score import METRICS
from blurbench.drawing import gallery
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers

FIELD = 5  # diameters shown: few enough to tell spheres from each other
KEY = "true spheres (circles) and centres found (crosses) in the middle xz plane;\nφ, σz/d, CNR; F1"


def draw(path, given: Material):
    """An xz slice through the middle of every volume, cut to some diameters."""

    def show(ax, item, points):
        row = given.store.items.iloc[item]
        image = np.asarray(given.store.images[item])
        half = np.minimum(image.shape, FIELD * row["diameter_px"]) * row["voxel_um"] / 2
        truth = [np.asarray(given.store.truth[part][item], float) for part in ("centres", "diameters")]
        section(ax, "xz", image, row, truth, [] if points is None else [(points, PAIR["learned"])], half)

    def words(item, _, error):
        row = given.store.items.iloc[item]
        return ", ".join(f"{row[name]:.2g}" for name in PROBLEM.conditions) + f"\n{error}"

    shown = PROBLEM.conditions, *numbers(METRICS)[0]
    gallery.draw(path, given, *shown, lambda method: points_of(given, method), show, words, KEY)
