"""Blur: a square Gaussian kernel of diameter F whose SD is a quarter of it, as BBBC005 states its levels."""

import numpy as np
from scipy.ndimage import correlate1d

SD = 0.25  # of the kernel, over its diameter


def kernel(diameter_px: float) -> np.ndarray:
    """Weights along one axis, float32, that sum to 1; the kernel is their outer product.

    They lie on whole pixels within half a diameter of the middle, so that no diameter, even or odd, moves the image.
    """
    reach = int(diameter_px / 2)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (SD * diameter_px)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def blurred(image: np.ndarray, diameter_px: float) -> np.ndarray:
    """An image (y, x) float32 under the blur of a diameter in px; 1 is none. It is mirrored beyond its edges."""
    weights = kernel(diameter_px)
    for axis in (0, 1) if len(weights) > 1 else ():
        image = correlate1d(image, weights, axis)
    return image
