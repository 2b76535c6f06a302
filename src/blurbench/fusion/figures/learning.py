"""Learning curves: the loss of every method that learns.

Thin is the loss on the training split, thick on the validation split. Where thick still falls, training was too
short; where thick rises and thin falls, the method learns its training items by heart. Losses of two methods are not
to be compared: each has its own.
"""

from blurbench.drawing import learning_curves
from blurbench.drawing.material import Material


def draw(path, given: Material):
    """The curves of every model behind one dataset."""
    learning_curves.draw(path, given)
