"""Error against cost, with Pareto fronts: 1 - N_SSIM on the test split, over seconds of answers and of trainings."""

from blurbench.drawing import pareto
from blurbench.drawing.material import Material
from blurbench.fusion import PROBLEM
from blurbench.fusion.score import METRICS
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every learned and classical method of one dataset."""
    pareto.draw(path, given, PROBLEM.conditions, *numbers(METRICS)[0])
