"""What is read off an image at each pixel: greys, gradients and curvatures over several scales, and what is known.

To whom it is given, the image with its blur undone too, as networks see it or by Richardson and Lucy, and what the
filters say of that.
"""

import numpy as np
from numba import njit

from blurbench.learning.tiles import tiles, window
from blurbench.microscopy.separable import gaussian
from blurbench.segmentation import network_inputs
from blurbench.segmentation.deconvolution import richardson_lucy
from blurbench.segmentation.derivatives import curvatures, edges
from blurbench.segmentation.greys import greys

SCALES = 1, 2, 4, 8, 16  # SDs of the Gaussians, pixels
SHARP = 1, 2, 4  # likewise, where the blur is undone
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
    return _pixel_by_pixel(np.stack(columns(planes, field, filtered)))


def columns(planes, field, filtered) -> list:
    """Those features one by one, each (y, x)."""
    found = [*_filters(planes[0], SCALES), *planes[1:]]
    found += [column for plane in planes[1:] if filtered for column in _filters(plane, SHARP)]
    return found + [np.full_like(planes[0], value) for value in (field.blur_px, field.diameter_px)]


def _filters(plane, scales):
    """Those of `skimage.feature.multiscale_basic_features`, one by one: (y, x) float32."""
    for sd in scales:
        smooth = gaussian(plane, (sd, sd), beyond="edge")
        yield from (smooth, edges(smooth), *curvatures(smooth))


@njit(cache=True)
def _pixel_by_pixel(planes):
    """Planes (c, y, x) as (y, x, c); numpy takes four times as long."""
    c, ny, nx = planes.shape
    out = np.empty((ny, nx, c), planes.dtype)
    for y in range(ny):
        for i in range(c):
            line = planes[i, y]
            for x in range(nx):
                out[y, x, i] = line[x]
    return out
