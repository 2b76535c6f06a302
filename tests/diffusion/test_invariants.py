"""What `ours` is given of a frame: complete as far as it goes, and blind to what the problem is blind to."""

import numpy as np
import pytest

from blurbench.diffusion.hermite_moments import (
    COLUMNS,
    FRAME_FEATURES,
    PAIRS,
    STACK_FEATURES,
    features,
    hermite_moments,
)
from blurbench.diffusion.invariants import COUNT, invariants, moments
from blurbench.diffusion.simulate import imaging, render
from blurbench.diffusion.summaries import summaries
from blurbench.files.datasets import Dataset
from blurbench.microscopy.random_streams import key

SIZE, HALF = 17, 8
SCALES = np.array([1.5, 2.5])


def turned(images, element):
    """Images under one of the eight symmetries of the square."""
    images = images[..., ::-1, :] if element & 1 else images
    images = images[..., ::-1] if element & 2 else images
    return np.ascontiguousarray(np.swapaxes(images, -1, -2) if element & 4 else images)


def turned_places(places, element):
    """Places (..., 2), from the centre of the field."""
    places = places * [-1 if element & 1 else 1, -1 if element & 2 else 1]
    return places[..., ::-1] if element & 4 else places


def stack(rng, frames=7):
    """A stack of no molecule in particular: photons, and positions that have nothing to do with them."""
    return rng.exponential(1.0, (frames, SIZE, SIZE)).astype(np.float32), rng.normal(0, 1.5, (frames, 2))


def frames_of(photons, places, found):
    """As `features` has them: positions, photons, error, found and moments, (1, t, FRAME_FEATURES)."""
    at = hermite_moments(photons, np.full((len(photons), 2), SIZE / 2), HALF, SCALES, 1.0)[:, :, COLUMNS]
    own = np.column_stack([places, np.zeros((len(places), 2)), found, at.reshape(len(photons), -1)])
    assert own.shape[1] == FRAME_FEATURES
    return own[None]


@pytest.mark.parametrize("element", range(8))
@pytest.mark.parametrize("backwards", [False, True])
def test_invariants_do_not_change_with_the_symmetries_of_the_problem(element, backwards):
    """Turned, mirrored, backwards in time: exactly, but for float32 and the order of sums."""
    rng = np.random.default_rng(1)
    photons, places = stack(rng)
    found = np.array([1, 1, 0, 1, 1, 1, 1])
    x = frames_of(photons, places, found)
    y = frames_of(turned(photons, element), turned_places(places, element), found)
    present = np.ones((1, 7), bool)
    order = slice(None, None, -1 if backwards else 1)
    plain, other = invariants(x, present), invariants(y[:, order], present)[:, order]
    assert plain.shape == (1, 7, COUNT) and other == pytest.approx(plain, abs=1e-4)
    whole = np.zeros((1, STACK_FEATURES), np.float32)
    assert summaries(y[:, order], whole, present) == pytest.approx(summaries(x, whole, present), abs=1e-9)


def test_moments_turn_with_the_power_of_their_angular_order():
    """A photon at the angle φ: a moment of angular order m is exp(imφ) times that of one at angle 0.

    Moments are taken at a point of the plane, as of an infinitely fine pixel, so that any angle will do.
    """

    def of_photon(angle):
        z = 1.3 * np.array([np.cos(angle), np.sin(angle)])
        he = [np.polynomial.hermite_e.hermeval(z, np.eye(6)[m]) for m in range(6)]
        factorial = np.cumprod([1.0, 1, 2, 3, 4, 5])
        h = np.array(he) / np.sqrt(factorial)[:, None]
        row = [h[m, 0] * h[n, 1] for m, n in PAIRS]
        return moments(np.array([0.0] * 5 + row + row), 0)

    plain, other = of_photon(0.0), of_photon(0.7)
    for (order, angular), value in plain.items():
        assert other[order, angular] == pytest.approx(value * np.exp(0.7j * angular), abs=1e-12)
        assert abs(value) > 1e-3 or angular == 0


def test_what_is_learned_does_not_change_with_the_image():
    """The whole way, from images to what the network is given. Tolerance: where the fit stops (1e-3 px)."""
    spec = {"imaging": imaging({"frames": 6, "size_px": 32}), "D_um2_s": [0.05, 20]}
    D = np.geomspace(0.1, 10, 6)
    images, positions, items = render(D, spec["imaging"], key("invariants"))

    def given(images):
        moments, whole, present = features(Dataset({"spec": spec, "problem": "diffusion"}, images, items, {}))
        return invariants(moments, present), summaries(moments, whole, present)

    plain, other = given(images), given(turned(images, 5)[:, ::-1].copy())
    assert other[0][:, ::-1] == pytest.approx(plain[0], abs=0.05)
    assert other[1] == pytest.approx(plain[1], abs=0.02)


def test_padding_frames_change_no_invariant():
    rng = np.random.default_rng(2)
    x = frames_of(*stack(rng), np.ones(7))
    longer = np.pad(x, ((0, 0), (0, 3), (0, 0)))
    present = np.arange(10)[None] < 7
    found = invariants(longer, present)
    assert found[:, :7] == pytest.approx(invariants(x, present[:, :7]), abs=1e-6) and not found[:, 7:].any()
