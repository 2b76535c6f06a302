"""Learning curves: the loss of every method that learns.

Where the validation loss still falls, training was too short.
"""

from blurbench.drawing import learning_curves


def draw(path, given):
    """The curves of every model behind one dataset."""
    learning_curves.draw(path, given)
