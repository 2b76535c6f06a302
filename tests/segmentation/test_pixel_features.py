"""Features of pixels: those of scikit-image, to the last bit."""

import numpy as np
import pytest
from skimage.feature import multiscale_basic_features

from blurbench.segmentation.items import Field
from blurbench.segmentation.pixel_features import SCALES, SHARP, features


def filters(plane, scales):
    return multiscale_basic_features(plane, sigma_min=scales[0], sigma_max=scales[-1], workers=1)


@pytest.mark.parametrize("shape", [(48, 37), (2, 9)])
def test_features_are_those_of_scikit_image(shape):
    planes = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    found = features(planes, Field(planes[0], "cells", 4.0, 20.0), filtered=True)
    expected = [filters(planes[0], SCALES), *planes[1:, ..., None], *(filters(plane, SHARP) for plane in planes[1:])]
    np.testing.assert_array_equal(found[..., :-2], np.concatenate(expected, axis=-1))
    assert np.unique(found[..., -2:].reshape(-1, 2), axis=0).tolist() == [[4, 20]]
