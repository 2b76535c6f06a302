"""Similarity against scikit-image, scores at their ends, resolution and nuclei in closed form."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from blurbench.files.answers import OK, ImageAnswers
from blurbench.fusion import score
from blurbench.fusion.items import SHAPE
from blurbench.fusion.resolution import COARSEST_UM, resolution, shell_correlation
from blurbench.fusion.score import DEPTHS, METRICS, n_ssim
from blurbench.fusion.segmenting import agreement, nuclei
from blurbench.fusion.ssim import PERCENTILES, WINDOW, foreground, normalised, similarity, ssim

VOXEL = (1.2, 0.4, 0.4)  # µm


@pytest.fixture(scope="module")
def pair():
    """A specimen in photons, and a dimmed, blurred, noisy view of it; with a bright outlier in each."""
    rng = np.random.default_rng(1)
    target = 400 * gaussian_filter(rng.random((15, 31, 26)), (0.7, 2, 2)) ** 4 + 3
    target[3, 4, 5] = 90
    view = rng.poisson(gaussian_filter(target, (1, 1, 1)) * np.linspace(1, 0.3, 26)) + rng.normal(0, 2, target.shape)
    view[9, 20, 7] = 200
    return target.astype(np.float32), view.astype(np.float32)


def scaled(volume):
    low, high = np.percentile(volume.astype(float), PERCENTILES)
    return (volume - low) / (high - low)


def reference(image, target, data_range):
    """scikit-image's SSIM at its defaults, in float64: mean, and map."""
    return structural_similarity(scaled(image), scaled(target), win_size=WINDOW, data_range=data_range, full=True)


def test_similarity_is_scikit_images(pair):
    target, view = pair
    found = similarity(normalised(view), normalised(target))
    spans = [np.ptp(scaled(volume)) for volume in (view, target)]
    assert spans[0] > spans[1], "else the two data ranges are one"
    mean, full = reference(view, target, max(spans))
    # float64 on both sides; percentiles of float32 voxels are known to 1e-7.
    assert found.mean == pytest.approx(mean, abs=1e-6) and ssim(view, target) == found.mean
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(found.by_plane, full[inner].mean(axis=(1, 2)), atol=1e-6)
    _, full = reference(view, target, spans[1])
    assert found.foreground == pytest.approx(full[inner][foreground(target)[inner]].mean(), abs=1e-6)
    assert found.mean_square == pytest.approx(np.mean((scaled(view) - scaled(target)) ** 2), rel=1e-5)


def test_a_data_range_of_the_target_cannot_be_changed_by_the_answer(pair):
    """One wild voxel outside of every window of the foreground: only the form with the larger range is moved by it."""
    target, view = pair
    target = target.copy()
    target[:, :, :12] = 3  # no foreground there
    wild = view.copy()
    wild[1, 2, 2] = 1e4
    found = [similarity(normalised(volume), normalised(target)) for volume in (view, wild)]
    # One of 12,090 voxels moves the percentile of 99.8 a little.
    assert found[0].foreground == pytest.approx(found[1].foreground, abs=0.02)
    assert abs(found[0].mean - found[1].mean) > 0.1


def test_similarity_does_not_depend_on_units(pair):
    target, view = pair
    assert ssim(3 * view + 100, target) == pytest.approx(ssim(view, target), abs=1e-5)  # float32 voxels
    assert ssim(view, 0.1 * target - 7) == pytest.approx(ssim(view, target), abs=1e-5)


@pytest.mark.parametrize("in_foreground", [False, True])
def test_n_ssim_is_0_for_a_copy_and_1_for_the_target(pair, in_foreground):
    target, view = pair
    assert n_ssim(view, target, view, in_foreground) == 0
    assert n_ssim(target, target, view, in_foreground) == 1
    assert 0 < n_ssim((view + target) / 2, target, view, in_foreground) < 1
    noisy = view + np.random.default_rng(2).normal(0, 30, view.shape).astype(np.float32)
    assert n_ssim(noisy, target, view, in_foreground) < 0


def test_n_ssim_is_that_of_its_formula(pair):
    target, view = pair
    answer = gaussian_filter(view, 0.7)
    found, copied = (reference(x, target, max(np.ptp(scaled(x)), np.ptp(scaled(target))))[0] for x in (answer, view))
    assert n_ssim(answer, target, view) == pytest.approx((found - copied) / (1 - copied), abs=1e-5)


def test_what_is_undefined_is_no_number(pair):
    target, view = pair
    flat = np.full_like(view, 7)
    assert np.isnan(n_ssim(view, target, target))
    assert np.isnan(n_ssim(flat, flat, flat))
    assert n_ssim(flat, target, view) < 0  # the black images of the challenge's template


def test_volumes_that_cannot_be_compared_are_told(pair):
    target, view = pair
    with pytest.raises(ValueError, match=r"shapes \(15, 31, 25\) and \(15, 31, 26\), expected one shape"):
        n_ssim(view[..., 1:], target, view)
    with pytest.raises(ValueError, match="at least 7 voxels each"):
        ssim(view[:6], target[:6])


# Resolution


def test_a_gaussian_is_correlated_as_its_transfer_function_says():
    """Beside white noise of SD s a blurred truth of transfer H has the correlation H / sqrt(H² + s²)."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(32, 64, 64))
    sigma_um, noise = 0.5, 0.3
    blurred = gaussian_filter(truth, np.divide(sigma_um, VOXEL), mode="wrap")
    blurred += noise * rng.normal(size=truth.shape)
    frequency, found = shell_correlation(blurred, truth, VOXEL)
    transfer = np.exp(-2 * (np.pi * frequency * sigma_um) ** 2)
    expected = transfer / np.hypot(transfer, noise)
    # A shell of n independent coefficients scatters by 1 / sqrt(n): the first has some 50.
    np.testing.assert_allclose(found[3:], expected[3:], atol=0.12)
    level = np.sqrt(-np.log(noise / np.sqrt(3)) / 2) / (np.pi * sigma_um)  # H = s / √3 makes one half
    assert resolution(blurred, truth, VOXEL) == pytest.approx(1 / level, rel=0.1)


def test_resolution_at_its_ends():
    truth = np.random.default_rng(4).normal(size=(16, 32, 32))
    assert resolution(truth, truth, VOXEL) == pytest.approx(2 * VOXEL[2])
    other = np.random.default_rng(5).normal(size=truth.shape)
    assert resolution(other, truth, VOXEL) == COARSEST_UM
    assert np.isnan(resolution(np.zeros_like(truth), truth, VOXEL))


# Nuclei


def balls(centres, radius=3.0, shape=(14, 60, 60)):
    """Balls (µm) in a volume; brighter in the middle."""
    at = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, VOXEL)), indexing="ij"), -1)
    away = np.min([np.linalg.norm(at - c, axis=-1) for c in centres], axis=0)
    return np.clip(1.2 - (away / radius) ** 2, 0, None).astype(np.float32)


CENTRES = [(7, 6, 6), (7, 6, 11.5), (8, 17, 7), (8, 17, 17)]  # the first two touch


def test_nuclei_that_touch_are_told_apart():
    labels = nuclei(balls(CENTRES), VOXEL, 6.0)
    assert labels.max() == len(CENTRES)
    places = [tuple(np.rint(np.divide(c, VOXEL)).astype(int)) for c in CENTRES]
    assert len({labels[place] for place in places}) == len(CENTRES)
    assert not nuclei(np.full((8, 9, 10), 3.0), VOXEL, 6.0).any()


def test_agreement_counts_what_is_missed_and_what_is_invented():
    truth = np.zeros((4, 20, 20), int)
    truth[:, 2:8, 2:8], truth[:, 12:18, 2:8] = 1, 2
    assert agreement(truth, truth) == agreement((truth == 1) * 7 + (truth == 2) * 5, truth) == 1
    assert agreement((truth == 1) * 1, truth) == pytest.approx(2 / 3)
    half = truth.copy()
    half[:, 5:8] = 0  # half of the first one
    assert agreement(half, truth) == pytest.approx((0.5 + 1) / 2)
    more = truth.copy()
    more[:, 2:8, 12:18] = 3
    assert agreement(more, truth) == pytest.approx(2 * 2 / 5)
    assert agreement(0 * truth, truth) == 0 and np.isnan(agreement(0 * truth, 0 * truth))


# The table


@pytest.fixture(scope="module")
def dataset(pair):
    """Two items, of nuclei and of membranes, whose targets are the truth with noise."""
    target, view = pair
    images = np.rint(np.clip(np.stack([view, view[::-1]]) + 100, 0, None)).astype(np.uint16)
    density = np.stack([target, target[::-1]])
    rng = np.random.default_rng(6)
    noisy = {name: density + rng.normal(0, 2, density.shape).astype(np.float32) for name in ("fused", "deconvolved")}
    rest = dict.fromkeys(("fused_given", "fused_clean", "transmission"), density)
    optics = {"spacing_z_um": 1.2, "spacing_xy_um": 0.4, "sigma_axial_um": 1.0, "sigma_lateral_um": 0.2}
    optics |= {"sheet_waist_um": 2.0, "sheet_focus_um": 5.0, "rayleigh_um": 30.0, "fan": 0.1, "read_noise": 2.0}
    optics |= {"cell_diameter_um": 3.0, **dict(zip(SHAPE, target.shape))}
    items = pd.DataFrame({"study": [1, 0], "channel": [0, 1]}).assign(**optics)
    spec = {"imaging": {"offset": 100, "views": ["front", "opposed"]}, "studies": {"sheets": {}, "kernels": {}}}
    return SimpleNamespace(items=items, images=images, truth={"density": density, **noisy, **rest}, spec=spec)


def scored(dataset, answer, status=(OK, OK)):
    table = pd.DataFrame({"item": [0, 1], "seconds": 0.5, "status": list(status)})
    answers = ImageAnswers(table, answer)
    found = score.score(dataset, answers)
    pd.testing.assert_frame_equal(score.score(dataset, answers, METRICS[:1]), found[found["metric"] == "n_ssim"])
    return found.pivot(index="metric", columns="item", values="value")


def test_a_copy_of_the_view_scores_0_and_the_truth_1(dataset):
    copy = scored(dataset, dataset.images.astype(np.float32) - np.float32(100))
    gains = [metric.name for metric in METRICS if metric.name.startswith("n_")]
    assert len(gains) == 9
    known = copy.loc[gains].drop("n_iou")
    assert (known == 0).all(axis=None) and (copy.loc[["below_0", "below_0_fused"]] == 0).all(axis=None)
    assert copy.loc["n_iou", 0] == 0 and np.isnan(copy.loc["n_iou", 1])  # membranes have no nuclei
    truth = scored(dataset, dataset.truth["density"])
    ones = ["n_ssim", "n_ssim_foreground", "ssim", *(f"n_ssim_{depth}" for depth in DEPTHS)]
    assert (truth.loc[ones] == 1).all(axis=None) and truth.loc["n_iou", 0] == 1
    assert (truth.loc[["rmse", "nrmse"]] == 0).all(axis=None)
    assert (truth.loc[["n_ssim_fused", "n_ssim_deconvolved"]] < 1).all(axis=None), "their noise cannot be foretold"


def test_errors_in_photons_are_those_of_the_answer_as_it_is(dataset):
    found = scored(dataset, dataset.truth["density"] + np.float32(4))
    assert found.loc["rmse"].to_numpy() == pytest.approx(4)
    spans = [np.ptp(np.percentile(volume, PERCENTILES)) for volume in dataset.truth["density"]]
    assert found.loc["nrmse"].to_numpy() == pytest.approx(4 / np.array(spans))
    assert found.loc["n_ssim"].to_numpy() == pytest.approx(1, abs=1e-6)  # which an offset does not change


def test_a_failed_item_counts_as_such_and_studies_have_their_names(dataset):
    answer = dataset.truth["density"].copy()
    answer[1] = np.nan
    table = pd.DataFrame({"item": [0, 1], "seconds": 0.5, "status": [OK, "out of memory"]})
    found = score.score(dataset, ImageAnswers(table, answer))
    assert found.drop_duplicates("item")["study"].tolist() == ["kernels", "sheets"]
    failed = found[found["item"] == 1].set_index("metric")
    assert failed.loc[failed.index != "success", "value"].isna().all() and failed.loc["success", "value"] == 0
    assert failed.loc["n_ssim", "worst"] == -1 and failed.loc["below_0", "worst"] == 1
