"""The simulator against closed forms: drawn spheres, blur, noise, contrast, truth, and what it refuses."""

import json
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import CHANCE, deviate, normal
from scipy import stats
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from blurbench.colloids import PROBLEM, packing, physics
from blurbench.colloids.configuration import LARGEST_PHI, faults, item_mb, simulate_mb
from blurbench.colloids.imaging import FAR, INSIDE, NEAR, blur, draw_spheres, kept, regions
from blurbench.colloids.simulate import DEFAULTS, dataset, draw_parameters, gates, imaging, most_spheres, volume
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.microscopy.random_streams import key
from blurbench.planning import schemas
from blurbench.planning.schema_faults import schema_faults

SPEC = {
    "imaging": {**DEFAULTS, "shape_px": [40, 36, 44]},
    "phi": [0.05, 0.3],
    "particle_size_um": [0.22, 1.0],
    "cnr": [0.6, 10],
    "test_phi": [0.1, 0.25],
    "test_particle_size_um": [1.0, 0.5],
    "test_cnr": [8, 1.5],
    "items": {"train": 4, "validation": 2, "test": 1},
    "stream": "tiny",
}
SHARP = {"kind": "gaussian", "sigma_um": [0.001, 0.001, 0.001]}
WRONG = {"psf_error", "hollow", "attenuation_per_um", "aggregate_light", "empty"}  # none of them unless stated
EXPECTED = [name for name in DEFAULTS if name not in WRONG]
EVEN = {"brightness_sd": 0.0, "bleaching": 0.0}


def changed(**changes):
    """SPEC with other values; those of `imaging` by their own names."""
    spec = deepcopy(SPEC)
    for name, value in changes.items():
        (spec if name in spec else spec["imaging"])[name] = value
    return spec


def made(spec, split="train", seed=1):
    """All items of a split at once."""
    split = dataset(spec, split, seed)
    images, items, truth = zip(*split.shards)
    assert sum(map(len, images)) == split.items
    truth = {name: np.concatenate([t[name] for t in truth]) for name in truth[0]}
    return np.concatenate(images), pd.concat(items, ignore_index=True), truth


def drawn(centres, radii, shape, box=None, light=None, corner=(0, 0, 0), inner=None):
    """A canvas with spheres, and the share of the volume that they fill."""
    canvas, n = np.zeros(shape, np.float32), len(centres)
    box = np.full(3, 1e3) if box is None else np.asarray(box, float)
    light = np.ones(n) if light is None else light
    filled = draw_spheres(
        canvas, np.array(corner), np.asarray(centres, float), np.asarray(radii, float), light, box,
        np.array(shape if inner is None else inner),
    )  # fmt: skip
    return canvas.astype(float), filled


# Spheres


@given(st.floats(3, 9), st.tuples(*[st.floats(-0.5, 0.5)] * 3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_drawn_sphere_has_its_volume_and_its_centre(radius, shift):
    centre = 12 + np.array(shift)
    canvas, filled = drawn([centre], [radius], (25, 25, 25))
    assert canvas.min() >= 0 and canvas.max() <= 1
    assert canvas.sum() == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.01)
    assert filled * canvas.size == pytest.approx(canvas.sum(), rel=1e-5)
    at = np.stack(np.indices(canvas.shape))
    assert (at * canvas).sum(axis=(1, 2, 3)) / canvas.sum() == pytest.approx(centre, abs=0.02)


@pytest.mark.parametrize("radius", [2.0, 3.5, 5.0, 8.0])
def test_a_voxel_takes_its_share_of_the_sphere(radius):
    """Against 12³ points in every voxel; a plane's cut through a voxel is not all that is exact, hence 0.1."""
    fine, centre = 12, np.array([11.2, 10.7, 11.4])
    sub = (np.arange(23 * fine) + 0.5) / fine - 0.5
    square = [(sub - c) ** 2 for c in centre]
    inside = square[0][:, None, None] + square[1][:, None] + square[2] <= radius**2
    share = inside.reshape(23, fine, 23, fine, 23, fine).mean(axis=(1, 3, 5))
    difference = drawn([centre], [radius], (23, 23, 23))[0] - share
    assert np.abs(difference).max() < 0.1 and difference[share > 0].std() < 0.03


def test_spheres_add_up_and_come_back_periodically():
    box, shape = np.array([30.0, 20.0, 24.0]), (30, 20, 24)
    centres, light = np.array([[0.5, 10, 12], [29.0, 1, 23.4], [15, 10, 3]]), np.array([1.0, 2.0, -0.5])
    canvas, filled = drawn(centres, [5, 4, 3], shape, box, light)
    volumes = 4 / 3 * np.pi * np.array([5, 4, 3]) ** 3
    assert canvas.sum() == pytest.approx((volumes * light).sum(), rel=0.01)  # nothing is lost at a face
    assert filled * canvas.size == pytest.approx(volumes.sum(), rel=0.01)
    wide = drawn(centres, [5, 4, 3], (90, 60, 72), box, light, corner=(-30, -20, -24), inner=shape)
    assert wide[0] == pytest.approx(np.tile(canvas, (3, 3, 3)), abs=1e-6) and wide[1] == pytest.approx(filled)


def test_regions_are_distances_from_the_centres():
    centres, shape = np.array([[3.3, 4.1, 20], [12, -2.5, 9]]), (16, 18, 22)
    at = np.moveaxis(np.indices(shape), 0, -1)
    distance = np.linalg.norm(at[..., None, :] - centres, axis=-1).min(axis=-1)
    region = regions(np.array(shape), centres, np.array([4.0, 4.0]), 8.0)
    assert ((region == INSIDE) == (distance <= 4)).all() and ((region == FAR) == (distance > 8)).all()
    assert ((region == NEAR) == ((distance > 4) & (distance <= 8))).all()


# Blur


def test_gaussian_blur_is_that_of_scipy():
    canvas = np.random.default_rng(1).random((60, 50, 44)).astype(np.float32)
    psf = psf_on_voxels({"kind": "gaussian", "sigma_um": [0.3, 0.15, 0.1]}, 0.1)
    assert list(psf.reach) == [12, 6, 4] and psf.sigma == pytest.approx([3, 1.5, 1])
    expected = gaussian_filter(canvas.astype(float), psf.sigma, truncate=4)[12:-12, 6:-6, 4:-4]
    assert blur(canvas, psf) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_a_blurred_sphere_has_the_brightness_of_theory(sigma):
    radius, psf = 5.0, psf_on_voxels({"kind": "gaussian", "sigma_um": [sigma] * 3}, 1.0)
    n = 21 + 2 * psf.reach[0]
    image = blur(drawn([[n // 2] * 3], [radius], (n, n, n))[0].astype(np.float32), psf)
    a = radius / np.sqrt(sigma**2 + 1 / 12)  # what the average over a voxel adds to the variance of the PSF
    middle = erf(a / np.sqrt(2)) - np.sqrt(2 / np.pi) * a * np.exp(-(a**2) / 2)  # ∫ of the Gaussian over the sphere
    assert image[10, 10, 10] == pytest.approx(middle, abs=0.002)
    assert image.argmax() == np.ravel_multi_index((10, 10, 10), image.shape)


def lopsided(path, dtype=np.float32):
    """A PSF image without any symmetry, an odd and two even sides."""
    z, y, x = np.indices((15, 12, 10))
    image = np.exp(-((z - 8) ** 2) / 12 - (y - 5) ** 2 / 5 - (x - 4) ** 2 / 3)
    image += 0.5 * np.exp(-((z - 4) ** 2) / 4 - (y - 7) ** 2 / 3 - (x - 6) ** 2 / 2)
    tifffile.imwrite(path, (image * 1000).astype(dtype), photometric="minisblack")
    return image / image.sum()


def test_a_point_looks_like_the_measured_psf(tmp_path):
    image = lopsided(tmp_path / "psf.tif")
    for voxel_um, pitch in ((0.1, (1.0, 0.5, 2.0)), (0.05, (2.0, 1.0, 4.0))):
        psf = psf_on_voxels(
            {"kind": "image", "file": str(tmp_path / "psf.tif"), "voxel_um": [0.1, 0.05, 0.2]}, voxel_um
        )
        assert psf.image.sum() == pytest.approx(1) and all(n % 2 for n in psf.image.shape)
        canvas = np.zeros(8 * psf.reach + 1, np.float32)
        canvas[tuple(4 * psf.reach)] = 1
        point = blur(canvas, psf)[tuple(slice(2 * r, 4 * r + 1) for r in psf.reach)]
        assert point == pytest.approx(psf.image, abs=1e-6)  # and not mirrored
        for axis in range(3):
            others = tuple({0, 1, 2} - {axis})
            at, fine = np.arange(psf.image.shape[axis]) - psf.reach[axis], np.arange(image.shape[axis]) * pitch[axis]
            seen, given = psf.image.sum(axis=others), image.sum(axis=others)
            assert (seen * at).sum() == pytest.approx(0, abs=1e-3)  # its centroid is the point
            variance = (given * fine**2).sum() - (given * fine).sum() ** 2
            # Light is spread over the PSF's voxels and gathered in those of the image: p²/12 and 1/12 on top.
            assert (seen * at**2).sum() == pytest.approx(variance + pitch[axis] ** 2 / 12 + 1 / 12, rel=0.02)
            third = (given * (fine - (given * fine).sum()) ** 3).sum()
            assert (seen * at**3).sum() == pytest.approx(third, rel=0.1, abs=0.05 * variance**1.5)


def test_the_width_of_a_measured_psf(tmp_path):
    z, y, x = np.indices((81, 41, 41))
    image = np.exp(-((z - 40) ** 2) / (2 * 8**2) - ((y - 20) ** 2 + (x - 20) ** 2) / (2 * 4**2))
    tifffile.imwrite(tmp_path / "psf.tif", image.astype(np.float32), photometric="minisblack")
    psf = psf_on_voxels({"kind": "image", "file": str(tmp_path / "psf.tif"), "voxel_um": [0.05, 0.05, 0.05]}, 0.1)
    assert psf.sigma == pytest.approx([4, 2, 2], rel=0.08)  # cut at 2.5 SD, widened by the voxels


@pytest.mark.parametrize("shape, value", [((5, 5, 5), 0), ((5, 5, 5), -1), ((5, 5, 5), np.nan), ((7, 7), 1)])
def test_a_psf_that_is_none_is_refused(tmp_path, shape, value):
    file = tmp_path / "psf.tif"
    tifffile.imwrite(file, np.full(shape, value, np.float32), photometric="minisblack")
    with pytest.raises(ValueError, match=r"psf\.file .*psf"):
        psf_on_voxels({"kind": "image", "file": str(file), "voxel_um": [1, 1, 1]}, 1.0)


# Noise


def test_images_are_what_the_truth_says():
    """Every pixel that no sphere beyond the truth reaches, from the truth alone: units, blur, bleaching and noise."""
    spec = changed(brightness_sd=0.0, bleaching=0.3, phi=[0.2, 0.3], particle_size_um=[0.8, 1.0], polydispersity=0.05)
    images, items, truth = made(spec)
    for image, row, centres, diameters in zip(images, items.itertuples(), truth["centres"], truth["diameters"]):
        known = np.isfinite(diameters)
        psf = psf_on_voxels(spec["imaging"]["psf"], row.voxel_um)
        assert psf.sigma[0] == pytest.approx(row.sigma_z_px) and psf.sigma[1] == pytest.approx(row.sigma_xy_px)
        at, radii = centres[known] / row.voxel_um, diameters[known] / row.voxel_um / 2
        light = np.full(known.sum(), row.brightness - row.background)
        canvas = drawn(at + psf.reach, radii, np.array(image.shape) + 2 * psf.reach, light=light)[0]
        fading = 0.7 ** (np.arange(len(image)) / (len(image) - 1))
        photons = (blur(canvas.astype(np.float32), psf) + row.background) * fading[:, None, None]
        inner = tuple(slice(r, -r) for r in psf.reach)
        variance = photons + row.read_noise**2 + 1 / 12
        z = ((image - 100.0 - photons) / np.sqrt(variance))[inner].ravel()
        deviate(z.mean(), 0, 1 / np.sqrt(z.size))
        deviate((z**2).mean(), 1, np.sqrt(2.02 / z.size))  # a fourth moment of 3 + 1/photons and less
        normal(z)


# Contrast


@pytest.mark.parametrize("snr, cnr", [(12, 8), (12, 1.5), (5, 5), (14, 0.75)])
def test_measured_contrast_is_the_nominal_one_where_nothing_blurs(snr, cnr):
    full = imaging({"psf": SHARP, **EVEN, "snr": snr, "shape_px": [40, 40, 40]})
    f = 200.0
    parameters = {"phi": 0.1, "particle_size_um": 1.0, "cnr": cnr, "brightness": f}
    image, row, centres, _ = volume(parameters, full, key("contrast"), 0)
    assert row["signal"] == pytest.approx(f, rel=1e-6) and row["background_measured"] == pytest.approx(
        row["background"]
    )
    assert row["background"] == pytest.approx(f * (1 - cnr / snr), abs=1e-9)
    voxels = row["phi_measured"] * image.size
    # Inside, the edge voxels among them are dimmer and have less shot noise: up to 4 % less.
    assert row["noise"] == pytest.approx(f / snr, rel=0.04 + 5 / np.sqrt(2 * voxels))
    assert row["cnr_measured"] == pytest.approx(cnr, rel=0.06 + 5 / np.sqrt(2 * voxels))
    assert row["snr_measured"] == pytest.approx(snr, rel=0.06 + 5 / np.sqrt(2 * voxels))


def test_blur_takes_contrast_and_bleaching_light():
    parameters = {"phi": 0.2, "particle_size_um": 1.0, "cnr": 6.0, "brightness": 200.0}

    def row(**changes):
        return volume(parameters, imaging({"shape_px": [40] * 3, **EVEN, **changes}), 5, 0)

    sharp, wide, faded = (
        row(psf=SHARP)[1],
        row(psf={"kind": "gaussian", "sigma_um": [0.5, 0.2, 0.2]})[1],
        row(bleaching=0.5)[0].astype(float) - 100,
    )
    assert wide["cnr_measured"] < 0.7 * sharp["cnr_measured"] and wide["signal"] < sharp["signal"]
    steady = row()[0].astype(float) - 100
    ratio = faded.mean(axis=(1, 2)) / steady.mean(axis=(1, 2))
    assert ratio == pytest.approx(0.5 ** (np.arange(40) / 39), rel=0.02)  # noise of 1600 voxels of some 100 photons


# Images that are not what methods are told


def one(phi=0.2, **changes):
    """A volume 0.1 µm a voxel and its row."""
    parameters = {"phi": phi, "particle_size_um": 1.0, "cnr": 6.0, "brightness": 200.0}
    return volume(parameters, imaging({"shape_px": [40] * 3, **EVEN, **changes}), 5, 0)


def test_an_image_under_a_wider_psf_is_told_the_narrow_one():
    wrong, right = (one(psf={"kind": "gaussian", "sigma_um": s}, **e) for s, e in (
        ([0.2, 0.08, 0.08], {"psf_error": 0.15}), ([0.23, 0.092, 0.092], {})))  # fmt: skip
    assert np.array_equal(wrong[0], right[0]) and np.array_equal(wrong[2], right[2])
    assert wrong[1]["sigma_z_px"] == pytest.approx(2.0) and right[1]["sigma_z_px"] == pytest.approx(2.3)


def test_a_hollow_sphere_lacks_the_light_of_its_core():
    """Light above the background: 1 - 0.6³ of a full sphere's, over 40³ voxels of 16 photons' noise, thrice SE."""
    full, hollow = (one(hollow=share)[0].astype(float).mean() - 200 for share in (0, 0.6))  # offset and background
    assert hollow / full == pytest.approx(1 - 0.6**3, abs=0.03)
    assert np.array_equal(one(hollow=0.6)[2], one()[2])


def test_light_is_lost_with_depth():
    deep, plain = (one(attenuation_per_um=k)[0].astype(float).mean(axis=(1, 2)) - 100 for k in (0.25, 0.0))
    assert deep / plain == pytest.approx(np.exp(-0.25 * 0.1 * np.arange(40)), rel=0.02)  # as for bleaching


def test_an_aggregate_outshines_the_rest():
    """Spheres within 1.5 d of a place, and no others, gain nine times their light; the packing stays."""
    bright, plain = (one(psf=SHARP, aggregate_light=light) for light in (10.0, 1.0))
    assert np.array_equal(bright[2], plain[2])
    at = np.rint(plain[2] / 0.1).astype(int)
    at = at[((at >= 0) & (at < 40)).all(axis=1)]
    gain = (bright[0].astype(float) - plain[0])[tuple(at.T)] / 100  # a sphere's own light
    shining = gain > 4
    assert 1 < shining.sum() < 14 and np.abs(gain[~shining]).max() < 1 and gain[shining] == pytest.approx(9, abs=1.5)
    assert np.linalg.norm(at[shining] - at[shining].mean(axis=0), axis=1).max() < 3 * 10


def test_an_empty_volume_holds_its_background():
    spec = changed(empty=True)
    images, items, truth = made(spec)
    assert np.isnan(truth["centres"]).all() and (items["phi"] == 0).all() and (items["n_centres"] == 0).all()
    found, expected = images.mean(axis=(1, 2, 3)) - 100, items["background"] * kept(spec["imaging"], 40, 0.1).mean()
    assert found == pytest.approx(expected.to_numpy(), abs=0.5)  # 63,000 voxels of 17 photons' noise: 0.07
    assert gates(items, spec)["passed"]


# Datasets


def test_the_same_seed_the_same_items_and_more_of_them():
    few, many = made(SPEC), made(changed(items={"train": 6}))
    for a, b in zip((few[0], *few[2].values()), (many[0], *many[2].values())):
        assert np.array_equal(a, b[:4], equal_nan=True)
    pd.testing.assert_frame_equal(few[1], many[1][:4])
    others = [made(SPEC, seed=2), made(SPEC, "validation"), made(changed(stream="other"))]
    for other in others:
        assert (other[0][0] != few[0][0]).mean() > 0.5
    assert len({image.tobytes() for image in many[0]}) == 6


def test_the_test_split_goes_over_its_grid_again_and_again():
    spec = changed(items={"test": 2})
    images, items, _ = made(spec, "test")
    assert list(items.columns[:3]) == list(PROBLEM.conditions)
    grid = [(p, z, c) for p in (0.1, 0.25) for z in (0.2, 0.4) for c in (8, 1.5)]
    assert [tuple(row) for row in items[["phi", "sigma_z_d", "cnr"]].to_numpy()] == 2 * grid
    assert (images[:8] != images[8:]).any(axis=(1, 2, 3)).all()  # other packings
    assert set(PROBLEM.known) <= set(items)
    header = dataset(spec, "test", 1).header
    assert header["axes"] == ["item", "z", "y", "x"] and set(header["voxel_size"][1:]) <= set(items)


def test_ranges_are_drawn_as_the_configuration_says():
    spec = changed(items={"train": 4000}, brightness=[150, 900])
    table = draw_parameters(spec, "train", key("ranges"))
    u = {
        "phi": (table["phi"] - 0.05) / 0.25,
        "size": (1 / table["particle_size_um"] - 1) / (1 / 0.22 - 1),
        "cnr": np.log(table["cnr"] / 0.6) / np.log(10 / 0.6),
        "brightness": np.log(table["brightness"] / 150) / np.log(6),
    }
    for values in u.values():
        assert stats.kstest(values, "uniform").pvalue > CHANCE
    assert np.abs(np.corrcoef(list(u.values())) - np.eye(4)).max() < 5 / np.sqrt(4000)


def test_truth_holds_every_sphere_that_reaches_into_the_volume():
    spec = changed(phi=[0.25, 0.3], polydispersity=0.08, items={"train": 6})
    images, items, truth = made(spec)
    shape, counts = np.array(images.shape[1:]), []
    assert truth["centres"].shape == (6, most_spheres(spec), 3) and truth["centres"].dtype == np.float32
    for row, centres, diameters in zip(items.itertuples(), truth["centres"], truth["diameters"]):
        known = np.isfinite(diameters)
        assert known.sum() == row.n_centres and known[: row.n_centres].all()
        assert (np.isfinite(centres).all(axis=1) == known).all()
        at, size = centres[known].astype(float) / row.voxel_um, diameters[known].astype(float) / row.voxel_um
        assert size.mean() == pytest.approx(10, rel=0.03) and size.std() == pytest.approx(0.8, rel=0.3)
        assert (at > -0.5 - size.max() / 2 - 1e-3).all() and (at < shape - 0.5 + size.max() / 2 + 1e-3).all()
        d = np.linalg.norm(at[:, None] - at, axis=-1) / ((size[:, None] + size) / 2)
        assert np.min(d[np.triu_indices(len(at), 1)]) > 1 - 1e-5  # no sphere twice, none that overlaps
        assert row.min_distance_d >= 1
        counts.append((((at > -0.5) & (at < shape - 0.5)).all(axis=1).sum(), row.phi * shape.prod() * 6 / np.pi / 1000))
        share = physics.volume_fraction(at + 0.5, shape, 10.0)
        assert row.phi_measured == pytest.approx(share, rel=0.2)
    seen, expected = np.sum(counts, axis=0)
    deviate(seen, expected / (1 + 3 * 0.08**2), np.sqrt(0.3 * expected))  # a fluid's numbers vary less than Poisson's


def test_shapes_and_shards():
    wide = changed(shape_px=[32, 64, 96], phi=[0.1, 0.1], items={"train": 1})
    images, _, truth = made(wide)
    assert images.shape == (1, 32, 64, 96)
    spread = np.nanmax(truth["centres"][0], axis=0) / np.array([32, 64, 96])
    assert np.ptp(spread) < 0.2 * spread.mean()
    for shape, shard in (([64] * 3, 57), ([128] * 3, 7), ([48, 192, 192], 8), ([12, 12, 12], 256), ([512] * 3, 1)):
        assert dataset(changed(shape_px=shape), "train", 1).shard == shard


def test_a_measured_psf_end_to_end(tmp_path):
    z, y, x = np.indices((49, 21, 21))
    image = np.exp(-((z - 24) ** 2) / (2 * 4**2) - ((y - 10) ** 2 + (x - 10) ** 2) / (2 * 1.6**2))
    tifffile.imwrite(tmp_path / "psf.tif", image.astype(np.float32), photometric="minisblack")
    psf = {"kind": "image", "file": str(tmp_path / "psf.tif"), "voxel_um": [0.05, 0.05, 0.05]}
    parameters = {"phi": 0.2, "particle_size_um": 0.5, "cnr": 8.0, "brightness": 200.0}
    measured, gaussian = (
        volume(parameters, imaging({"shape_px": [40] * 3, **EVEN, "psf": p}), 3, 0)
        for p in (psf, {"kind": "gaussian", "sigma_um": [0.2, 0.08, 0.08]})
    )
    assert measured[1]["sigma_z_d"] == pytest.approx(0.4, rel=0.08)
    assert measured[1]["signal"] == pytest.approx(gaussian[1]["signal"], rel=0.02)
    assert np.corrcoef(measured[0].ravel(), gaussian[0].ravel())[0, 1] > 0.8
    assert (measured[2] == gaussian[2]).all()


def test_unknown_keys_and_settings_that_clip_are_refused():
    with pytest.raises(ValueError, match="gain"):
        imaging({"gain": 2})
    assert imaging({"snr": 9}) == {**DEFAULTS, "snr": 9}
    imaging({})["psf"]["sigma_um"][0] = 99
    assert DEFAULTS["psf"]["sigma_um"][0] == 0.2
    for changes in ({"offset": 20}, {"brightness": 50_000, "offset": 20_000}):
        with pytest.raises(ValueError, match=r"imaging\.(offset|brightness): .* expected"):
            dataset(changed(**changes), "train", 1)


# Gates


def items_of(phi, ratio, nearest=1.0001, crystal=0.0):
    phi, ratio = np.broadcast_arrays(np.asarray(phi, float), np.asarray(ratio, float))
    table = pd.DataFrame({"phi": phi, "contact_value": ratio * physics.contact_value(phi)})
    return table.assign(min_distance_d=nearest, crystal_fraction=crystal, metastable=phi > 0.545)


def test_gates_pass_what_theory_gives():
    spread = 0.01 * np.random.default_rng(1).normal(size=60)
    found = gates(items_of(np.repeat([0.1, 0.3, 0.55], 20), 1 + spread), SPEC)
    assert found["passed"] and json.loads(json.dumps(found)) == found
    assert [c["phi"] for c in found["contact_value"]["value"]] == [0.1, 0.3] and found["metastable"] == [0.55]
    assert found["contact_value"]["value"][0]["ratio"] == pytest.approx(1 + spread[:20].mean())


@pytest.mark.parametrize(
    "gate, changes",
    [
        ("min_distance_d", {"nearest": 0.9999}),
        ("contact_value", {"ratio": 1.05 + 0.01 * np.sin(np.arange(20))}),
        ("contact_value", {"ratio": 0.95 + 0.01 * np.sin(np.arange(20))}),
        ("crystal_fraction", {"crystal": 0.03}),
    ],
)
def test_gates_stop_what_is_wrong(gate, changes):
    found = gates(items_of(**{"phi": np.full(20, 0.3), "ratio": 1.0, **changes}), SPEC)
    assert not found["passed"] and not found[gate]["passed"]
    assert all(
        found[other]["passed"] for other in ("min_distance_d", "contact_value", "crystal_fraction") if other != gate
    )


def test_gates_allow_for_few_volumes_and_say_so():
    noisy = gates(items_of([0.1] * 3, [0.9, 1.1, 1.25]), SPEC)["contact_value"]["value"][0]
    assert noisy["passed"] and noisy["limit"] == pytest.approx(0.03 + 2 * noisy["standard_error"])
    two = gates(items_of([0.1] * 2, [1.5, 1.5]), SPEC)
    assert two["passed"] and two["contact_value"]["value"][0]["limit"] is None
    metastable = gates(items_of([0.55] * 9, 1.3), SPEC)  # above what is gated
    assert metastable["passed"] and metastable["contact_value"]["value"] == []


def test_drawn_volume_fractions_are_gated_in_bands():
    phi = np.linspace(0.1, 0.5499, 90)
    found = gates(items_of(phi, np.where(phi < 0.3, 1.0, 1.1)), SPEC)
    bands = found["contact_value"]["value"]
    assert [c["phi"] for c in bands] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [c["passed"] for c in bands] == [True, True, False, False] and not found["passed"]


def test_simulated_volumes_pass_their_gates():
    items = made(changed(items={"test": 1}), "test")[1]
    found = gates(items, SPEC)
    assert found["passed"], found
    assert not items["metastable"].any()


# The configuration


def refused(spec, memory_mb=None):
    """Keys with a fault, by the schema or else by the rules of the problem."""
    entry = {key: value for key, value in spec.items() if key != "stream"}
    found = [f.where for f in schema_faults(entry, schemas.of_dataset("colloids"), "")]
    return found or [key for key, _, _ in faults(spec, memory_mb)]


def test_the_house_setting_is_right():
    assert refused(SPEC, memory_mb=1000) == []
    assert refused(changed(shape_px=[48, 192, 192], brightness=[200, 2000], offset=1000), 8000) == []


@pytest.mark.parametrize(
    "key, value, found",
    [
        ("imaging.snr", 5, "imaging.snr"),  # below the CNR
        ("imaging.brightness", 100, "imaging.brightness"),  # below SNR²
        ("imaging.brightness", [900, 300], "imaging.brightness"),
        ("imaging.brightness", [200, 60000], "imaging.brightness.1"),
        ("imaging.offset", 50, "imaging.offset"),
        ("imaging.offset", 65000, "imaging.offset"),
        ("imaging.shape_px", [64, 64], "imaging.shape_px"),
        ("imaging.shape_px", [24, 64, 64], "imaging.shape_px"),  # below three diameters
        ("imaging.diameter_px", 20, "imaging.shape_px"),
        ("imaging.psf", {"kind": "airy"}, "imaging.psf.kind"),
        ("imaging.psf", {"kind": "gaussian", "sigma_um": 0.2}, "imaging.psf.sigma_um"),
        ("imaging.psf", {"kind": "gaussian", "file": "psf.tif"}, "imaging.psf.file"),
        ("imaging.bleaching", 1.0, "imaging.bleaching"),
        ("imaging.polydispersity", 0.3, "imaging.polydispersity"),
        ("imaging.brightness_sd", -0.1, "imaging.brightness_sd"),
        ("imaging.gain", 2, "imaging.gain"),
        ("phi", [0.1, 0.6], "phi"),
        ("phi", [0.3, 0.1], "phi"),
        ("phi", [0, 0.1], "phi.0"),
        ("test_phi", [0.1, 0.4], "test_phi"),
        ("test_phi", [], "test_phi"),
        ("particle_size_um", [1.0, 0.22], "particle_size_um"),
        ("test_particle_size_um", [2.0], "test_particle_size_um"),
        ("cnr", [10, 0.6], "cnr"),
        ("test_cnr", [0.3], "test_cnr"),
        ("test_cnr", [11], "test_cnr"),
        ("items", {"train": 1, "validation": 1, "test": 0}, "items.test"),
        ("cue", "no_shape", "cue"),
    ],
)
def test_what_is_wrong_is_refused(key, value, found):
    spec = deepcopy(SPEC)
    *parents, last = key.split(".")
    at = spec
    for parent in parents:
        at = at[parent]
    at[last] = value
    assert found in refused(spec)


@pytest.mark.parametrize("key", [k for k in SPEC if k != "stream"] + [f"imaging.{k}" for k in EXPECTED])
def test_no_key_may_be_missing(key):
    spec = deepcopy(SPEC)
    if key.startswith("imaging."):
        del spec["imaging"][key.split(".")[1]]
    else:
        del spec[key]
    assert refused(spec) == [key]


def test_faults_say_what_was_found_and_what_is_expected():
    found = dict((key, (what, expected)) for key, what, expected in faults(changed(phi=[0.1, 0.6], snr=5), None))
    assert found["phi"][0] == "0.6" and str(LARGEST_PHI) in found["phi"][1]
    assert found["imaging.snr"][0] == "5" and "CNR of 10" in found["imaging.snr"][1]


def test_memory():
    small, large = ({"imaging": imaging({"shape_px": [n] * 3})} for n in (64, 128))
    assert item_mb(small) == 2 * 64**3 / 1e6
    assert 5 * item_mb(small) < simulate_mb(small) - 30 < 40 * item_mb(small), "the canvas, beside a shard of 30 MB"
    assert simulate_mb(large) - 30 > 3.5 * (simulate_mb(small) - 30), "eight times the voxels, less margin"
    assert refused(changed(shape_px=[256] * 3), memory_mb=100) == ["imaging.shape_px"]


# Any setting


@st.composite
def specifications(draw):
    diameter = draw(st.floats(5, 9))
    low = draw(st.floats(0.02, 0.3))
    snr = draw(st.floats(2, 12))
    return {
        **SPEC,
        "imaging": {
            "shape_px": [draw(st.integers(28, 36)) for _ in range(3)],
            "diameter_px": diameter,
            "psf": {"kind": "gaussian", "sigma_um": draw(st.tuples(*[st.floats(0.02, 0.3)] * 3))},
            "brightness": draw(st.floats(snr**2, 5_000)),
            "brightness_sd": draw(st.floats(0, 0.2)),
            "snr": snr,
            "bleaching": draw(st.floats(0, 0.9)),
            "polydispersity": draw(st.floats(0, 0.1)),
            "offset": 20_000,
        },
        "phi": [low, low + draw(st.floats(0, 0.1))],
        "particle_size_um": [0.4, 1.0],
        "cnr": [0.1, snr],
        "items": {"train": 1},
    }


@given(specifications(), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_specification(spec, seed):
    images, items, truth = made(spec, seed=seed)
    row = items.iloc[0]
    assert images.dtype == np.uint16 and images.shape[1:] == tuple(spec["imaging"]["shape_px"])
    assert 0 < images.min() and images.max() < 65535
    assert (images == made(spec, seed=seed)[0]).all()
    assert row["background"] >= 0 and row["noise"] > 0 and row["min_distance_d"] >= 1
    assert 0 <= row["phi_measured"] < 0.64 and np.isfinite(truth["diameters"][0]).sum() == row["n_centres"]
    assert row["brightness"] / np.sqrt(row["brightness"] + row["read_noise"] ** 2) == pytest.approx(
        row["snr"], rel=1e-6
    )
    n = packing.number(row["phi"], np.array(spec["imaging"]["shape_px"]) / row["diameter_px"] + 2, 0.0)
    assert row["n_centres"] <= n
