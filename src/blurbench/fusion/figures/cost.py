"""What is missing to the truth against training cost: 1 - N_SSIM on the validation split."""

from blurbench.drawing import training_cost
from blurbench.drawing.material import Material
from blurbench.fusion.score import METRICS
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every training on one dataset."""
    training_cost.draw(path, given, *numbers(METRICS)[0])
