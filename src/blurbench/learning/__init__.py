"""What learned methods share: the training loop, budgets, prepared inputs, tiles and U-Nets."""
