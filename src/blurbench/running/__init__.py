"""What the stages run: simulation, methods on items, measurement of recordings, the check of a run's files."""
