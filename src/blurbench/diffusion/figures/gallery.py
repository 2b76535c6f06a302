"""The same three molecules through the best methods of each kind, and each method's best, median and worst.

A panel is the mean frame of a stack, cut to the true path, the line from frame to frame. Over it stand true D and the
estimate, the error of ln D, and the method's own 95 % interval where it gives one. The three molecules are the first,
the middle and the last one of the test split in the order of D. Look for what the worst ones have in common, such as
a path that happened to be short; and whether the interval of a wrong answer admits it.
"""

import numpy as np

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.figures.conditions import UNIT
from blurbench.diffusion.figures.examples import cut_to
from blurbench.diffusion.score import METRICS
from blurbench.drawing import gallery
from blurbench.drawing.material import Material
from blurbench.drawing.style import CYCLE
from blurbench.scoring.metric import numbers

KEY = f"mean frame and true path;\ntrue D → estimate ({UNIT}), error of ln D, 95 % interval of the estimate"


def draw(path, given: Material):
    """The mean frame of every stack."""

    def answers(method):
        frame = PROBLEM.answer.read(given.answers()[method], len(given.store.items))
        return frame.to_dict("records")

    def show(ax, item, answer):
        dataset = given.store
        frames = int(dataset.items["frames"].iloc[item])
        images = np.asarray(dataset.images[item])[:frames]
        paths, pixel = np.asarray(dataset.truth["positions"][item])[:frames], dataset.attrs["voxel_size"][-1]
        y, x = np.array(images.shape[1:]) * pixel / 2
        ax.imshow(images.mean(axis=0), cmap="gray", extent=(-x, x, y, -y), interpolation="none")
        means = paths.mean(axis=1)
        ax.plot(means[:, 1], means[:, 0], color=CYCLE[4], lw=0.7)
        cut_to(ax, paths, images.shape[1:], pixel)

    def words(item, answer, error):
        said = f"D {given.store.items['D'].iloc[item]:.2g}"
        if answer is None:
            return f"{said}\n{error}"
        ends = [answer["D_lo95"], answer["D_hi95"]]
        interval = "\n[{:.2g}, {:.2g}]".format(*ends) if np.isfinite(ends).all() else ""
        return f"{said} → {answer['D']:.2g}\n{error}{interval}"

    shown = PROBLEM.conditions, *numbers(METRICS)[0]
    gallery.draw(path, given, *shown, answers, show, words, KEY, lines=3)
