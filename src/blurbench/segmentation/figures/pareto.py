"""Error against cost, with Pareto fronts: 1 - pixel F1 on the test split, over seconds of answers and of trainings."""

from blurbench.drawing import pareto
from blurbench.drawing.material import Material
from blurbench.scoring.metric import numbers
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.score import METRICS


def draw(path, given: Material):
    """A point for every learned and classical method of one dataset."""
    pareto.draw(path, given, PROBLEM.conditions, *numbers(METRICS)[0])
