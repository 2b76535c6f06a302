"""Learning curves: the loss of every method that learns."""

from blurbench.drawing import learning_curves
from blurbench.drawing.material import Material


def draw(path, given: Material):
    """The curves of every model behind one dataset."""
    learning_curves.draw(path, given)
