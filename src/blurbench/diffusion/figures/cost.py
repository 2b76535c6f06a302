"""Error against training cost: RMSE of ln D on the validation split, over core-seconds and items presented."""

from blurbench.diffusion.score import METRICS
from blurbench.drawing import training_cost
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every training on one dataset."""
    training_cost.draw(path, given, *numbers(METRICS)[0])
