"""What is missing to the truth against training cost: 1 - pixel F1 on the validation split."""

from blurbench.drawing import training_cost
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers
from blurbench.segmentation.score import METRICS


def draw(path, given: Material):
    """A point for every training on one dataset."""
    training_cost.draw(path, given, *numbers(METRICS)[0])
