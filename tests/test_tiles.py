"""Tiles: they cover an image once, and a network's answers in them are those to the whole image."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from blurbench.learning.tiles import tiles, widened, window
from blurbench.learning.unet import UNet

ALIGN = 8


@given(st.lists(st.integers(1, 70), min_size=1, max_size=3), st.integers(1, 40), st.integers(0, 30))
@settings(max_examples=50, deadline=None)
def test_tiles_cover_every_pixel_once(shape, side, margin):
    covered = np.zeros(shape, int)
    for tile in tiles(shape, side, margin, ALIGN):
        covered[window(tile.core)] += 1
        assert all(lo % ALIGN == 0 for lo, _ in tile.core)
        assert all(hi - lo <= max(side, ALIGN) for lo, hi in tile.core)
        for (lo, hi), (first, last), n in zip(tile.core, tile.read, shape):
            assert first == max(lo - margin, 0) and last == min(hi + margin, n)
    assert (covered == 1).all()


def test_many_tiles_tell_how_far_they_are(capsys):
    for side, told in ((64, False), (8, True)):
        assert len(list(tiles((64, 64), side, 4, ALIGN))) == (64 // side) ** 2
        assert ("tiles" in capsys.readouterr().err) is told


@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 20), st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_a_window_in_a_window_is_that_of_the_image(shape, side, margin):
    image = np.arange(np.prod(shape)).reshape(shape)
    for tile in tiles(shape, side, margin, ALIGN):
        source = widened(tile.read, 3, shape)
        assert np.array_equal(image[window(source)][window(tile.read, source)], image[window(tile.read)])
        assert np.array_equal(image[window(tile.read)][window(tile.core, tile.read)], image[window(tile.core)])


def test_every_pixel_has_one_owner():
    shape = (20, 33)
    pixels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)
    owners = sum(tile.owns(pixels).astype(int) for tile in tiles(shape, 16, 4, ALIGN))
    assert (owners == 1).all()


@pytest.mark.parametrize("shape", [(128, 112), (64, 56, 72)], ids=["image", "volume"])
def test_tiles_leave_no_seams(shape):
    """U-Nets of two levels: a pixel sees eight others to either side, and one more through the halving."""
    torch.manual_seed(0)
    network = UNet(len(shape), 1, 4, 1, levels=2).eval()
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def answer(part):
        with torch.inference_mode():
            return network(torch.from_numpy(part.copy())[None, None])[0, 0].numpy()

    whole, stitched, number = answer(image), np.full(shape, np.nan, np.float32), 0
    for tile in tiles(shape, 32, 16, ALIGN):
        stitched[window(tile.core)] = answer(image[window(tile.read)])[window(tile.core, tile.read)]
        number += 1
    assert number > 4
    np.testing.assert_allclose(stitched, whole, atol=1e-5)
