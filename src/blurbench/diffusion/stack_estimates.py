"""What the methods on fitted spots share: stack by stack to D and its standard error."""

import numpy as np

from blurbench.diffusion.estimators import blur_coefficient
from blurbench.diffusion.intervals import from_linear
from blurbench.diffusion.localise import localise


def stacks(dataset):
    """(images of the frames that there are, imaging parameters) of each item."""
    for image, row in zip(dataset.images[:], dataset.items.itertuples()):
        yield image[: int(row.frames)], row


def blur(row, spec) -> float:
    """Motion-blur coefficient R of one item."""
    return blur_coefficient(row.exposure_s, row.frame_time_s, spec["imaging"]["substeps"])


def estimate(dataset, of_spots):
    """Answers of a method that maps (spots, row, R) to (D, standard error), stack by stack, after `localise`."""
    return estimate_stacks(dataset, lambda stack, row, R: of_spots(localise(stack, row, dataset.spec), row, R))


def estimate_stacks(dataset, of_stack):
    """Answers of a method that maps (stack, row, R) to (D, standard error)."""
    pairs = [of_stack(stack, row, blur(row, dataset.spec)) for stack, row in stacks(dataset)]
    return from_linear(*np.array(pairs, float).reshape(-1, 2).T)


def estimate_true(dataset, of_centres):
    """Answers of a method that maps (true mean positions (t, 2), row, R) to (D, standard error)."""
    pairs = [
        of_centres(path[: int(row.frames)].mean(axis=1, dtype=float), row, blur(row, dataset.spec))
        for path, row in zip(dataset.truth["positions"][:], dataset.items.itertuples())
    ]
    return from_linear(*np.array(pairs, float).reshape(-1, 2).T)
