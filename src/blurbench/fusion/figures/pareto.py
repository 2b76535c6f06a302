"""Error against cost, with Pareto fronts: 1 - N_SSIM on the test split, over seconds of answers and of trainings.

On the grey line are the methods that no other is as good as at the same cost or less; dotted or dashed ones are limits.
In the first panel alone stand those without a training of their own on this dataset: without any, with settings that
are searched for, or with borrowed weights.
"""

from blurbench.drawing import pareto
from blurbench.drawing.material import Material
from blurbench.fusion import PROBLEM
from blurbench.fusion.score import METRICS
from blurbench.scoring.metric import numbers


def draw(path, given: Material):
    """A point for every learned and classical method of one dataset."""
    pareto.draw(path, given, PROBLEM.conditions, *numbers(METRICS)[0])
