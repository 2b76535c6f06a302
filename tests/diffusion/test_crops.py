"""The crops that networks read: about the molecule, wherever that is, and nothing made up beside the field."""

import numpy as np
import pytest

from blurbench.diffusion import crops, network_inputs
from blurbench.diffusion.items import stacks
from blurbench.diffusion.localise import localise
from blurbench.diffusion.simulate import imaging, render
from blurbench.files.datasets import Dataset
from blurbench.microscopy.random_streams import key

SIZE, SIDE = 64, 24


def dataset(n=8, slowest=0.1, fastest=5, **changes):
    drawn = {"frames": [5, 8], "size_px": SIZE, "background": [1, 4]}
    spec = {"imaging": imaging({**drawn, **changes}), "D_um2_s": [0.05, 20]}
    D = np.geomspace(slowest, fastest, n)
    images, positions, items = render(D, spec["imaging"], key("crops"))
    return Dataset({"spec": spec, "problem": "diffusion"}, images, items, {"positions": positions, "D": D})


def shifted(given, down, right):
    """The same stacks with the molecule elsewhere: every image turned round by whole pixels."""
    images = np.roll(given.images[:], (down, right), axis=(-2, -1))
    return Dataset(given.attrs, images, given.items, given.truth)


@pytest.mark.parametrize("down, right", [(3, 0), (-7, 5), (12, -11)])
def test_a_crop_follows_the_molecule(down, right):
    """Exactly, as long as the crop and what the spot is looked for with stay inside the field."""
    given = dataset()
    x, present = network_inputs.frames(given, SIDE)
    y, _ = network_inputs.frames(shifted(given, down, right), SIDE)
    assert x.shape == (8, 8, SIDE, SIDE) and (present.sum(axis=1) == given.items["frames"]).all()
    assert (x == y).all() and not x[~present].any()


def test_a_crop_is_about_the_median_found_position():
    given = dataset(20, photons=300)
    corners = crops.corners(given.images[:], given.items, given.spec, SIDE)
    for corner, stack in zip(corners, stacks(given)):
        median = np.nanmedian(localise(stack).positions, axis=0) / stack.pixel_um + SIZE / 2
        # A pixel between the two middle ones of an even number, one for the brightest pixel beside the fitted centre.
        assert np.abs(corner + SIDE / 2 - median).max() <= 2


def test_beyond_the_field_there_is_its_background():
    given = shifted(dataset(3, slowest=0.01, fastest=0.1), SIZE // 2 - 3, 2 - SIZE // 2)  # to the lower left
    whole, present = network_inputs.frames(given, 0)
    x, _ = network_inputs.frames(given, SIDE)
    for one, of_field, (down, right) in zip(x, whole, crops.corners(given.images[:], given.items, given.spec, SIDE)):
        assert down + SIDE > SIZE and right < 0
        assert (one[:, : SIZE - down, -right:] == of_field[:, down:, : right + SIDE]).all()
        assert not one[:, SIZE - down :].any() and not one[:, :, :-right].any()
    assert abs(whole[present].astype(float).mean() - 100 / SIZE**2 / 2) < 0.02  # the spot alone is left


@pytest.mark.parametrize("asked, side", [(0, SIZE), (SIDE, SIDE), (SIZE, SIZE), (100, SIZE)])
def test_a_field_no_larger_than_a_crop_is_read_whole(asked, side):
    given = dataset(2)
    assert crops.side(given.spec, asked) == network_inputs.frames(given, asked)[0].shape[-1] == side
    if side == SIZE:
        assert (network_inputs.frames(given, asked)[0] == network_inputs.frames(given, 0)[0]).all()
