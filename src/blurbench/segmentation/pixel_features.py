"""What is read off an image at each pixel: greys, gradients and curvatures over several scales, and what is known.

To whom it is given, the image with its blur undone too, as networks see it.
"""

import numpy as np
from skimage.feature import multiscale_basic_features

from blurbench.learning.tiles import tiles, window
from blurbench.segmentation import network_inputs
from blurbench.segmentation.greys import greys

SCALES = 1.0, 16.0  # SDs of the Gaussians, pixels; each is twice the one before
SIDE, MARGIN = 1024, 64  # of the tiles of large images, pixels


def of_tiles(field, sharpened):
    """Each tile of an image (`items.Field`) and the features of its core, (y, x, features) float32."""
    known = greys(field.image)
    margin = max(MARGIN, network_inputs.reach(field.blur_px, sharpened))
    for tile in tiles(field.image.shape, SIDE, margin, 1):
        planes = network_inputs.planes(field.image[window(tile.read)], known, field.blur_px, sharpened)
        found = multiscale_basic_features(planes[0], sigma_min=SCALES[0], sigma_max=SCALES[1], workers=1)
        numbers = np.broadcast_to(np.float32([field.blur_px, field.diameter_px]), (*planes[0].shape, 2))
        columns = [found, *planes[1:, ..., None], numbers]
        yield tile, np.concatenate(columns, axis=-1)[window(tile.core, tile.read)]
