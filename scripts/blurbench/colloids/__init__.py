"""Centres of dense colloidal spheres from one blurred, noisy 3-D image."""

FIGURES = ("slices", "recall_error", "pair_correlation", "learning")  # one of each per dataset
SUMMARY_FIGURES = ("how_low",)  # over all datasets
EXTRA_TABLES = ("challenge", "smallest")  # beside the main table
SUMMARY_TABLES = ("smallest",)  # of these: made by a module of their own, and shown in the summary
CONDITIONS = ("phi", "sigma_z_d", "cnr")  # columns of the items that make conditions
ANSWER = ("z", "y", "x", "confidence")  # µm from the centre of the first voxel, and any monotone number
POINTS = True  # several rows an item
IMAGING = ("particle_size_um", "voxel_um", "diameter_px", "sigma_z_px", "sigma_xy_px")  # what a microscopist knows
