"""Trees in two stages: what the second sees of the first, how it is asked, and that it is worth it."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.ndimage import gaussian_filter, zoom
from skimage.draw import disk

from blurbench.files.datasets import Dataset
from blurbench.microscopy import deconvolution as plain
from blurbench.microscopy.psf import Psf
from blurbench.running import methods
from blurbench.running.simulation import simulate
from blurbench.segmentation.coarse_to_fine import SURE, coarse_to_fine
from blurbench.segmentation.context_features import context
from blurbench.segmentation.deconvolution import FLOOR, ITERATIONS, richardson_lucy
from blurbench.segmentation.items import labelled
from blurbench.segmentation.optics import blurred, kernel
from blurbench.segmentation.score import pixel_f1

RADIUS = 15


def discs(scale=1):
    """Mask of three discs, bool (y, x)."""
    mask = np.zeros((150 * scale, 150 * scale), bool)
    for centre in (40, 40), (45, 100), (110, 70):
        mask[disk(np.multiply(centre, scale) + (scale - 1) / 2, RADIUS * scale)] = True
    return mask


@pytest.mark.parametrize("blur_px", [7.0, 23.0])
def test_richardson_and_lucy_keep_the_light_and_explain_the_image_sooner(blur_px):
    light = blurred(discs().astype(np.float32), blur_px)
    observed = light + FLOOR

    def deviance(estimate):  # what they minimise: Poisson's, of the image from the estimate under the blur
        expected = blurred(estimate, blur_px).astype(float)
        return (observed * np.log(observed / expected) - observed + expected).sum()

    found, psf = richardson_lucy(light, blur_px), Psf((kernel(blur_px),) * 2, None, None, None)
    assert found.min() >= 0 and found.mean() == pytest.approx(observed.mean(), rel=1e-4)
    assert deviance(found) < deviance(plain.richardson_lucy(observed, psf, 2 * ITERATIONS))
    assert np.abs(found - FLOOR - discs()).mean() < 0.8 * np.abs(light - discs()).mean()


def test_a_classifier_is_asked_where_it_is_not_sure():
    sharp = gaussian_filter(discs().astype(float), 3.0)[..., None]
    asked = []

    def odds(x):
        asked.append(len(x))
        return 20 * (x[:, 0] - 0.4)

    every = odds(sharp.reshape(-1, 1)).reshape(sharp.shape[:2])
    found = coarse_to_fine(odds, sharp)
    undecided = abs(every) < SURE
    np.testing.assert_array_equal(found[undecided], every[undecided])
    np.testing.assert_array_equal(found > 0, every > 0)
    assert sum(asked[1:]) < asked[0] / 2


def chance_of(mask):
    """A blurred answer and the places of some pixels around its outlines."""
    chance = gaussian_filter(mask.astype(np.float32), RADIUS / 8 * len(mask) / 150)
    return chance, np.nonzero((chance > 0.2) & (chance < 0.8))


def test_context_turns_with_the_image():
    chance, at = chance_of(discs())
    turned = at[1], len(chance) - 1 - at[0]
    found, other = (
        context(plane, [plane], where, 2.0 * RADIUS, 0.3, 0.05)
        for plane, where in ((chance, at), (np.rot90(chance, -1).copy(), turned))
    )
    np.testing.assert_allclose(found, other, atol=1e-3)


def test_context_is_in_diameters():
    """Twice the magnification, the same features, but for what a pixel is and is not smoothed by."""
    chance, at = chance_of(discs())
    larger = zoom(chance, 2, order=1, mode="nearest", grid_mode=True)
    found = context(chance, [], at, 2.0 * RADIUS, 0.3, 0.05)
    other = context(larger, [], tuple(2 * axis for axis in at), 4.0 * RADIUS, 0.3, 0.05)
    curvatures = slice(6, 10)  # in pixels, as the trees see the diameter beside them
    differ = np.delete(abs(found - other), curvatures, axis=1)
    assert np.median(differ, axis=0).max() < 0.1


def test_no_cell_is_far_away():
    empty = np.zeros((40, 50), np.float32)
    found = context(empty, [empty], (np.array([3, 20]), np.array([4, 30])), 10.0, 0.3, 0.05)
    assert np.isfinite(found).all() and (found[0] == found[1]).all()


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("context")
    entry = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
    entry["imaging"] |= {"shape_px": [96, 96], "blur_px": [9, 14]}
    entry["items"] = {"train": 24, "validation": 8}
    for split in entry["items"]:
        simulate("segmentation", "tiny", split, entry, 1, folder / f"{split}.zarr", folder / f"{split}.json")
    return {split: Dataset.open(folder / f"{split}.zarr") for split in entry["items"]}


@pytest.fixture(scope="module")
def trained(splits):
    method = methods.load("segmentation", "pixel_context", {"trees": 30, "pixels_an_image": 500})
    return method, *method.fit(splits, None, None, 1)


def test_two_stages_are_ahead_of_one(trained):
    _, _, curve = trained
    first, second = curve["validation_pixel_f1"]
    assert second > first + 0.003


def test_the_second_stage_is_what_answers(trained, splits):
    method, model, curve = trained
    fields = [labelled(splits["validation"], i) for i in range(len(splits["validation"]))]
    answered = [
        pixel_f1(labels, field.labels)
        for labels, field in zip(method.predict(splits["validation"], model, None), fields)
    ]
    assert np.mean(answered) == pytest.approx(curve["validation_pixel_f1"].iloc[-1], abs=0.002)  # but for specks


def test_the_second_stage_learns_from_images_that_the_first_has_not_seen(splits, monkeypatch):
    method, seen = methods.load("segmentation", "pixel_context", {"trees": 1, "pixels_an_image": 50}), []
    original = method._pixels

    def _pixels(field, n, seed, model):
        seen.append((seed[1], len(model)))
        return original(field, n, seed, model)

    monkeypatch.setattr(method, "_pixels", _pixels)
    method.fit({"train": splits["train"][:6], "validation": splits["validation"][:1]}, None, None, 1)
    first, second = ({item for item, stages in seen if stages == number} for number in (0, 1))
    assert first | second == set(range(6)) and not first & second


def test_too_few_images_are_told(splits):
    method = methods.load("segmentation", "pixel_context")
    with pytest.raises(ValueError, match="found 3 training images, expected 4 at least"):
        method.fit({**splits, "train": splits["train"][:3]}, None, None, 1)


def test_tiles_have_no_seams(trained, splits, monkeypatch):
    method, model, _ = trained
    field = labelled(splits["validation"], 0)
    field = field._replace(image=np.tile(field.image, (2, 4)), labels=np.tile(field.labels, (2, 4)))
    _, whole = method._masks(field, [model])
    monkeypatch.setattr("blurbench.segmentation.pixel_features.SIDE", 128)
    _, parts = method._masks(field, [model])
    assert pixel_f1(parts, whole) > 0.99
