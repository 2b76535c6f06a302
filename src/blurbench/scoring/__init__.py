"""From answers to scores, and from scores to statistics with their intervals."""
