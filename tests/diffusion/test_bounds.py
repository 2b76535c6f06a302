"""Bounds as methods: their rows score what theory says of the `report` setting."""

import numpy as np
import pytest

from blurbench.diffusion.simulate import imaging, render
from blurbench.files.datasets import Dataset
from blurbench.microscopy.random_streams import key
from blurbench.running import methods

GRID = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10])
# Relative SD of D at 16 frames, 100 photons on a background of 2 and read noise 1, worked out by code of its own (facts
# of the project: fairness, section 3; three decimals).
BOUNDS = {
    "unknown": (0.441, 0.417, 0.400, 0.394, 0.390, 0.388, 0.388),
    "known": (0.343, 0.310, 0.283, 0.273, 0.268, 0.265, 0.264),
}


def answers(error):
    images, positions, items = render(np.tile(GRID, 2), imaging({}), key("bounds"))
    spec = {"imaging": imaging({}), "D_um2_s": [0.05, 20]}
    dataset = Dataset({"problem": "diffusion", "spec": spec}, images, items, {"positions": positions})
    frame = methods.load("diffusion", "cramer_rao", {"localisation_error": error}).predict(dataset, None, "cpu")
    return frame, np.log(frame["D"] / items["D"]).to_numpy().reshape(2, -1)


@pytest.mark.parametrize("error", BOUNDS)
def test_the_error_of_ln_D_is_the_bound(error):
    _, ln_D = answers(error)
    assert np.sqrt(np.mean(ln_D**2, axis=0)) == pytest.approx(BOUNDS[error], abs=6e-4)  # half a unit of the last digit
    assert ln_D.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert np.sqrt(np.mean(ln_D**2)) == pytest.approx({"unknown": 0.403, "known": 0.288}[error], abs=6e-4)


def test_the_bound_of_a_path_without_error_is_that_of_blurred_steps():
    _, ln_D = answers("none")
    assert np.ptp(np.sqrt(np.mean(ln_D**2, axis=0))) < 1e-12  # of no scale
    assert np.sqrt(np.mean(ln_D**2)) == pytest.approx(0.258, abs=1.1e-3)  # of a continuous path: R = 1/6, and not 0.165


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="localisation_error: found 'fitted'"):
        answers("fitted")
