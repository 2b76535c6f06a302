"""A light-sheet volume fused from several views, or better, from one of them alone."""

from blurbench.files.answers import Images
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Images("float32", without=("view",)),  # photons in each voxel of the first view
    conditions=("study",),
    known=(
        "channel",
        "spacing_z_um",
        "spacing_xy_um",
        "sigma_axial_um",
        "sigma_lateral_um",
        "sheet_waist_um",
        "sheet_focus_um",
        "rayleigh_um",
        "fan",
        "read_noise",
        "depth_px",
        "height_px",
        "width_px",
    ),
    known_spec=(
        "imaging.shape_px",
        "imaging.views",
        "imaging.views_given",
        "imaging.truth_sigma_px",
        "imaging.offset",
    ),
    grid=("studies",),
    figures=("slices", "by_depth", "by_study"),
    training_figures=("learning", "cost", "pareto", "gallery"),
    tables=("targets", "depth"),
)
