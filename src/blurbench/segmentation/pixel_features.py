"""What is read off an image at each pixel: greys, gradients and curvatures over several scales, and what is known."""

import numpy as np
from skimage.feature import multiscale_basic_features

from blurbench.learning.tiles import tiles, window
from blurbench.segmentation.greys import greys

SCALES = 1.0, 16.0  # SDs of the Gaussians, pixels; each is twice the one before
SIDE, MARGIN = 1024, 64  # of the tiles of large images, pixels


def of_tiles(field):
    """Each tile of an image (`items.Field`) and the features of its core, (y, x, features) float32."""
    known = greys(field.image)
    for tile in tiles(field.image.shape, SIDE, MARGIN, 1):
        scaled = (field.image[window(tile.read)] - np.float32(known.low)) / np.float32(known.range)
        found = multiscale_basic_features(scaled, sigma_min=SCALES[0], sigma_max=SCALES[1], workers=1)
        numbers = np.broadcast_to(np.float32([field.blur_px, field.diameter_px]), (*scaled.shape, 2))
        yield tile, np.concatenate([found, numbers], axis=-1)[window(tile.core, tile.read)]
