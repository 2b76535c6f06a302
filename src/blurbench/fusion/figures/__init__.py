"""Figures of the fusion problem: one module each, with `draw(path, given)`."""
