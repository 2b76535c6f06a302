"""Figures of the diffusion problem: one module each, with a function `draw(path, given)`."""
