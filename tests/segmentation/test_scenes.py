"""Outlines, places and textures of cells."""

import numpy as np
import pytest
from scipy.interpolate import BSpline
from skimage.draw import polygon

from blurbench.segmentation import scenes
from blurbench.segmentation.textures import texture

ROUND = {"diameter_px": 30, "size_sd": 0, "elongation": 1, "radius_jitter": 0, "angle_jitter": 0}
SETTINGS = {
    "clustering": 0.25,
    "clusters": 4,
    "overlap": 0.1,
    "nuclei": {**ROUND, "radius_jitter": 0.1},
    "cells": ROUND,
}


def areas(lines):
    """Areas of polygons (n, points, 2), by the trapezium formula."""
    y, x = lines[..., 0].astype(float), lines[..., 1].astype(float)
    return 0.5 * abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(axis=1))


def filled(line, shape):
    """Pixels (y, x) within a polygon, as scikit-image fills it."""
    mask = np.zeros(shape, bool)
    mask[polygon(*line.T, shape)] = True
    return mask


@pytest.mark.parametrize(
    "jitter", [{}, {"radius_jitter": 0.3}, {"angle_jitter": 0.3}, {"size_sd": 0.1}, {"elongation": 2}]
)
def test_the_mean_area_is_that_of_the_stated_disc(jitter):
    found = areas(scenes.outlines(4000, {**ROUND, **jitter}, np.random.default_rng(1)))
    # 0.002: the spline through ten points of a circle is no circle
    assert found.mean() == pytest.approx(np.pi / 4 * 30**2, rel=0.002 + 4 * found.std() / found.mean() / 4000**0.5)


def test_the_spread_of_areas_follows_from_jitter_and_size():
    # To first order the area changes by step times the sum of each point's displacement along its radius: an SD of
    # a / sqrt(3) in x and in y, at ten points on a step of 2 pi / 10, over the area pi.
    found = areas(scenes.outlines(4000, {**ROUND, "radius_jitter": 0.05}, np.random.default_rng(1)))
    expected = 0.05 / 3**0.5 * (2 * np.pi / 10) * 10**0.5 / np.pi
    assert found.std() / found.mean() == pytest.approx(expected, rel=0.1)  # the spline and 4 / sqrt(2 n) of scatter
    found = areas(scenes.outlines(4000, {**ROUND, "size_sd": 0.05}, np.random.default_rng(1)))
    assert found.std() / found.mean() == pytest.approx(0.1, rel=0.06)  # twice that of the diameter


def test_an_elongated_outline_has_axes_of_a_ratio_within_the_range():
    lines = scenes.outlines(2000, {**ROUND, "elongation": 2}, np.random.default_rng(1)).astype(float)
    axes = np.sqrt(np.linalg.eigvalsh(np.einsum("nfd,nfe->nde", lines, lines)))
    ratio = axes[:, 1] / axes[:, 0]
    assert 1 <= ratio.min() and ratio.max() < 2.05
    assert ratio.mean() == pytest.approx(1.5, abs=0.04)  # uniform, 4 standard errors and the points' own spread


def test_an_outline_is_filled_as_scikit_image_fills_it():
    lines = scenes.outlines(50, {**ROUND, "radius_jitter": 0.3, "angle_jitter": 0.3}, np.random.default_rng(1))
    mask = np.empty((60, 64), np.uint8)
    for line, (y, x) in zip(lines, np.random.default_rng(2).uniform(-5, 65, (50, 2))):
        scenes.fill(line, y, x, mask)
        assert (mask != filled(line + np.array([y, x]), mask.shape)).sum() <= 2  # pixels on an edge itself


@pytest.mark.parametrize("overlap", [0, 0.1, 0.4])
def test_no_nucleus_covers_more_of_another_than_allowed(overlap):
    scene = scenes.scene((200, 260), {**SETTINGS, "overlap": overlap, "clustering": 0.8}, 40, 1, 1)
    found = np.array([filled(line, (230, 290)) for line in scene.outlines["nuclei"] + scene.centres[:, None]])
    common = np.einsum("iyx,jyx->ij", found.astype(int), found) - np.diag(found.sum(axis=(1, 2)))
    smaller = np.minimum.outer(found.sum(axis=(1, 2)), found.sum(axis=(1, 2)))
    inside = (scene.centres > 25).all(axis=1)  # what is beyond the image is not among the masks
    share = (common / smaller)[np.ix_(inside, inside)]
    assert share.max() <= overlap + 0.01  # pixels on an edge
    assert share.max() >= 0.5 * overlap, "it is made use of"


def test_cells_gather_about_their_clusters_or_lie_anywhere():
    free = {**SETTINGS, "overlap": 1.0, "clusters": 1}
    gathered = [scenes.scene((400, 600), {**free, "clustering": 1.0}, 100, 1, k).centres for k in range(20)]
    # Of clusters away from the edges, where places beyond the image are drawn anew.
    middle = [c for c in gathered if (abs(np.median(c, axis=0) / (400, 600) - 0.5) < 0.3).all()]
    sd = np.sqrt(np.mean([c.var(axis=0) for c in middle], axis=0))
    np.testing.assert_allclose(sd, [20, 30], rtol=4 / np.sqrt(2 * 100 * len(middle)) + 0.01)
    anywhere = scenes.scene((400, 600), {**free, "clustering": 0.0}, 2000, 1, 0).centres / (400, 600)
    np.testing.assert_allclose(anywhere.mean(axis=0), 0.5, atol=4 / np.sqrt(12 * 2000))
    np.testing.assert_allclose(anywhere.std(axis=0), 12**-0.5, rtol=0.04)


def test_the_share_in_clusters_is_the_stated_one():
    settings = {**SETTINGS, "overlap": 1.0, "clusters": 1, "clustering": 0.25}
    near = []
    for k in range(30):
        centres = scenes.scene((1000, 1000), settings, 200, 1, k).centres
        distance = np.linalg.norm(centres[:, None] - centres, axis=2)
        near.append((distance < 150).sum(axis=0).max() / 200)  # of the place with the most: 3 SD of the cluster
    # 7 % of the others lie within 150 px of any place; clusters at an edge have fewer of them
    assert np.mean(near) == pytest.approx(0.25 + 0.75 * 0.06, abs=0.025)


def test_a_full_scene_ends_with_fewer_cells():
    scene = scenes.scene((100, 100), {**SETTINGS, "overlap": 0.0}, 500, 1, 0)
    assert 5 <= len(scene.centres) < 15  # discs of 707 px² on 100 x 100, some of each beyond the image
    assert all(len(lines) == len(scene.centres) for lines in scene.outlines.values())


@pytest.mark.parametrize("octave", [1, 2, 3])
def test_a_texture_is_between_0_and_1_and_as_coarse_as_its_octave(octave):
    grain = texture((512, 512), 64, 1.0, (octave, octave), np.random.default_rng(1))
    assert grain.min() == 0 and grain.max() == 1
    power = abs(np.fft.rfft(grain - grain.mean(), axis=1)) ** 2
    correlation = np.fft.irfft(power.mean(axis=0))
    # Of cubic B-splines of random weights it is the B-spline of twice their order, whatever lies between them.
    spline = BSpline.basis_element(np.arange(-4, 5))
    lags = np.arange(0, 96 / 2**octave).astype(int)
    expected = spline(lags * 2**octave / 64) / spline(0)
    np.testing.assert_allclose(correlation[lags] / correlation[0], expected, atol=0.12)  # 16² nodes on the coarsest


def test_finer_octaves_are_fainter_by_the_persistence():
    def rough(persistence):
        grain = texture((256, 256), 64, persistence, (1, 4), np.random.default_rng(1))
        return np.diff(grain).std() / grain.std()

    assert rough(0.1) < 0.6 * rough(0.9)


def test_a_texture_has_no_seam():
    grain = texture((128, 128), 32, 0.5, (1, 3), np.random.default_rng(1))
    steps = abs(np.diff(grain, axis=0)).max()
    assert abs(grain[0] - grain[-1]).max() <= steps
