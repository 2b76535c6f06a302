"""Diffusion coefficient of one molecule from a short stack of its blurred, noisy images."""

from blurbench.files.answers import Numbers
from blurbench.problems import Problem

PROBLEM = Problem(
    answer=Numbers(("D", "D_lo68", "D_hi68", "D_lo95", "D_hi95")),  # µm²/s
    conditions=("D",),
    known=("photons", "background", "fwhm_um", "frame_time_s", "exposure_s", "frames"),
    untold=("psf_wider", "defocus_um", "blinking", "background_gradient", "second_molecule_um", "corral_um"),
    figures=("predicted", "relative_sd", "examples", "learning"),
    summary_figures=("cues",),
    tables=("realised",),
)
