"""Classical methods of the segmentation problem and what they are made of, the forest and the limits among them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import fft
from scipy.ndimage import gaussian_filter
from scipy.special import expit
from skimage.draw import disk
from skimage.filters import gaussian, threshold_local, threshold_otsu
from skimage.measure import label
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import log_loss

from blurbench.learning.tiles import window
from blurbench.learning.trees import leaves
from blurbench.segmentation import forest, tuning
from blurbench.segmentation.deconvolution import around, transfer, wiener
from blurbench.segmentation.greys import greys, noise_sd
from blurbench.segmentation.heights import bumps, distances
from blurbench.segmentation.items import Field
from blurbench.segmentation.methods import deconvolved_otsu, local_threshold, log_count, otsu, resolved
from blurbench.segmentation.methods.pixel_boosting import PixelBoosting
from blurbench.segmentation.optics import SD, blurred
from blurbench.segmentation.pixel_features import of_tiles
from blurbench.segmentation.score import instance_f1, pixel_f1
from blurbench.segmentation.watershed import by_distance, components

CENTRES = (40, 40), (40, 100), (100, 45), (105, 110)
RADIUS = 15


def discs(centres=CENTRES, shape=(150, 150), radius=RADIUS):
    """Label image of discs."""
    labels = np.zeros(shape, np.uint16)
    for number, centre in enumerate(centres, start=1):
        labels[disk(centre, radius, shape=shape)] = number
    return labels


def field(labels, blur_px=1.0, grey=140.0, background=1.0, noise=1.0):
    """What the camera sees of cells that are evenly bright."""
    image = blurred(np.where(labels > 0, grey, background).astype(np.float32), blur_px)
    image = image + np.random.default_rng(1).normal(0, noise, labels.shape).astype(np.float32)
    return Field(image, "nuclei", blur_px, 2.0 * RADIUS, labels, int(labels.max()))


@pytest.mark.parametrize("sd", [0.5, 2.0, 10.0])
def test_the_noise_of_a_smooth_image_is_found(sd):
    smooth = field(discs(), blur_px=14.0, noise=0).image
    found = noise_sd(smooth + np.random.default_rng(2).normal(0, sd, smooth.shape))
    assert found == pytest.approx(sd, rel=0.1)  # 1 % from 150 x 150 pixels, the rest from what is left of the discs


def test_greys_are_those_of_the_image_and_follow_it():
    image = field(discs()).image
    found, brighter = greys(image), greys(3 * image + 20)
    assert found.low == pytest.approx(1, abs=1) and found.low + found.range == pytest.approx(140, abs=2)
    np.testing.assert_allclose(brighter, [3 * found.low + 20, 3 * found.range, 3 * found.noise], rtol=1e-4)


def test_an_empty_field_stays_dark():
    noise = np.random.default_rng(3).normal(5, 1, (200, 200)).astype(np.float32)
    found = greys(noise)
    assert np.mean((noise - found.low) / found.range > 0.5) < 0.01  # 5 SD above the background


@pytest.mark.parametrize("blur_px", [7.0, 23.0, 48.0])
def test_wiener_undoes_the_blur_of_an_image_without_noise(blur_px):
    before = gaussian_filter(discs().astype(np.float32) > 0, 8.0, output=np.float32)  # what every blur lets pass
    after = blurred(before, blur_px)
    noise = 1e-3
    # The filter times the blur is 1 less noise^2 / (blur^2 + noise^2), which takes what the blur lets hardly pass.
    taken = noise**2 / (np.square(transfer(blur_px, before.shape)) + noise**2)
    lost = fft.idctn(fft.dctn(before) * taken)
    rounding = np.finfo(np.float32).eps / (2 * noise)  # of 1, as often as the filter amplifies it at most
    np.testing.assert_allclose(wiener(after, blur_px, noise), before - lost, atol=3 * rounding)
    assert np.abs(lost).max() < 0.01 < np.abs(after - before).max()


def test_wiener_of_a_part_is_that_of_the_whole():
    image, blur_px, noise = field(discs(), blur_px=14.0).image, 14.0, 0.02
    margin = around(blur_px)
    whole, part = wiener(image, blur_px, noise), wiener(image[:, : 60 + margin], blur_px, noise)
    # At most the filter amplifies by 1 / (2 noise). What it answers to a point falls by the pole that is nearest to the
    # real frequencies w: exp(-(w SD)^2) = -noise^2, so (w SD)^2 = -2 ln noise + i pi, and SD is a quarter of the blur.
    fall = np.sqrt(-2 * np.log(noise) + 1j * np.pi).imag / (SD * blur_px)
    bound = np.exp(-fall * margin) / (2 * noise)
    assert bound < 0.04  # of the contrast, where the margin ends: what a network makes of it hardly reaches a tile
    np.testing.assert_allclose(part[:, :60], whole[:, :60], atol=bound * np.ptp(image))


@pytest.mark.parametrize("sigma_px", [0.0, 1.0])
def test_a_local_threshold_is_that_of_scikit_image(sigma_px):
    seen = field(discs(), blur_px=7.0)
    smooth = gaussian(seen.image, sigma_px) if sigma_px else seen.image
    mean = threshold_local(smooth, 2 * round(3 * seen.diameter_px / 2) + 1, method="gaussian")
    prepared = local_threshold.LocalThreshold().prepare(seen, sigma_px, 3.0)
    np.testing.assert_array_equal(prepared, (smooth - mean) / greys(smooth).range)


def test_components_are_those_of_scikit_image_without_specks():
    labels = discs()
    mask = labels > 0
    mask[0, :3] = True
    np.testing.assert_array_equal(components(mask, 2 * RADIUS), label(labels > 0, connectivity=1))


def test_two_cells_that_touch_are_cut_in_the_middle():
    truth = discs([(50, 50), (50, 76)])
    cells = by_distance(truth > 0, 2 * RADIUS, separation=0.3, smoothing=0.05)
    assert len(np.unique(cells)) == 3 and (cells > 0).sum() == (truth > 0).sum()
    assert cells[50, 50] != cells[50, 76]
    left, right = (np.sum(cells == cells[50, x]) for x in (50, 76))
    assert left == pytest.approx(right, rel=0.05)  # by symmetry, but for the line between them


def test_otsu_as_it_is_is_that_of_scikit_image():
    one = field(discs(), blur_px=7.0)
    found = otsu.Otsu().found(one, 0.0, 1.0)
    np.testing.assert_array_equal(found > 0, one.image > threshold_otsu(one.image))


@pytest.mark.parametrize("blur_px", [1.0, 14.0])
def test_blobs_are_counted_at_their_places(blur_px):
    truth = discs()
    found = log_count.LogCount().found(field(truth, blur_px), 0.25, 0.3, 0.1)
    assert instance_f1(found, truth) == 1


def test_what_is_resolved_is_the_truth_without_blur_and_less_with_more():
    truth = discs([(50, 50), (50, 78)])
    found = {f: resolved._resolved(field(truth, f)) for f in (1.0, 14.0, 48.0)}
    np.testing.assert_array_equal(found[1.0], truth)
    assert 1 > pixel_f1(found[14.0], truth) > pixel_f1(found[48.0], truth) > 0.8


def test_heights_are_largest_in_the_middle_of_each_cell():
    truth = discs([(50, 50), (50, 78)])
    for height in (bumps(truth, 2.0 * RADIUS), distances(truth)):
        assert height.shape == truth.shape and height.dtype == np.float32 and 0 <= height.min() <= height.max() <= 1
        for number, centre in enumerate([(50, 50), (50, 78)], start=1):
            inside = np.where(truth == number, height, -1)
            assert inside.max() > 0.99
            assert np.hypot(*np.subtract(np.unravel_index(inside.argmax(), truth.shape), centre)) < 2
    assert (distances(truth)[truth == 0] == 0).all()


def test_a_forest_of_tensors_is_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 3)).astype(np.float32)
    found = RandomForestClassifier(7, min_samples_leaf=5, random_state=1).fit(x, x[:, 0] * x[:, 1] > 0)
    np.testing.assert_allclose(leaves(forest.nodes(found), x), found.predict_proba(x)[:, 1], atol=1e-12)


class Levels(tuning.Tuned):
    """Right where its number is the blur of nuclei, or half of that of cells."""

    options = {"number": [40.0, 1.0, 20.0, 80.0, 160.0], "other": [0.0, 1.0]}

    @staticmethod
    def judge(found, truth):
        return -abs(found - truth)

    def prepare(self, field, number):
        return number

    def segment(self, field, prepared, other):
        return prepared + 100 * other


@pytest.mark.parametrize("repeats", [1, 3])
def test_settings_are_chosen_on_every_stain_at_every_blur(repeats):
    blurs = np.arange(16.0)
    rows = [(stain, blur) for stain in (0, 1) for blur in blurs for _ in range(repeats)]
    found = tuning._judged(pd.DataFrame(rows, columns=["stain", "blur_px"]))
    assert len(found) == 32 and set(zip(found["stain"], found["blur_px"])) == {(s, b) for s in (0, 1) for b in blurs}
    assert found["item"].is_monotonic_increasing


def test_settings_are_chosen_for_stain_and_blur(monkeypatch):
    blurs = np.tile([1.0, 40.0, 80.0, 160.0], 2)  # too far apart to weigh on each other
    stains = np.repeat([0, 1], 4)
    items = pd.DataFrame({"stain": stains, "blur_px": blurs})

    def labelled(dataset, i):
        number = blurs[i] / (1 + stains[i])
        return SimpleNamespace(labels=number, stain=tuning.STAINS[stains[i]], blur_px=blurs[i])

    class Images:
        def __init__(self):
            self.items = items

        def __len__(self):
            return len(items)

    monkeypatch.setattr(tuning, "labelled", labelled)
    method = Levels()
    method.number, method.other = Levels.options.values()  # as the workflow makes them
    model, curve = method.fit({"validation": Images()}, None, None, 1)

    def number(stain, blur_px):
        setting = tuning.chosen(model, SimpleNamespace(stain=stain, blur_px=blur_px))
        assert setting["other"] == 0
        return setting["number"]

    assert [number("nuclei", f) for f in (1, 40, 161)] == [1, 40, 160]
    assert [number("cells", f) for f in (1, 159)] == [1, 80]
    assert {"items", "seconds", "validation_loss", "number", "other"} <= set(curve)


def test_a_boosting_of_tensors_is_that_of_scikit_learn():
    rng = np.random.default_rng(5)
    x, u = (rng.normal(size=(2000, 6)).astype(np.float32) for _ in range(2))
    y, v = (a[:, 0] * a[:, 1] > 0.5 for a in (x, u))
    method = PixelBoosting()
    method.trees, method.leaves, method.learning_rate, method.patience = 40, 15, 0.2, 40
    found = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, learning_rate=0.2, random_state=1, early_stopping=True, n_iter_no_change=40
    )
    staged = list(found.fit(x, y, X_val=u, y_val=v).staged_decision_function(u))
    best = int(np.argmin([log_loss(v, expit(odds)) for odds in staged]))
    np.testing.assert_allclose(method.odds(method.learned(x, y, lambda: (u, v), 1), u), staged[best], atol=1e-9)


def test_the_blur_undone_finds_discs_that_it_hides():
    """Four discs under a kernel as wide as they are: Otsu's threshold takes their blur for part of them."""
    seen = field(discs(), blur_px=2.0 * RADIUS, noise=0.5)
    plain = pixel_f1(otsu.Otsu().found(seen, 0.0, 1.0), seen.labels)
    undone = pixel_f1(deconvolved_otsu.DeconvolvedOtsu().found(seen, 3.0, 0.0, 1.0), seen.labels)
    assert 1 - undone < (1 - plain) / 2


@pytest.mark.parametrize("given", [(False, False), (True, False), (True, True)])
def test_features_of_tiles_are_those_of_the_whole(given, monkeypatch):
    seen = field(discs(shape=(150, 310)), blur_px=8.0)
    ((_, whole),) = of_tiles(seen, *given)
    monkeypatch.setattr("blurbench.segmentation.pixel_features.SIDE", 128)
    parts = list(of_tiles(seen, *given))
    assert len(parts) > 1
    for tile, found in parts:
        # what the Gaussians of 16 pixels and the filter still see beyond the margin
        np.testing.assert_allclose(found, whole[window(tile.core)], atol=5e-3)


def test_who_is_sharpened_sees_three_more_columns():
    seen = field(discs(), blur_px=8.0)
    (_, plain), (_, more) = (next(iter(of_tiles(seen, given))) for given in (False, True))
    assert more.shape[-1] == plain.shape[-1] + 3
    np.testing.assert_array_equal(more[..., : plain.shape[-1] - 2], plain[..., :-2])
