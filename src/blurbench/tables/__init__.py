"""The published tables of all problems, and how they are written."""
