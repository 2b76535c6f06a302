"""Grey values of the detector that counts photons; those of the diffusion camera are tested with its frames."""

import numpy as np
import pytest
from sampling import deviate

from blurbench.microscopy.camera import detect
from blurbench.microscopy.random_streams import stream


@pytest.mark.parametrize("photons, read_noise", [(0.0, 4.0), (0.7, 0.0), (60.0, 3.0), (5000.0, 20.0)])
def test_mean_and_variance_of_grey_values(photons, read_noise):
    n, offset = 400_000, 200.0
    image = detect(stream(1, 2, 3), np.full((n, 1, 1), photons, np.float32), read_noise, offset).ravel().astype(float)
    variance = photons + read_noise**2 + (1 / 12 if read_noise else 0)  # Poisson numbers are whole already
    fourth = photons + 3 * variance**2
    deviate(image.mean(), offset + photons, np.sqrt(variance / n))
    deviate(image.var(), variance, np.sqrt((fourth - variance**2) / n))


@pytest.mark.parametrize("shape", [(7,), (4, 5), (2, 3, 4)])
def test_images_of_any_number_of_axes(shape):
    photons = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    image = detect(stream(1, 2, 3), photons, 0.0, 100.0)
    assert image.shape == shape and image.dtype == np.uint16
    assert np.array_equal(image.ravel(), detect(stream(1, 2, 3), photons.ravel(), 0.0, 100.0))


def test_grey_values_are_cut_at_the_ends_of_their_scale():
    photons = np.array([0, 1e6], np.float32)
    assert detect(stream(1, 2, 3), photons, 0.0, -5.0).tolist() == [0, 65535]
