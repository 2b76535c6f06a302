"""What networks are given of an image: its greys on one scale, what is known of its cells and blur, the blur undone."""

import numpy as np

from blurbench.segmentation.deconvolution import around, wiener

SHARPENED = (1.0, 5.0, 25.0)  # noises that Wiener's filter expects, in those that the image has: sharp to smooth
USUAL_PX, BLURRED_PX = 40.0, 24.0  # diameters of a cell and of a kernel that are 0 and 1 to a network


def channels(image, known, field, told, sharpened) -> np.ndarray:
    """Channels (c, y, x) float32 of an image (y, x), which may be a part of that of a field.

    Its greys and the logarithm of the usual diameter; with `told` then the blur; with `sharpened` what Wiener's filter
    makes of it with the known kernel, from sharp and noisy to smooth.

    known : `greys.Greys` of the whole image;  field : `items.Field`
    """
    scaled = (image - np.float32(known.low)) / np.float32(known.range)
    found = [scaled, np.log(field.diameter_px / USUAL_PX)]
    if told:
        found.append(field.blur_px / BLURRED_PX)
    if sharpened:
        found += [wiener(scaled, field.blur_px, factor * known.noise / known.range) for factor in SHARPENED]
    out = np.empty((len(found), *image.shape), np.float32)
    for whole, one in zip(out, found):
        whole[...] = one
    return out


def number(told, sharpened) -> int:
    """Number of those channels."""
    return 2 + told + sharpened * len(SHARPENED)


def reach(field, sharpened) -> int:
    """Pixels around a place beyond which the channels there hardly depend on the image."""
    return around(field.blur_px) if sharpened else 0
