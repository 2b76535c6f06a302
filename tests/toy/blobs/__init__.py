"""Toy problem: the image of round blobs without its noise."""

from blurbench.files.answers import Images
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Images("float32"),  # photons per pixel, of the item's shape
    conditions=("noise",),
    known=("noise",),
    known_spec=("size_px",),
    figures=("examples",),
    training_figures=("learning",),
)
