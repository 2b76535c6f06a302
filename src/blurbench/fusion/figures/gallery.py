"""Sections of the same three volumes through the best methods of each kind, and of each method's best, median, worst.

A panel holds two xz sections through the middle of a volume, at the grey levels of the truth: the answer on the left,
the truth on the right; the bar is 10 µm long. Over it stand the study and N_SSIM. The three volumes are the first, the
middle and the last one of the test split in the order of the studies. What only the right one has was lost, what only
the left one has was made up.
"""

import numpy as np

from blurbench.drawing import gallery, style
from blurbench.drawing.material import Material
from blurbench.fusion import PROBLEM
from blurbench.fusion.items import read
from blurbench.fusion.score import METRICS, studies_of
from blurbench.fusion.sections import GREYS, cut
from blurbench.scoring.metric import numbers

PLANE = "xz"  # where one view lacks most
BAR_UM = 10  # the same in all panels, whose volumes are of several sizes
KEY = f"answer (left) and truth (right), xz, bars {BAR_UM} µm; study and N_SSIM"
LETTERS = 15  # of a study's name in a line


def draw(path, given: Material):
    """The middle xz section of every volume."""

    def answers(method):
        return PROBLEM.answer.read(given.answers()[method], len(given.store)).images

    def show(ax, item, answer):
        view = read(given.store, item, ["density"])
        truth = view.truth.density
        found = np.full_like(truth, np.nan) if answer is None else answer
        black, white = np.percentile(truth, GREYS)
        depth, _, width = np.multiply(truth.shape, view.optics.spacing_um)
        both = np.hstack([cut(volume)[PLANE] for volume in (found, truth)])
        extent = (0, 2 * width, depth, 0)
        ax.imshow(both, "gray", vmin=black, vmax=white, extent=extent, interpolation="none")
        ax.axvline(width, color="white", lw=1)
        for look in ({"color": "black", "lw": 3}, {"color": "white", "lw": 1.5}):  # seen on black and on white
            ax.plot(np.array([0.08, 0.08]) * width + [0, BAR_UM], [0.95 * depth] * 2, solid_capstyle="butt", **look)

    def words(item, _, error):
        return f"{style.broken(studies[item], LETTERS)}\n{error}"

    studies = None if given.store is None else studies_of(given.store)
    shown = PROBLEM.conditions, *numbers(METRICS)[0]
    gallery.draw(path, given, *shown, answers, show, words, KEY, lines=3, tall=0.8)
