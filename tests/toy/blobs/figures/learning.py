"""Learning curves."""

from blurbench.drawing.learning_curves import draw

__all__ = ["draw"]
