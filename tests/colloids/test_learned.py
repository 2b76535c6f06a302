"""What the learned methods are taught, what they see of a volume, and that tiles leave no seams."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from blurbench.colloids import wiener
from blurbench.colloids.items import Volume
from blurbench.colloids.learned import ALIGN
from blurbench.colloids.network_inputs import NUMBERS
from blurbench.colloids.network_targets import exclusive, nearest, peaks
from blurbench.colloids.packing import hard_spheres
from blurbench.learning.tiles import window
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.running import methods
from blurbench.scoring.matching import match

LEARNED = ("ours", "unet3d", "attention_unet3d", "unet3d_seg")
GAUSSIAN = {"kind": "gaussian", "sigma_um": [0.2, 0.08, 0.08]}
SMALL = {"width": 8}


def scene(shape, phi=0.3, diameter=10.0, seed=0):
    """Centres (n, 3) in voxels of a packing in a volume, some of them outside."""
    side = tuple(np.array(shape) / diameter + 2)
    return hard_spheres(phi, side, 1.0, seed) * diameter - diameter


def volume(shape, noise=1.0, seed=0, size_um=0.5):
    """A blurred image of such a scene."""
    rng = np.random.default_rng(seed)
    psf = psf_on_voxels(GAUSSIAN, size_um / 10)
    centres = scene(shape, seed=seed)
    grid = np.zeros(shape, np.float32)
    for z, y, x in centres:
        d = np.sqrt(sum((g - c) ** 2 for g, c in zip(np.ogrid[tuple(map(slice, shape))], (z, y, x))))
        grid += np.clip(5.5 - d, 0, 1)
    from scipy.ndimage import gaussian_filter

    image = 20 * gaussian_filter(grid, psf.sigma) + rng.normal(0, noise, shape)
    return Volume(image.astype(np.float32), 10.0, psf, size_um / 10), centres


# Targets


@given(st.integers(0, 1000), st.sampled_from([1, 2]))
@settings(max_examples=20, deadline=None)
def test_every_cell_knows_its_nearest_centre(seed, stride):
    rng = np.random.default_rng(seed)
    centres, shape = rng.uniform(-3, 20, (6, 3)), (7, 8, 9)
    vectors = nearest(centres, shape, stride, 5.0)
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) * stride + (stride - 1) / 2
    away = centres - cells[..., None, :]
    distance = np.linalg.norm(away, axis=-1)
    expected = np.take_along_axis(away, distance.argmin(axis=-1)[..., None, None], axis=-2)[..., 0, :]
    expected[distance.min(axis=-1) >= 5.0] = np.nan
    np.testing.assert_allclose(np.moveaxis(vectors, 0, -1), expected, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_perfect_answer_gives_the_centres_back(stride):
    shape = (48, 48, 48)
    centres = scene(shape, phi=0.5)
    vectors = nearest(centres, tuple(n // stride for n in shape), stride, 5.0)
    square = np.nan_to_num((vectors**2).sum(axis=0), nan=1e3)
    found, confidence, cells = peaks(np.exp(-square / 4.5), np.nan_to_num(vectors), 10.0, stride, 0.3, 6.5)
    inside = centres[((centres > 1) & (centres < 46)).all(axis=1)]
    pairs = match(inside, found, 0.01)  # voxels: the votes are exact
    assert len(pairs) == len(inside)
    own = pairs[:, 1]
    assert (np.abs(cells * stride - found)[own] <= stride).all() and (confidence > 0.3).all()


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_surer_one_of_two_stays(seed):
    rng = np.random.default_rng(seed)
    points, sure = rng.uniform(0, 10, (40, 3)), rng.permutation(40) / 40
    kept = exclusive(points, sure, 2.0)
    near = np.linalg.norm(points[:, None] - points, axis=-1) < 2.0
    assert near[np.ix_(kept, kept)].sum() == len(kept)
    for i in np.setdiff1d(np.arange(40), kept):
        assert sure[kept][near[i, kept]].max() > sure[i]


# What a network sees


def test_contrast_has_no_scale_and_no_offset():
    one, _ = volume((32, 32, 32))
    values, share = wiener.normalised(one.photons)
    other, other_share = wiener.normalised(one.photons * 7 + 300)
    assert values.mean() == pytest.approx(0, abs=1e-5) and values.std() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(values, other, atol=1e-4)
    assert share == pytest.approx(other_share, rel=1e-3)


def test_the_share_of_noise_is_found():
    """Within a tenth: the median of 8,000 differences has an SE of 1 %, the spheres' edges add a little."""
    one, _ = volume((32, 64, 64), noise=3.0)
    _, share = wiener.normalised(one.photons)
    assert share == pytest.approx(9 / one.photons.var(), rel=0.1)


def test_wieners_estimate_peaks_at_the_centres():
    """A narrow PSF and little noise: 19 of 20 centres are the highest point of the estimate within a radius."""
    one, centres = volume((64, 64, 64), noise=0.5, size_um=1.0)
    values, share = wiener.normalised(one.photons)
    sharp = wiener.wiener(values, share, one.diameter, one.psf.sigma)[1]
    inside = centres[((centres > 6) & (centres < 57)).all(axis=1)]
    near = 0
    for c in np.rint(inside).astype(int):
        window = sharp[tuple(slice(i - 3, i + 4) for i in c)]
        near += np.abs(np.array(np.unravel_index(window.argmax(), window.shape)) - 3).max() <= 1
    assert near > 0.95 * len(inside)


def test_a_part_of_a_volume_gives_what_the_whole_gives():
    one, _ = volume((80, 72, 72))
    values, share = wiener.normalised(one.photons)
    whole = wiener.wiener(values, share, one.diameter, one.psf.sigma)
    part = wiener.wiener(values[:70], share, one.diameter, one.psf.sigma)
    reach = wiener.reach(one.diameter)
    np.testing.assert_allclose(part[:, : 70 - reach], whole[:, : 70 - reach], atol=1e-4)
    assert np.abs(part[:, 69] - whole[:, 69]).max() > 0.01, "nearer to the cut it may not, or the test says nothing"


def test_a_crop_shows_its_centres():
    """Under every symmetry the bright voxels of a crop lie at its centres."""
    method = methods.load("colloids", "unet3d", SMALL)
    shape = (64, 64, 64)
    centres = scene(shape, phi=0.1)
    image = np.zeros((1, *shape), np.float32)
    for c in np.rint(centres).astype(int):
        if ((c >= 0) & (c < 64)).all():
            image[(0, *c)] = 1
    for seed in range(20):
        x, _, vectors = method._crop(image, np.zeros(2), np.rint(centres), 10.0, np.random.default_rng(seed))
        assert x.shape[1:] == vectors.shape[1:] == (24, 24, 24)
        assert np.array_equal(x[0] == 1, (vectors**2).sum(axis=0) == 0)


# Tiles


@pytest.mark.parametrize("name", LEARNED)
def test_a_cell_sees_no_further_than_the_margin(name):
    torch.manual_seed(0)
    method = methods.load("colloids", name, SMALL)
    network = method.network().eval()
    side = 2 * method.margin + 16
    channels = method.channels - NUMBERS
    x = torch.randn(1, channels, 16, 16, side)
    other = x.clone()
    middle = side // 2 // ALIGN * ALIGN
    other[..., middle + method.margin :] += 1.0
    with torch.inference_mode():
        a, b = (network(one, torch.zeros(1, 2)) for one in (x, other))
    assert torch.equal(a[..., : middle // method.stride], b[..., : middle // method.stride])
    assert not torch.equal(a, b)


@pytest.mark.parametrize("name", LEARNED)
def test_tiles_leave_no_seams(name):
    """A volume in tiles gives the map of the whole volume, within 1e-3, well above rounding."""
    torch.manual_seed(1)
    one, _ = volume((64, 72, 72))
    whole, tiled = (methods.load("colloids", name, {**SMALL, "tile": tile}) for tile in (128, 32))
    network = whole.network().eval()
    cpu = torch.device("cpu")
    ((_, expected),) = whole.tiles(network, one, cpu)
    heat = np.full(expected.shape[1:], np.nan)
    for tile, answer in tiled.tiles(network, one, cpu):
        core, read = (tuple((lo // tiled.stride, -(-hi // tiled.stride)) for lo, hi in box) for box in tile)  # in cells
        heat[window(core)] = answer[(0, *window(core, read))]
    sigmoid = 1 / (1 + np.exp(-heat)), 1 / (1 + np.exp(-expected[0]))
    assert np.isfinite(heat).all() and np.abs(sigmoid[0] - sigmoid[1]).max() < 1e-3
    a, b = (m.find(network, one, 0.3, cpu)[0] for m in (whole, tiled))
    assert len(a) == len(b)


def test_the_mean_over_mirrors_turns_with_the_volume():
    """Eight mirror images: a mirrored volume then has the mirrored centres, to rounding."""
    torch.manual_seed(3)
    one, _ = volume((40, 40, 40))
    method = methods.load("colloids", "ours", {**SMALL, "mirrors": 8})
    network, cpu = method.network().eval(), torch.device("cpu")
    for axes in ((0,), (1, 2), (0, 1, 2)):
        other = one._replace(photons=np.ascontiguousarray(np.flip(one.photons, axes)))
        ((_, a),), ((_, b),) = (method.tiles(network, v, cpu) for v in (one, other))
        np.testing.assert_allclose(method.mirrored(a, axes), b, atol=2e-3)
    assert np.abs(a - b).max() > 0.01, "or the test says nothing"


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("shape", [(31, 45, 38), (16, 16, 50)])
def test_any_size_of_volume(name, shape):
    torch.manual_seed(2)
    one, _ = volume(shape)
    method = methods.load("colloids", name, SMALL)
    found, confidence = method.find(method.network().eval(), one, 0.3, torch.device("cpu"))
    assert found.shape == (len(confidence), 3)
    assert ((found > -10) & (found < np.array(shape) + 10)).all(), "a vote reaches no further than a diameter"
