"""Methods of the colloids problem: one file each, which opens with what it does."""
