"""Figures of the toy problem: one module each, with `draw(path, given)`."""
