"""Methods of the diffusion problem: one file each, which opens with what it does."""
