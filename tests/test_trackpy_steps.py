"""trackpy's `locate` in steps against trackpy's own."""

import warnings

import numpy as np
import pytest
import trackpy

from blurbench.microscopy import trackpy_steps


@pytest.mark.parametrize("shape, diameter", [((64, 48), (7, 7)), ((24, 32, 32), (9, 7, 7))])
@pytest.mark.parametrize("separation", [None, 4.5])
def test_features_of_every_percentile_are_those_of_trackpy(shape, diameter, separation):
    noise = np.random.default_rng(0).poisson(20, shape)
    for image in (noise.astype(np.uint16), noise - 20.0, np.zeros(shape, np.uint16)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an image without a feature
            smooth = trackpy_steps.smoothed(image, diameter, 1.0)
            located = list(trackpy_steps.locate(smooth, separation, (64, 20)))
            for percentile, found in zip((64, 20), located, strict=True):
                given = {"separation": separation, "percentile": percentile, "characterize": False, "engine": "numba"}
                wanted = trackpy.locate(image, diameter, noise_size=1.0, **given)
                np.testing.assert_array_equal(found, wanted.to_numpy(float).reshape(found.shape))
