"""What networks are given of an image: its greys on one scale, the blur undone, what is known of its cells and blur."""

import numpy as np

from blurbench.segmentation.deconvolution import around, wiener

SHARPENED = (1.0, 5.0, 25.0)  # noises that Wiener's filter expects, in those that the image has: sharp to smooth
USUAL_PX, BLURRED_PX = 40.0, 24.0  # diameters of a cell and of a kernel that are 0 and 1 to a network


def planes(image, known, blur_px, sharpened) -> np.ndarray:
    """Planes (c, y, x) float32 of an image (y, x), which may be a part of a larger one.

    Its greys; with `sharpened` then what Wiener's filter makes of it with the known kernel, from sharp and noisy to
    smooth.

    known : `greys.Greys` of the whole image
    """
    scaled = (image - np.float32(known.low)) / np.float32(known.range)
    noises = [factor * known.noise / known.range for factor in SHARPENED] if sharpened else []
    return np.stack([scaled, *(wiener(scaled, blur_px, noise) for noise in noises)], dtype=np.float32)


def numbers(field, told) -> np.ndarray:
    """What is known of a field (`items.Field`), float32: the logarithm of the usual diameter, with `told` the blur."""
    blur = [field.blur_px / BLURRED_PX] if told else []
    return np.array([np.log(field.diameter_px / USUAL_PX), *blur], np.float32)


def reach(blur_px, sharpened) -> int:
    """Pixels around a place beyond which the planes there hardly depend on the image."""
    return around(blur_px) if sharpened else 0
