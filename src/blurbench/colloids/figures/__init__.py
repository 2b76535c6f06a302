"""Figures of the colloids problem: one module each, with a function `draw(path, given)`."""
