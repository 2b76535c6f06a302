"""What the methods of one stack at a time share: from each to D and its standard error."""

import numpy as np

from blurbench.diffusion.intervals import from_linear
from blurbench.diffusion.items import stacks
from blurbench.diffusion.localise import localise


def estimate(dataset, of_spots):
    """Answers of a method that maps (Spots, Stack) to (D, standard error), stack by stack, after `localise`."""
    return estimate_stacks(dataset, lambda stack: of_spots(localise(stack), stack))


def estimate_stacks(dataset, of_stack):
    """Answers of a method that maps a Stack to (D, standard error)."""
    pairs = [of_stack(stack) for stack in stacks(dataset)]
    return from_linear(*np.array(pairs, float).reshape(-1, 2).T)
