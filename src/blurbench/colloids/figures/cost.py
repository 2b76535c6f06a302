"""Error against training cost: 1 - F1 on the validation split, over core-seconds and items presented.

A point is a training, with its error on items of the validation split; trainings that differ in their length alone
are joined. Further down is better, further left is cheaper; a line that still falls at its right end says that more
training would pay. Level lines are limits and the best classical methods, which are not trained.
"""

from blurbench.colloids.score import METRICS
from blurbench.drawing import training_cost
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every training on one dataset."""
    training_cost.draw(path, given, *numbers(METRICS)[0])
