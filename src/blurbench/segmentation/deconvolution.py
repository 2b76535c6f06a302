"""Wiener's filter with the known kernel."""

import numpy as np
from scipy import fft

from blurbench.segmentation.greys import greys
from blurbench.segmentation.optics import kernel

AROUND = 3.0  # blur diameters beyond which what it gives hardly depends on the image


def wiener(image, blur_px, noise) -> np.ndarray:
    """What was there before the blur, float32 (y, x), of least square error where all frequencies are equally strong.

    Parameters
    ----------
    image : (y, x); mirrored beyond its border, as the blur sees it, so that cosines are what it leaves in shape
    blur_px : diameter of the Gaussian kernel
    noise : SD of the noise over that of the image before the blur
    """
    image = np.asarray(image, np.float32)
    if blur_px <= 1:
        return image
    passed = transfer(blur_px, image.shape)
    return fft.idctn(fft.dctn(image) * (passed / (np.square(passed) + np.float32(noise**2))))


def sharpened(field, noise) -> np.ndarray:
    """An image (`items.Field`) above its background with its blur undone, float32 (y, x).

    noise : that the filter expects, in those that the image has
    """
    of = greys(field.image)
    return wiener(field.image - of.low, field.blur_px, noise * of.noise / of.range)


def around(blur_px) -> int:
    """Pixels around a part of an image that its deconvolution must see."""
    return int(np.ceil(AROUND * blur_px)) if blur_px > 1 else 0


def transfer(blur_px, shape) -> np.ndarray:
    """What the blur leaves of each cosine of an image of that shape, as `dctn` orders them, (y, x) float32."""
    y, x = (_transfer(kernel(blur_px), n) for n in shape)
    return np.outer(y, x).astype(np.float32)


def _transfer(kernel, n):
    place = np.arange(len(kernel)) - len(kernel) // 2
    return np.cos(np.pi / n * np.outer(np.arange(n), place)) @ kernel
