"""Error against cost, with Pareto fronts: RMSE of ln D on the test split, over seconds of answers and of trainings."""

from blurbench.diffusion import PROBLEM
from blurbench.diffusion.score import METRICS
from blurbench.drawing import pareto
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every learned and classical method of one dataset."""
    pareto.draw(path, given, PROBLEM.conditions, *numbers(METRICS)[0])
