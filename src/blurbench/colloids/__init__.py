"""Centres of dense colloidal spheres from one blurred, noisy 3-D image."""

from blurbench.files.answers import Points
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Points(("z", "y", "x", "confidence")),  # confidence: any monotone number
    conditions=("phi", "sigma_z_d", "cnr"),
    known=("particle_size_um", "voxel_um", "diameter_px", "sigma_z_px", "sigma_xy_px"),
    known_spec=("imaging.shape_px", "imaging.diameter_px", "imaging.psf", "imaging.offset"),
    grid=("test_phi", "test_particle_size_um", "test_cnr"),
    figures=("slices", "recall_error", "pair_correlation"),
    training_figures=("learning", "cost", "pareto", "gallery"),
    summary_figures=("how_low",),
    tables=("challenge", "smallest"),
)
