"""What a run will do, from its configuration: read, checked and expanded with nothing heavy imported."""
