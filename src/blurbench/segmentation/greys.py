"""The greys of an image as a whole: its background, its brightest objects, its noise."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import convolve
from skimage.measure import block_reduce

BLOCK = 4  # pixels, over whose means single hot pixels and noise hardly count
LOW, HIGH = 0.01, 0.999  # quantiles of the blocks: fields may be full of cells, or hold a single one
ROUNDING = 12**-0.5  # SD of a grey level that is rounded
CONTRAST = 10.0  # noise SDs that the range of greys counts as at least, so that an empty field stays dark
MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)  # blind to what is smooth; its squares sum to 36
SAMPLE = 2048  # pixels on each side that tell an image's noise


class Greys(NamedTuple):
    """Of an image, in grey levels.

    low : of the background
    range : from there to the brightest objects, and no less than the noise makes likely
    noise : SD
    """

    low: float
    range: float
    noise: float


def greys(image) -> Greys:
    """Greys of an image (y, x)."""
    low, high = _quantiles(image, LOW, HIGH)
    noise = noise_sd(image[:SAMPLE, :SAMPLE])
    return Greys(low, max(high - low, CONTRAST * noise), noise)


def background(image) -> float:
    """`low` of the greys of an image (y, x)."""
    return _quantiles(image, LOW)[0]


def _quantiles(image, *shares):
    whole = tuple(slice(n // BLOCK * BLOCK or None) for n in image.shape)  # blocks, as what is missing would count as 0
    blocks = block_reduce(image[whole], BLOCK, np.mean)
    return [float(np.quantile(blocks, share)) for share in shares]


def noise_sd(image) -> float:
    """SD of the noise of an image (y, x), as far as pixels beside each other differ more than a smooth image's would.

    The median of what a mask sees that has no response to planes and paraboloids (Immerkær 1996, section 2), which
    edges hardly move; no less than what rounding to grey levels makes.
    """
    seen = np.abs(convolve(image.astype(np.float32), MASK, mode="reflect"))
    return max(float(np.median(seen)) / 0.6745 / 6, ROUNDING)
