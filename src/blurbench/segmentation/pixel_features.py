"""What is read off an image at each pixel: greys, gradients and curvatures over several scales, and what is known.

To whom it is given, the image with its blur undone too, as networks see it or by Richardson and Lucy, and what the
filters say of that.
"""

import numpy as np
from skimage.feature import multiscale_basic_features

from blurbench.learning.tiles import tiles, window
from blurbench.segmentation import network_inputs
from blurbench.segmentation.deconvolution import richardson_lucy
from blurbench.segmentation.greys import greys

SCALES = 1.0, 16.0  # SDs of the Gaussians, pixels; each is twice the one before
SHARP = 1.0, 4.0  # likewise, where the blur is undone
SIDE, MARGIN = 1024, 64  # of the tiles of large images, pixels


def of_tiles(field, sharpened, filtered=False):
    """Each tile of an image (`items.Field`) and the features of its core, (y, x, features) float32.

    sharpened : whether the image with its blur undone is among them
    filtered : whether the filters of that are, too
    """
    for tile, planes in planes_of_tiles(field, sharpened):
        yield tile, features(planes, field, filtered)[window(tile.core, tile.read)]


def planes_of_tiles(field, sharpened, restored=False, beyond=0):
    """Each tile of an image and what is seen of all that it reads, (planes, y, x) float32: `network_inputs.planes`.

    restored : whether the image after Richardson and Lucy is the last of them
    beyond : pixels around the core whose features are wanted too
    """
    known = greys(field.image)
    margin = beyond + max(MARGIN, network_inputs.reach(field.blur_px, sharpened or restored))
    for tile in tiles(field.image.shape, SIDE, margin, 1):
        planes = network_inputs.planes(field.image[window(tile.read)], known, field.blur_px, sharpened)
        if restored:
            planes = np.concatenate([planes, richardson_lucy(planes[0], field.blur_px)[None]])
        yield tile, planes


def features(planes, field, filtered):
    """Features (y, x, columns) float32 of what is seen of an image, the image itself first and then its blur undone."""
    columns = [_filters(planes[0], SCALES), *planes[1:, ..., None]]
    columns += [_filters(plane, SHARP) for plane in planes[1:] if filtered]
    columns.append(np.broadcast_to(np.float32([field.blur_px, field.diameter_px]), (*planes[0].shape, 2)))
    return np.concatenate(columns, axis=-1)


def _filters(plane, scales):
    return multiscale_basic_features(plane, sigma_min=scales[0], sigma_max=scales[1], workers=1)
