"""What spheres show against noise: that there are any, light that they lose along z, something that outshines them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from recorded_volumes import answer, entries, prepared, write
from scipy.ndimage import distance_transform_edt, gaussian_filter, maximum_filter

from blurbench.colloids import contrast, measurement, simulate
from blurbench.colloids.methods.log import Log
from blurbench.scoring.matching import match

SIDES, REACH = np.full(3, 0.1), np.array([9.0, 6.6, 6.6])  # of a voxel, diameters; voxels about an outlying sphere
DEEP = {"shape_px": [120, 64, 64], "snr": 13.8, "bleaching": 0.0}  # 200 photons over 60, read noise 3
TENTH = np.log(10) / 12  # 1/µm: light falls to a tenth over 12 µm
SETTING = {"floor": 0.3, "power": 1.0, "separation": 0.4, "threshold": 0.4}


def simulated(phi=0.3, size=1.0, cnr=9.7, seed=5, item=0, **changes):
    """Photons of a simulated volume, centres in µm and the side of its voxels."""
    imaging = simulate.imaging(changes)
    parameters = {"phi": phi, "particle_size_um": size, "cnr": cnr, "brightness": 200.0}
    image, row, centres, _ = simulate.volume(parameters, imaging, seed, item)
    return image - np.float32(100), centres, row["voxel_um"]


def noise(seed, shape=(48, 48, 48), light=150.0):
    rng = np.random.default_rng(seed)
    return (rng.poisson(light, shape) + rng.normal(0, 3, shape)).astype(np.float32)


def recall_by_thirds(truth, found, shape, voxel):
    """Of spheres half a diameter from the faces, a match within a quarter; sizes of 1 µm."""
    hit = np.zeros(len(truth), bool)
    hit[match(truth, found, 0.25)[:, 0]] = True
    box = np.array(shape) * voxel
    inside = ((truth > 0.5) & (truth < box - 0.5)).all(axis=1)
    third = np.floor(3 * truth[:, 0] / box[0])
    return [hit[inside & (third == k)].mean() for k in range(3)]


def found_by_log(items):
    return Log().predict(items, {"blur": [0.2], "settings": [SETTING]}, "cpu")[["z", "y", "x"]].to_numpy()


@pytest.mark.parametrize("slab", [1, 7, 16, 1000])
def test_a_volume_is_filtered_by_slabs_as_if_at_once(monkeypatch, slab):
    monkeypatch.setattr(contrast, "SLAB", slab)
    photons, sides = noise(0, (40, 36, 38)) + np.linspace(0, 100, 40, dtype=np.float32)[:, None, None], (0.2, 0.1, 0.15)
    light, response, variance = contrast._filtered(photons, sides)
    trend = np.polynomial.Polynomial.fit(np.arange(40), photons.mean((1, 2), dtype=float), contrast.TREND)(
        np.arange(40)
    )
    even = photons - trend[:, None, None]
    narrow, wide = (gaussian_filter(even, width / np.array(sides)) for width in (contrast.NARROW, contrast.WIDE))
    expected = narrow - wide
    expected -= np.maximum(np.median(expected, (1, 2)), 0)[:, None, None]
    np.testing.assert_allclose(response, expected, atol=1e-4)  # of 150 photons, in float32
    np.testing.assert_allclose(light, photons.mean((1, 2), dtype=float))
    at, height = contrast._peaks(response, variance / 100, sides)
    highest = response == maximum_filter(response, [5, 9, 7])
    beyond = response > contrast.PEAK * np.sqrt(variance / 100)[:, None, None]
    np.testing.assert_array_equal(at, np.argwhere(highest & beyond))
    assert len(at) > 20 and (height == response[tuple(at.T)]).all()


def test_what_is_about_places_is_within_their_ellipsoids():
    reach, shape = np.array([4.3, 2.0, 3.7]), (20, 22, 24)
    places = np.array([[0, 0, 0], [19, 21, 23], [10, 11, 12], [11, 13, 12]])
    elsewhere = np.ones(shape, bool)
    elsewhere[tuple(places.T)] = False
    np.testing.assert_array_equal(
        contrast.within(shape, places, reach), distance_transform_edt(elsewhere, 1 / reach) < 1
    )
    assert not contrast.within(shape, np.empty((0, 3), int), reach).any()


@pytest.mark.parametrize("sides", [(0.1, 0.1, 0.1), (0.25, 0.1, 0.1), (0.3, 0.3, 0.3)])
def test_noise_alone_is_rarely_beyond_noise(sides):
    """By less than a standard deviation on average, and beyond three in one of forty volumes at most."""
    shape = tuple(int(5 / side) for side in sides)
    found = np.array(
        [contrast.seen(noise(k, shape), np.array(sides), 1 / np.array(sides)).beyond_noise for k in range(40)]
    )
    assert abs(found.mean()) < 1 and found.std() < 1.5
    assert (found > contrast.PRESENT).sum() <= 1


@pytest.mark.parametrize("phi", [0.1, 0.3])
def test_spheres_of_the_lowest_contrast_under_the_widest_blur_are_beyond_noise(phi):
    photons, _, _ = simulated(phi, size=0.25, cnr=0.75, snr=12.0, bleaching=0.1)
    assert contrast.seen(photons, SIDES, REACH).beyond_noise > contrast.PRESENT


@pytest.mark.parametrize(("phi", "cnr"), [(0.1, 8.0), (0.3, 3.0), (0.5, 8.0)])
def test_an_even_volume_stays_as_it_was(tmp_path, phi, cnr):
    """Bleaching by a tenth, of which methods know, is no loss."""
    photons, _, voxel = simulated(phi, cnr=cnr, snr=12.0, bleaching=0.1)
    entry = write(tmp_path / "a.tif", photons, voxel_um=3 * [voxel])
    images = []
    for even_light in ("auto", False):
        (tmp_path / str(even_light)).mkdir()
        survey, items = prepared({**entry, "even_light": even_light}, tmp_path / str(even_light))
        assert (survey["kept"] == 1).all() and items.spec["seen"][0]["outlying_um"] == []
        images.append(items.images[0])
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_light_lost_along_z_is_given_back(tmp_path, polarity):
    """Means of the thirds as without loss, within three SDs of the fit of 300 spheres, 4 % from end to end."""
    thirds = []
    for k, attenuation in enumerate((0.0, TENTH)):
        photons, _, voxel = simulated(attenuation_per_um=attenuation, **DEEP)
        if polarity == "dark":
            kept = np.exp(-attenuation * voxel * np.arange(120))[:, None, None]
            photons = 260 * kept - photons
        (tmp_path / f"{k}").mkdir()
        entry = write(tmp_path / f"{k}.tif", photons, voxel_um=3 * [voxel], polarity=polarity)
        survey, items = prepared(entry, tmp_path / f"{k}")
        light = items.images[0].mean((1, 2)) - 100
        thirds.append(np.array([part.mean() for part in np.array_split(light, 3)]))
    fall = survey["kept"].iloc[-1] / survey["kept"].iloc[0]
    assert fall == pytest.approx(0.1, rel=0.12)
    ratio = thirds[1] / thirds[0]
    assert ratio == pytest.approx(ratio.mean(), rel=0.1)


def test_spheres_are_found_where_light_was_lost(tmp_path):
    photons, centres, voxel = simulated(attenuation_per_um=TENTH, **DEEP)
    entry = write(tmp_path / "a.tif", photons, voxel_um=3 * [voxel])
    recall = {}
    for even_light in ("auto", False):
        (tmp_path / str(even_light)).mkdir()
        _, items = prepared({**entry, "even_light": even_light}, tmp_path / str(even_light))
        recall[even_light] = recall_by_thirds(centres, found_by_log(items), photons.shape, voxel)
    assert recall["auto"][2] > recall["auto"][0] - 0.02 and recall["auto"][0] > 0.9
    assert recall[False][2] < 0.5


def test_fewer_spheres_at_one_end_are_no_loss_of_light():
    """A sediment: spheres in the lower half alone, and a background that is even."""
    photons, _, _ = simulated(0.3, cnr=8.0)
    photons[32:] = noise(0, photons[32:].shape, light=float(np.quantile(photons, 0.05)))
    found = contrast.seen(photons, SIDES, REACH)
    assert (found.kept == 1).all() and not len(found.outlying)


@pytest.fixture(scope="module")
def aggregate():
    """A volume with an aggregate ten times as bright, and its like without."""
    return [simulated(0.3, cnr=8.0, aggregate_light=light, item=1) for light in (10.0, 1.0)]


def test_an_aggregate_hides_nothing_but_what_is_about_it(tmp_path, aggregate, predicts):
    (photons, centres, voxel), (plain, _, _) = aggregate
    entry = write(tmp_path / "a.tif", photons, voxel_um=3 * [voxel])
    survey, items = prepared(entry, tmp_path)
    assert len(items.spec["seen"][0]["outlying_um"]) > 0
    predicts(lambda method, dataset, model: answer(found_by_log(dataset)))
    measured = measurement.measure(entry, items, survey, entries(log={}), "cpu", 100, 1)
    row = measured.methods.iloc[0]
    (tmp_path / "plain").mkdir()
    entry = write(tmp_path / "b.tif", plain, voxel_um=3 * [voxel])
    survey, items = prepared(entry, tmp_path / "plain")
    other = measurement.measure(entry, items, survey, entries(log={}), "cpu", 100, 1).methods.iloc[0]
    assert "what outshines the spheres" in row["remark"] and other["remark"] == ""
    assert row["phi"] == pytest.approx(other["phi"], rel=0.15)  # some thirty spheres in the inset
    assert row["n_inset"] < other["n_inset"]


def test_a_volume_without_spheres_has_no_volume_fraction(tmp_path, predicts):
    entry = write(tmp_path / "a.tif", noise(3, (16, 40, 34)), gain=2.0)
    survey, items = prepared(entry, tmp_path)
    points = np.random.default_rng(0).uniform(0.5, 3.5, (30, 3))
    predicts(lambda method, dataset, model: answer(points))
    found = measurement.measure(entry, items, survey, entries(any={}), "cpu", 100, 1)
    row = found.methods.iloc[0]
    assert row["n"] == 30 and pd.isna(row["phi"]) and pd.isna(row["core_precision"])
    assert row["remark"].startswith("nothing is beyond noise") and found.reference["g"].isna().all()


def test_hidden_voxels_are_left_out_of_the_volume_fraction():
    """Of centres that stand anywhere, half of the volume says the same as the whole."""
    items = prepared_like((120, 120, 120))
    centres = np.random.default_rng(1).uniform(-0.05, 11.95, (4000, 3))
    hidden = np.zeros((120, 120, 120), bool)
    hidden[:60] = True
    whole, *_ = measurement.describe(centres, {}, items)
    half, _, h = measurement.describe(centres, {}, items, hidden=hidden)
    assert half["phi"] == pytest.approx(whole["phi"], rel=0.06)  # 3 standard deviations of 1,500 centres
    assert half["n_inset"] < 0.55 * whole["n_inset"]
    assert h[10:15] == pytest.approx(1, abs=0.15)


def prepared_like(shape):
    """What `describe` reads of an item of that shape, spheres of 1 µm in ten voxels."""
    table = pd.DataFrame({"particle_size_um": [1.0], "voxel_um": [0.1], "diameter_px": [10.0]})
    return SimpleNamespace(items=table, images=np.zeros((1, *shape), np.uint8))
