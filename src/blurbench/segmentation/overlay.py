"""An image with outlines of the cells found in it, and of the true ones."""

import numpy as np
from skimage.segmentation import find_boundaries

GREYS = (0.5, 99.8)  # percentiles of an image that are black and white
# Of Okabe and Ito's colours, which people with any colour vision tell apart.
TRUE, FOUND, BOTH = (0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9), (0xFF, 0xFF, 0xFF)


def overlay(image, found=None, truth=None) -> np.ndarray:
    """The image in grey, outlines of what was found in blue, of the truth in orange, of both in white.

    An outline are the outermost pixels of each cell, those where two cells touch among them.

    Parameters
    ----------
    image : (y, x)
    found, truth : (y, x) labels; None leaves their outlines away

    Returns
    -------
    uint8 (y, x, 3)
    """
    low, high = np.percentile(image, GREYS)
    grey = np.clip((image - low) / max(high - low, 1e-9), 0, 1)
    picture = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    lines = [
        np.zeros(picture.shape[:2], bool) if x is None else find_boundaries(x, mode="inner") for x in (found, truth)
    ]
    picture[lines[0]], picture[lines[1]] = FOUND, TRUE
    picture[lines[0] & lines[1]] = BOTH
    return picture
