"""Diffusion coefficient of one molecule from a short stack of its blurred, noisy images."""

FIGURES = ("predicted", "relative_sd", "examples", "learning")  # one of each per dataset
SUMMARY_FIGURES = ("cues",)  # over all datasets
EXTRA_TABLES = ("realised",)  # beside the main table
CONDITIONS = ("D",)  # columns of the items that make conditions
POINTS = False  # the answer of an item is one row
ANSWER = ("D", "D_lo68", "D_hi68", "D_lo95", "D_hi95")  # µm²/s; a method must give the first
IMAGING = ("photons", "background", "fwhm_um", "frame_time_s", "exposure_s", "frames")  # what a microscopist knows
