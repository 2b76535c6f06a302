"""Figures of the fusion problem: one module each, with a function `draw(path, given)`."""
