"""Diffusion coefficient of one molecule from a short stack of its blurred, noisy images."""

from blurbench.files.answers import Numbers
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Numbers(("D", "D_lo68", "D_hi68", "D_lo95", "D_hi95")),  # µm²/s
    conditions=("D",),
    known=("photons", "background", "fwhm_um", "frame_time_s", "exposure_s", "frames"),
    known_spec=(
        "D_um2_s",
        "imaging.frames",
        "imaging.size_px",
        "imaging.pixel_size_um",
        "imaging.frame_time_s",
        "imaging.exposure_s",
        "imaging.substeps",
        "imaging.psf",
        "imaging.photons",
        "imaging.background",
        "imaging.camera",
        "imaging.start_spread_px",
    ),
    grid=("test_D_um2_s",),
    figures=("examples", "predicted", "relative_sd"),
    training_figures=("learning", "cost", "pareto", "gallery"),
    summary_figures=("cues",),
    tables=("realised",),
)
