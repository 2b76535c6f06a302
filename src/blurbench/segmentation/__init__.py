"""Cells in a blurred image: which pixels are theirs, which of them belong together, and how many there are."""

from blurbench.files.answers import Images
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Images("int32"),  # labels: 0 is background, every other number an object; a slide holds more than 65,535
    conditions=("stain", "blur_px"),
    known=("stain", "blur_px", "diameter_px", "height_px", "width_px"),
    known_spec=("imaging.shape_px", "imaging.offset"),
    grid=("stains", "test_blur_px"),
    figures=("outlines", "by_blur"),
    training_figures=("learning", "cost", "pareto", "gallery"),
    tables=("blur_levels", "pooled"),
)
