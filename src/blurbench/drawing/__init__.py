"""What the figures of all problems share."""
