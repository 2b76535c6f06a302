"""Classical methods of fusion: against closed forms, conservation laws and themselves in tiles."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import fft, ndimage
from skimage.restoration import denoise_tv_chambolle

from blurbench.fusion import flat_fielding, restoration, tuning
from blurbench.fusion.denoising import ITERATIONS, total_variation
from blurbench.fusion.features import features, whole
from blurbench.fusion.items import CHANNELS, View
from blurbench.fusion.optics import Optics, axial_sigma, blur
from blurbench.fusion.wiener import noise_share, wiener

OPTICS = Optics((1.0, 0.4, 0.4), (2.0, 0.3, 0.3), 4.0, 12.0, 60.0)
NARROW = OPTICS._replace(sigma_um=(0.5, 0.2, 0.2))


def scene(shape, seed=1, cells=60):
    """Balls of some µm at random places, photons."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, OPTICS.spacing_um)), indexing="ij"), -1)
    volume = np.full(shape, 10.0)
    for centre in rng.uniform(0, grid[-1, -1, -1], (cells, 3)):
        volume[((grid - centre) ** 2).sum(-1) < 3**2] = 200 * rng.uniform(0.7, 1.3)
    return ndimage.gaussian_filter(volume, 0.7).astype(np.float32)


def light_left(shape, x_um=30.0, z_um=60.0):
    z, _, x = (a * s for a, s in zip(np.ogrid[tuple(slice(n) for n in shape)], OPTICS.spacing_um))
    return np.broadcast_to(np.exp(-x / x_um - z / z_um), shape).astype(np.float32)


def as_view(photons, optics=OPTICS):
    return View(photons, optics, 2.0, "nuclei", np.empty((0, *photons.shape), np.float32), ())


def test_richardson_lucy_keeps_the_light_and_becomes_more_likely():
    truth = scene((16, 40, 44))
    photons = np.random.default_rng(0).poisson(blur(truth, OPTICS)).astype(np.float32)
    likelihoods = []
    for iterations in (1, 3, 10):
        estimate = restoration.richardson_lucy(photons, OPTICS, iterations)
        expected = blur(estimate, OPTICS)
        # Its update gives back the light of the view (Shepp & Vardi 1982); float32 sums of 10⁵ voxels.
        np.testing.assert_allclose(estimate.sum(), np.maximum(photons, restoration.FLOOR).sum(), rtol=1e-4)
        likelihoods.append((photons * np.log(expected) - expected).sum())
    assert likelihoods[0] < likelihoods[1] < likelihoods[2]


def test_richardson_lucy_undoes_the_blur():
    truth = scene((16, 40, 44))
    blurred = blur(truth, OPTICS)
    errors = [np.sqrt(np.mean((e - truth) ** 2)) for e in (blurred, restoration.richardson_lucy(blurred, OPTICS, 50))]
    assert errors[1] < errors[0] / 2


@pytest.mark.parametrize("weight, before_px, iterations", [(0.0, 0.8, 8), (0.8, 0.0, 4)])
def test_tiles_give_what_the_whole_gives(weight, before_px, iterations):
    view = as_view(np.random.default_rng(0).poisson(blur(scene((20, 100, 130)), OPTICS)).astype(np.float32))
    setting = {"iterations": iterations, "before_px": before_px, "after_px": 0.5, "weight": weight}
    whole = restoration.sharpened(view, **setting)
    tiled = restoration.tiled(lambda part, box: restoration.sharpened(part, **setting), view, side=40)
    assert np.abs(tiled - whole).max() < 1e-3 * whole.max()  # the bar of the problem


def test_a_part_is_seen_by_its_own_optics():
    view = as_view(scene((8, 20, 30)))
    part = restoration.part(view, ((0, 8), (3, 9), (10, 30)))
    np.testing.assert_array_equal(part.photons, view.photons[:, 3:9, 10:])
    whole, own = (axial_sigma(v.optics, np.arange(v.photons.shape[2]) * 0.4) for v in (view, part))
    np.testing.assert_allclose(own, whole[10:])


def test_flat_field_finds_the_absorption():
    shape = (32, 96, 160)
    truth, left = scene(shape, cells=150), light_left(shape)
    photons = np.random.default_rng(0).poisson(blur(truth * left, NARROW)).astype(np.float32)
    found = flat_fielding.fit(photons, OPTICS.spacing_um, degree=1).on(tuple((0, n) for n in shape))
    slopes = [np.diff(np.log(v)[4:-4, 40, 4:-4], axis=a).mean() for v in (found, left) for a in (0, 1)]
    # 150 cells whose brightness is uniform within 30 % say the logarithm's slope to some 5 % of the whole fall.
    assert slopes[:2] == pytest.approx(slopes[2:], rel=0.25)
    twice = flat_fielding.fit(2 * photons, OPTICS.spacing_um, degree=1).on(tuple((0, n) for n in shape))
    np.testing.assert_allclose(twice, found, rtol=1e-4)  # brightness has no say
    with pytest.raises(ValueError, match="as bright everywhere"):
        flat_fielding.fit(np.full(shape, 7, np.float32), OPTICS.spacing_um)


def test_a_flat_field_is_linear_between_blocks_and_the_same_in_a_part():
    z, y, x = np.meshgrid(np.arange(4), np.arange(5), np.arange(6), indexing="ij")
    field = flat_fielding.FlatField((-0.1 * z - 0.02 * y - 0.05 * x).astype(np.float32), np.array([2, 3, 4]))
    whole = field.on(((0, 8), (0, 15), (0, 24)))
    at = [(np.arange(n) + 0.5) / b - 0.5 for n, b in zip(whole.shape, field.block)]
    expected = np.add.outer(np.add.outer(-0.1 * at[0], -0.02 * at[1]), -0.05 * at[2])
    inner = (slice(1, -1), slice(2, -2), slice(2, -2))  # beyond the outermost centres it stays as it is there
    np.testing.assert_allclose(np.log(whole[inner]), expected[inner], atol=1e-5)
    np.testing.assert_array_equal(field.on(((1, 5), (3, 9), (10, 24))), whole[1:5, 3:9, 10:24])
    np.testing.assert_allclose(flat_fielding.divided(whole, field), 1, rtol=1e-6)


def test_block_means():
    volume = np.arange(4 * 5 * 7, dtype=np.float32).reshape(4, 5, 7)
    means = flat_fielding.block_means(volume, (2, 2, 3))
    assert means.shape == (2, 3, 3)
    assert means[0, 0, 0] == volume[:2, :2, :3].mean() and means[1, 2, 2] == volume[2:, 4:, 6:].mean()


def test_wiener_passes_each_wave_as_its_formula_says():
    shape, even = (12, 20, 16), OPTICS._replace(rayleigh_um=1e9)
    sigma = axial_sigma(even, 0.0), *even.sigma_um[1:]
    q = [np.pi * np.arange(n) / n / s for n, s in zip(shape, OPTICS.spacing_um)]
    qz, qy, qx = np.meshgrid(*q, indexing="ij")
    power = (1 + (qz**2 + qy**2 + qx**2) * 1.5**2) ** -2.0
    for mode in ((0, 0, 0), (2, 0, 0), (1, 3, 2)):
        spectrum = np.zeros(shape)
        spectrum[mode] = 1.0
        wave = fft.idctn(spectrum, norm="ortho").astype(np.float32)
        transfer = np.exp(-0.5 * sum((k[m] * s) ** 2 for k, m, s in zip(q, mode, sigma)))
        expected = transfer / (transfer**2 + 0.1 * power.mean() / power[mode])
        np.testing.assert_allclose(wiener(wave, even, 1.5, 0.1), expected * wave, atol=1e-5)


def test_noise_share():
    """Of a known signal of variance 100 under Poisson noise of mean 50."""
    rng = np.random.default_rng(3)
    mean = 50 + 10 * rng.choice([-1, 1], 40**3)
    photons = rng.poisson(mean).astype(np.float32).reshape(40, 40, 40)
    assert noise_share(photons) == pytest.approx(50 / 150, rel=0.03)  # relative SD of a variance of 64,000: 0.6 %


def test_denoising_is_even_in_dark_places_and_bright_ones():
    """By Anscombe's root the noise of flat light falls by the same factor whatever its mean."""
    rng = np.random.default_rng(4)
    noise = [(total_variation(rng.poisson(mean, (12, 40, 40)), 0.5) / np.sqrt(mean)).std() for mean in (50, 1000)]
    assert noise[0] == pytest.approx(noise[1], rel=0.1)  # what is left of the noise's skewness counts for some per cent
    assert noise[0] < 0.5


@pytest.mark.parametrize("planes", [0, 1])
@pytest.mark.parametrize("shape", [(6, 17, 23), (1, 9, 8), (5, 1, 4)])
def test_denoising_is_that_of_scikit_image(shape, planes):
    photons = np.random.default_rng(5).poisson(30, shape).astype(np.float32)
    even = 2 * np.sqrt(photons + np.float32(3 / 8))
    settings = {"eps": 0, "max_num_iter": ITERATIONS, "channel_axis": 0 if planes else None}
    expected = np.square(denoise_tv_chambolle(even, 0.8, **settings) / 2) - np.float32(3 / 8)
    np.testing.assert_array_equal(total_variation(photons, 0.8, planes), expected)


def test_settings_are_chosen_for_the_channel_and_the_brightness(monkeypatch):
    """The method is right at one width for dim views and at another for bright ones: those are found."""
    flat = [as_view(np.full((8, 16, 16), photons, np.float32)) for photons in (8, 10, 900, 1000)]
    views = [view._replace(channel=channel) for channel in CHANNELS for view in flat]
    right = {("nuclei", 3): 1.0, ("nuclei", 10): 3.0, ("membranes", 3): 2.0, ("membranes", 10): 4.0}

    class Narrowed(tuning.Tuned):
        grid = {"width": (4.0, 1.0, 2.0, 3.0)}

        def restore(self, view, width):
            return -abs(width - right[view.channel, 3 if view.photons.max() < 100 else 10])

    truth = SimpleNamespace(density=None)
    monkeypatch.setattr(tuning, "read", lambda dataset, i, wanted: views[i]._replace(truth=truth))
    monkeypatch.setattr(tuning, "comparison", lambda density, photons: lambda found: found)
    model, curve = tuning.choose(views, Narrowed())
    found = {(s["channel"], s["octave"]): s["setting"]["width"] for s in model["settings"]}
    assert {key: found[key] for key in right} == right
    assert np.isfinite(curve.to_numpy()).all() and len(curve) > 4
    assert tuning.chosen(model, views[-1]) == {"width": 4.0}
    assert tuning.octave(views[0]) == 3


class Told(tuning.Tuned):
    """Answers the two numbers of its setting, one of them from what was prepared with it."""

    grid, ahead = {"tens": (20.0, 10.0, 30.0), "ones": (2.0, 1.0, 3.0)}, 1

    def __init__(self):
        self.prepared = []

    def prepare(self, view, tens):
        self.prepared.append(tens)
        return tens

    def restore(self, prepared, ones):
        return prepared + ones


def test_settings_are_chosen_for_the_target_that_is_asked_for(monkeypatch):
    view, truth = as_view(np.full((8, 16, 16), 100, np.float32)), SimpleNamespace(density=11.0, fused=33.0)
    monkeypatch.setattr(tuning, "read", lambda dataset, i, wanted: view._replace(truth=truth))
    monkeypatch.setattr(tuning, "comparison", lambda target, photons: lambda found: -abs(found - target))
    for target, expected in (("density", {"tens": 10.0, "ones": 1.0}), ("fused", {"tens": 30.0, "ones": 3.0})):
        method = Told()
        method.target = target
        model, curve = tuning.choose([view], method)
        assert [one["setting"] for one in model["settings"]] == [expected]
        assert len(method.prepared) < len(curve)  # once for settings that differ in the rest
        assert method.restored(view, 10.0, 3.0) == 13.0


def test_features_of_a_part_are_those_of_the_whole():
    photons = np.random.default_rng(0).poisson(blur(scene((20, 60, 130)) * light_left((20, 60, 130)), OPTICS))
    view = as_view(photons.astype(np.float32))
    known, box = whole(view), ((0, 20), (0, 60), (40, 130))
    everywhere = np.stack(np.broadcast_arrays(*features(view, ((0, 20), (0, 60), (0, 130)), known)))[..., 64:]
    of_part = np.stack(np.broadcast_arrays(*features(restoration.part(view, box), box, known)))[..., 24:]
    assert np.abs(of_part - everywhere).max() < 1e-3 * max(1.0, np.abs(everywhere).max())


def test_weighted_median():
    assert tuning._median([3.0, 1.0, 2.0], np.array([1.0, 1.0, 1.0])) == 2
    assert tuning._median([3.0, 1.0, 2.0], np.array([5.0, 1.0, 1.0])) == 3
    assert tuning._median([np.nan, 1.0, 2.0], np.array([1.0, 1.0, 1.0])) == 1
