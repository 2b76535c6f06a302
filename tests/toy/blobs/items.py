"""Items as methods see them: an image, what a microscopist knows of it, its truth where it may be seen."""

from typing import NamedTuple

import numpy as np


class Image(NamedTuple):
    """One image: photons (y, x), SD of their noise, and the photons without it, None where they must not be seen."""

    photons: np.ndarray
    noise: float
    clean: np.ndarray | None


def images(dataset):
    """Every item of a dataset, in order."""
    for i, noise in enumerate(dataset.items["noise"]):
        yield Image(dataset.images[i], float(noise), dataset.truth["clean"][i] if dataset.truth else None)
