"""Every kind of file that a run writes: whole or not at all, and read so that damage is told from content."""
