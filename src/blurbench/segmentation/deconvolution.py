"""Wiener's filter and Richardson and Lucy's iterations with the known kernel."""

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

from blurbench.segmentation.greys import greys
from blurbench.segmentation.optics import kernel

AROUND = 3.0  # blur diameters beyond which what it gives hardly depends on the image
ITERATIONS = 14  # accelerated: worth three times as many plain ones; more would sharpen the noise
FLOOR = 0.02  # light, over the range of greys, that is added everywhere: a background of 0 would stay 0
FASTEST = 0.95  # of the last step that is gone on with, at most


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


def richardson_lucy(light, blur_px) -> np.ndarray:
    """What was there before the blur (Richardson 1972; Lucy 1974), not negative, float32 (y, x).

    Each iteration goes on from where the last two point (Biggs and Andrews 1997, Appl. Opt. 36:1766). Unlike in
    `blurbench.microscopy.deconvolution` all images are mirrored and under a Gaussian, so that cosines pass the blur.

    Parameters
    ----------
    light : (y, x), above the background and over the range of greys; mirrored beyond its border
    blur_px : diameter of the Gaussian kernel
    """
    observed = np.maximum(light, 0) + np.float32(FLOOR)
    if blur_px <= 1:
        return observed
    passed, least = transfer(blur_px, observed.shape), np.float32(FLOOR / 100)

    def blur(plane):
        return fft.idctn(fft.dctn(plane) * passed)

    estimate = before = gaussian_filter(observed, 1)
    step = last = np.zeros_like(observed)
    for _ in range(ITERATIONS):
        pace = np.clip(np.vdot(step, last) / max(np.vdot(last, last), least), 0, FASTEST)
        ahead = np.maximum(estimate + np.float32(pace) * (estimate - before), least)
        found = ahead * np.maximum(blur(observed / np.maximum(blur(ahead), least)), 0)
        step, last, before, estimate = found - ahead, step, estimate, found
    return estimate


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
