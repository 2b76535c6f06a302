"""Figures of the segmentation problem: one module each, with a function `draw(path, given)`."""
