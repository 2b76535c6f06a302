"""Specimens, views, targets, and what is wrong in one way."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from blurbench import fusion
from blurbench.fusion import scenes, simulate
from blurbench.fusion.configuration import faults
from blurbench.fusion.items import optics
from blurbench.planning.merging import merged

TINY = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
MEMBRANES = {"cell_diameter_um": 6.0, "brightness_sd": 0.2}


def made(study=None, channel="nuclei", item=0, **imaging):
    """An item of the tiny dataset: (images, row, truth)."""
    entry = {**TINY["studies"][channel], **(study or {})}
    return simulate.volume(0, entry, simulate.imaging({**TINY["imaging"], **imaging}), 1, item)


# Specimens


def test_cells_keep_their_distance_and_fill_their_share():
    sides, diameter = np.array([40.0, 40.0, 40.0]), 5.0
    places = scenes.packing(sides, diameter, 0.2, 0.85, np.random.default_rng(1))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(len(places))
    assert apart.min() >= 0.85 * diameter
    filled = len(places) * np.pi / 6 * diameter**3 / np.prod(sides + diameter)
    assert filled == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize("pitch", [(0.5, 0.25, 0.25), (0.3, 0.3, 0.3)])
def test_a_nucleus_has_the_volume_of_its_ellipsoid(pitch):
    axes = np.array([[3.0, 2.0, 2.5]])
    shape = [round(9 / side) for side in pitch]
    canvas = np.zeros(shape, np.float32)
    scenes._ellipsoids(
        canvas, np.full((1, 3), 4.4), np.eye(3)[None] / axes[:, :, None], axes, np.ones(1), np.array(pitch)
    )
    volume = canvas.sum() * np.prod(pitch)
    assert volume == pytest.approx(4 / 3 * np.pi * axes.prod(), rel=0.03)  # of a surface that is a voxel thick


def test_a_membrane_is_as_far_from_both_cells_and_half_as_bright_where_the_gaussian_says():
    canvas, pitch = np.zeros((5, 21, 41), np.float32), np.full(3, 0.1)
    places = np.array([[0.2, 1.0, 0.0], [0.2, 1.0, 4.0]])
    scenes._faces(canvas, places, np.ones(2), pitch, 5.0, 0.3, 1.0)
    np.testing.assert_allclose(canvas[2, 10], np.exp(-0.5 * ((np.arange(41) * 0.1 - 2) / 0.3) ** 2), atol=4e-4)


def test_tissue_absorbs_as_much_on_the_mean_wherever_it_does():
    rng = np.random.default_rng(1)
    field = np.stack([scenes._uneven((40, 40, 40), 4.0, 0.5, (20, 24, 28), rng) for _ in range(8)])
    assert field.mean() == pytest.approx(1, abs=0.03)  # some 8,000 nodes of SD 0.53, and neighbours in common
    assert (scenes._uneven((40, 40, 40), 4.0, 0.0, (20, 24, 28), rng) == 1).all()


# Views and targets


def test_a_view_without_absorption_shows_all_the_light():
    images, row, truth = made({"absorption_length_um": 1e5, "detection_absorption_length_um": 1e5, "absorbers": 0})
    assert truth["transmission"].min() > 0.999
    light, expected = images[0].sum(dtype=float) - 100 * images[0].size, truth["density"].sum(dtype=float)
    noise = np.sqrt(expected + images[0].size * row["read_noise"] ** 2)
    # What planes between those of the volume hold is another share of the light; some 3 % of it.
    assert light == pytest.approx(expected, abs=4 * noise + 0.05 * expected)


def test_the_brightest_structure_has_the_photons_of_its_study():
    _, row, truth = made()
    assert np.percentile(truth["density"], 99.8) == pytest.approx(row["photons"], rel=1e-4)


def test_the_first_view_is_dark_where_the_opposed_one_is_bright():
    _, _, truth = made({"detection_absorption_length_um": 8, "absorption_length_um": 1e5, "absorbers": 0})
    share = truth["fused_clean"] / np.maximum(truth["density"], 1)
    left = truth["transmission"].mean(axis=(1, 2))
    assert np.all(np.diff(left) < 0) and left[-1] < 0.1
    assert share[-4:].mean() > 3 * left[-4:].mean(), "the fusion has it from the other side"


def test_the_noise_of_the_targets_is_not_that_of_the_view(monkeypatch):
    expected = []

    def detect(random, photons, *about):
        expected.append(photons)
        return camera(random, photons, *about)

    camera = simulate.detect
    monkeypatch.setattr(simulate, "detect", detect)
    images, _, truth = made()
    noise = (images[0].astype(float) - 100 - expected[0]).ravel()
    assert abs(noise.mean()) < 0.1  # rounding is to the nearest

    def correlation(name):
        return np.corrcoef(noise, (truth[name] - truth["fused_clean"]).ravel())[0, 1]

    assert correlation("fused_given") > 0.5
    assert abs(correlation("fused")) < 4 / np.sqrt(noise.size)


def test_photons_are_of_the_law_of_poisson_and_read_noise(monkeypatch):
    expected = []
    camera = simulate.detect
    monkeypatch.setattr(
        simulate, "detect", lambda s, photons, *about: expected.append(photons) or camera(s, photons, *about)
    )
    images, row, _ = made()
    residual = (images[0].astype(float) - 100 - expected[0]) / np.sqrt(expected[0] + row["read_noise"] ** 2 + 1 / 12)
    assert residual.std() == pytest.approx(1, abs=4 / np.sqrt(2 * residual.size))


@pytest.mark.parametrize("given", [1, 2])
def test_four_views_are_fused_and_as_many_given_as_are_asked_for(given):
    views = ["front", "dual_side", "opposed", "orthogonal"]
    images, _, truth = made(views=views, views_given=given)
    assert images.shape == (given, *TINY["imaging"]["shape_px"]) and images.dtype == np.uint16
    assert {array.shape for array in truth.values()} == {tuple(TINY["imaging"]["shape_px"])}
    simulated = simulate.dataset({**TINY, "imaging": {**TINY["imaging"], "views_given": given}}, "test", 1)
    assert simulated.header["axes"] == ["item", *(["view"] if given > 1 else []), "z", "y", "x"]
    assert next(simulated.shards)[0].ndim == len(simulated.header["axes"])


def test_the_orthogonal_view_is_on_the_grid_of_the_first():
    """Without absorption, noise and thick planes all views show the same: to the blur that they do not share."""
    clear = {"absorption_length_um": 1e5, "detection_absorption_length_um": 1e5, "absorbers": 0}
    sharp = {**clear, "detection_na": 0.9, "sheet_waist_um": 1.2, "spacing_z_um": 1.0, "texture": 0, "photons": 5000}
    images, _, truth = made(sharp, views=["front", "orthogonal"], views_given=2)
    first, other = images.astype(float) - 100
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] > 0.95
    for axis in (0, 2):  # a plane beside it fits worse
        assert np.corrcoef(np.roll(other, 1, axis).ravel(), first.ravel())[0, 1] < 0.93


# What is wrong in one way


def told(row):
    return {name: row[name] for name in fusion.PROBLEM.known}


@pytest.mark.parametrize("wrong", [{"psf_error": 0.3}, {"saturation": 0.2}, {"light": 0.5}, {"empty": True}])
def test_of_a_mistake_methods_are_not_told(wrong):
    (plain, right, _), (images, row, _) = made(), made(**wrong)
    assert told(row) == told(right) and (images != plain).any()


def test_each_mistake_is_what_its_name_says():
    plain, right, truth = made()
    _, row, wider = made(psf_error=0.5)
    np.testing.assert_array_equal(wider["density"].shape, truth["density"].shape)
    assert optics(row) == optics(right) and wider["fused_clean"].std() < 0.97 * truth["fused_clean"].std()

    images, row, _ = made(saturation=0.2)
    assert images.max() == int(100 + 0.2 * row["photons"]) and (images == images.max()).sum() > 10

    _, row, half = made(light=0.5)
    np.testing.assert_allclose(half["density"], truth["density"] / 2, rtol=1e-5)

    _, _, empty = made(empty=True)
    assert empty["density"].max() < 0.3 * truth["density"].max()

    _, row, _ = made(spacing_error=0.2)
    assert row["spacing_z_um"] == right["spacing_z_um"], "methods are told the same, the specimen has other planes"

    images, _, shifted = made(misregistration_px=[1, 1, 1])
    np.testing.assert_array_equal(images, plain)
    assert (shifted["fused"] != truth["fused"]).any() and (shifted["density"] == truth["density"]).all()


# What a schema cannot say


def test_a_key_that_is_unknown_is_refused():
    with pytest.raises(ValueError, match=r"imaging: \['shape'\] unknown"):
        simulate.imaging({"shape": [8, 8, 8]})


@pytest.mark.parametrize(
    "change, key, expected",
    [
        ({"imaging": {"views": ["opposed", "front"]}}, "imaging.views", "front as the first"),
        ({"imaging": {"views_given": 3}}, "imaging.views_given", "at most the 2"),
        ({"studies": {"nuclei": {"photons": [200, 100]}}}, "studies.nuclei.photons", "lo not above hi"),
        ({"studies": {"nuclei": {"texture": [0, 0.1]}}}, "studies.nuclei.texture", "above 0"),
        ({"studies": {"nuclei": {"detection_na": 1.4}}}, "studies.nuclei.detection_na", "less than refractive_index"),
        ({"studies": {"nuclei": {"spacing_z_um": 0.3}}}, "studies.nuclei.spacing_z_um", "at least spacing_xy_um"),
        ({"studies": {"nuclei": {"read_noise": 20}}}, "imaging.offset", "at least 6 SD"),
        ({"imaging": {"offset": 59000}, "studies": {"nuclei": {"photons": 4000}}}, "studies.nuclei.photons", "65535"),
    ],
)
def test_faults_name_the_key_and_what_was_expected(change, key, expected):
    found = list(faults(merged(TINY, change), None))
    assert [(name, expected in text) for name, _, text in found] == [(key, True)]


def test_what_memory_does_not_hold_is_refused():
    entry = merged(TINY, {"imaging": {"shape_px": [512, 1024, 1024]}})
    assert [key for key, *_ in faults(entry, 8000)] == ["imaging.shape_px"] and not list(faults(TINY, 8000))
