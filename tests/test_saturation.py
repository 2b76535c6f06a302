"""Where the grey values of a movie end: at a ceiling, or as a tail does."""

import numpy as np
import pytest

from blurbench.microscopy.frames import Frames
from blurbench.microscopy.saturation import ceiling


def found(movie):
    alive = np.ptp(movie, axis=0) > 0
    return ceiling(Frames("m.tif", movie.shape, movie.dtype, lambda i: movie[i]), alive)


def spots(photons, gain=1.0, offset=100, frames=40, seed=0):
    """Spots of that many photons in their brightest pixel, and some that differ."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    shape = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 4) for a in (12, 32, 52) for b in (12, 32, 52))
    return gain * rng.poisson(2 + photons * shape, (frames, 64, 64)) + offset


@pytest.mark.parametrize("gain", [1.0, 2.3, 40.0])
@pytest.mark.parametrize("photons", [0, 1, 10, 100, 1000])
def test_a_tail_is_no_ceiling(photons, gain):
    for seed in range(3):
        assert found(np.rint(spots(photons, gain, seed=seed)).astype(np.uint16)) is None


@pytest.mark.parametrize("share", [0.95, 0.8, 0.3])
def test_the_ceiling_of_a_camera_of_12_bits_in_a_file_of_16(share):
    """Of spots whose brightest pixel would read 4095/share."""
    movie = np.minimum(spots(100, 3995 / share / 100), 4095)
    value, part = found(np.rint(movie).astype(np.uint16))
    alive = np.ptp(movie, axis=0) > 0
    assert value == 4095 and part == pytest.approx((movie[:, alive] == 4095).mean(), rel=1e-6)


@pytest.mark.parametrize("scale", [1 / 4095, 255 / 4095])
def test_the_ceiling_of_an_export(scale):
    movie = np.minimum(spots(100, 60), 4095) * scale
    movie = movie.astype(np.float32) if scale < 0.001 else np.rint(movie).astype(np.uint8)
    assert found(movie).value == pytest.approx(4095 * scale, rel=1e-6)


def test_hot_pixels_are_no_ceiling():
    movie = spots(100)
    movie[:, 5, 5] = 4095
    assert found(movie) is None


def test_a_movie_without_noise_has_no_ceiling():
    assert found(np.full((5, 8, 8), 7)) is None
