"""From a microscope's volume to the one that methods take, and refusing what cannot be used."""

import tracemalloc

import numpy as np
import pytest
import tifffile
from recorded_volumes import BLOB, IMAGING, RECORDING, SHAPE, SPEC, blob, prepared, write
from scipy.ndimage import affine_transform, gaussian_filter1d

from blurbench.colloids.recording_memory import prepare_mb
from blurbench.colloids.resampling import cubes, resampled
from blurbench.microscopy.recording_error import RecordingError


def test_the_item_is_what_methods_take(tmp_path):
    survey, items = prepared(write(tmp_path / "a.tif", blob()), tmp_path)
    assert items.images.shape == (1, 40, 40, 42) and items.images.dtype == np.uint16  # 4 x 4 x 4.25 µm, voxels of 0.1
    assert not items.truth and len(items) == 1
    row = items.blind().items.iloc[0]
    assert row.to_dict() == pytest.approx(
        {"particle_size_um": 1.0, "voxel_um": 0.1, "diameter_px": 10, "sigma_z_px": 2.0, "sigma_xy_px": 0.8}
    )
    assert items.spec["imaging"]["shape_px"] == [40, 40, 42]
    assert items.spec["imaging"]["psf"] == IMAGING["psf"]
    np.testing.assert_allclose(survey["photons"], blob().mean(axis=(1, 2)), atol=0.3)
    np.testing.assert_allclose(survey["z_um"], 0.25 * np.arange(16))


def test_a_stated_psf_goes_to_the_methods(tmp_path):
    recording = write(tmp_path / "a.tif", blob(), psf_sigma_um=[0.4, 0.16, 0.2])
    _, items = prepared(recording, tmp_path)
    assert items.spec["imaging"]["psf"] == {"kind": "gaussian", "sigma_um": [0.4, 0.16, 0.2]}
    assert items.items["sigma_z_px"][0] == pytest.approx(4)
    assert items.items["sigma_xy_px"][0] == pytest.approx(10 * np.sqrt(0.16 * 0.2))


def whole(volume, sides, side):
    """All planes of a volume on cubes."""
    return np.stack(list(resampled(volume.astype(np.float32), sides, side)))


@pytest.mark.parametrize("sides", [[0.25, 0.1, 0.125], [0.05, 0.07, 0.1], [0.1, 0.03, 0.4]])
def test_planes_are_those_of_a_spline_in_three_dimensions(sides):
    volume, ratio = np.random.default_rng(0).random((40, 41, 42)), 0.1 / np.array(sides)
    smooth = volume
    for axis, r in enumerate(ratio):
        if r > 1:
            smooth = gaussian_filter1d(smooth, np.sqrt((r**2 - 1) / 12), axis, mode="nearest")
    shape = cubes(volume.shape, sides, 0.1)
    expected = affine_transform(smooth, ratio, (ratio - 1) / 2, shape, order=3, mode="nearest") * ratio.prod()
    np.testing.assert_allclose(whole(volume, sides, 0.1), expected, atol=5e-6 * ratio.prod())


def test_resampling_keeps_places_and_light():
    light = whole(blob(), RECORDING["voxel_um"], 0.1)
    # Of the cubes' grid, whose first corner is the recording's.
    centre = np.array([(light * g).sum() for g in np.indices(light.shape)]) / light.sum() * 0.1
    expected = BLOB + (np.array(RECORDING["voxel_um"]) - 0.1) / 2
    # Half a voxel of the blob's tail is cut off along x. A grid laid on the first voxel's centre instead of its corner
    # would be wrong by 0.075 µm along z.
    assert centre == pytest.approx(expected, abs=2e-3)
    assert light.sum() == pytest.approx(blob().sum(), rel=1e-3)
    assert light.max() == pytest.approx(200 * 0.1**3 / np.prod(RECORDING["voxel_um"]), rel=0.02)


def test_coarser_voxels_take_no_aliases():
    stripes = 100 + 100 * np.cos(np.pi * np.arange(60) * 0.9)[None, None] * np.ones((6, 6, 1))
    coarse = whole(stripes, [1, 1, 1], 3.0)[0, 0] / 27
    # Stripes of 2.2 voxels cannot be seen in voxels of 3; a Gaussian of variance 8/12 leaves 7 % of them.
    assert coarse == pytest.approx(100, abs=12)


def test_cubes_of_the_right_size_stay_as_they_are():
    volume = np.random.default_rng(0).random((5, 6, 7), dtype=np.float32)
    np.testing.assert_array_equal(whole(volume, [0.1, 0.1, 0.1], 0.1), volume)


def test_dark_spheres_become_bright(tmp_path):
    (tmp_path / "dark").mkdir()
    _, bright = prepared(write(tmp_path / "a.tif", blob()), tmp_path)
    _, dark = prepared(write(tmp_path / "b.tif", 300 - blob(), polarity="dark"), tmp_path / "dark")
    difference = dark.images[0].astype(float) - bright.images[0]
    assert np.abs(difference).max() <= 1  # rounding


def test_gain_and_offset_are_estimated(tmp_path):
    """A photon-counting detector: the estimated grey values are photons within the estimate's 5 %."""
    rng = np.random.default_rng(1)
    expected = np.broadcast_to(np.linspace(20, 400, 80), (24, 60, 80))
    recording = write(tmp_path / "a.tif", rng.poisson(expected), gain="estimate", offset="estimate")
    _, items = prepared(recording, tmp_path)
    calibration = items.spec["calibration"]
    assert calibration["gain"] == pytest.approx(2, rel=0.05)
    assert calibration["offset"] == pytest.approx(50, abs=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voxel_um": None}, "voxel_um: found nothing, expected 3 numbers above 0"),
        ({"voxel_um": 0.1}, "voxel_um: found 0.1"),
        ({"voxel_um": [0.1, 0, 0.1]}, r"voxel_um: found \[0.1, 0, 0.1\]"),
        ({"voxel_um": [0.1, -0.1, 0.1]}, "voxel_um: found"),
        ({"voxel_um": [0.4, 0.1, 0.1]}, "diameter_um: found 1.0, expected µm, at least 3 voxels"),
        ({"diameter_um": None}, "diameter_um: found nothing"),
        ({"diameter_um": float("nan")}, "diameter_um: found nan"),
        ({"diameter_um": 0.9}, "psf_sigma_um: found 0.2 µm along z as in the dataset, 0.222 diameters"),
        ({"psf_sigma_um": [0.1, 0.08, 0.08]}, "psf_sigma_um: found 0.1 µm along z, 0.100 diameters, expected 0.200 to"),
        ({"psf_sigma_um": [0.2, 0.08]}, r"psf_sigma_um: found \[0.2, 0.08\], expected 3 numbers"),
        ({"gain": 0}, "gain: found 0"),
        ({"gain": None}, "gain: found nothing"),
        ({"gain": 1e-4}, "gain: found a voxel of .* photons, expected at most 65435: a larger one"),
        ({"offset": "guess"}, "offset: found 'guess'"),
        ({"offset": 400}, "offset: found 400 ADU, expected a dark level below the mean of 55.91"),
        ({"offset": -1e6, "gain": 1}, "gain: found a voxel of"),
        ({"polarity": "grey"}, "polarity: found 'grey'"),
        ({"inset_d": 2.0}, "inset_d: found 2.0, expected at most 1.50"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path, changes, message):
    recording = write(tmp_path / "a.tif", blob())
    narrow = {**SPEC, "particle_size_um": [0.95, 1.0]} if "diameter_um" in changes else SPEC
    with pytest.raises(RecordingError, match=f"a.tif: {message}"):
        prepared({**recording, **changes}, tmp_path, narrow)


def test_the_blur_of_a_measured_psf_is_judged_as_well(tmp_path):
    psf = blob((41, 21, 21), (1.0, 0.5, 0.5), 3 * [0.05], width=0.15)
    tifffile.imwrite(tmp_path / "psf.tif", psf.astype(np.float32), photometric="minisblack")
    measured = {"kind": "image", "file": str(tmp_path / "psf.tif"), "voxel_um": 3 * [0.05]}
    spec = {**SPEC, "imaging": {**IMAGING, "psf": measured}}
    recording = write(tmp_path / "a.tif", blob())
    _, items = prepared(recording, tmp_path, spec)
    assert items.items["sigma_z_px"][0] == pytest.approx(1.5, rel=0.1)
    with pytest.raises(RecordingError, match="psf_sigma_um: found 0.1 µm along z, 0.100 diameters"):
        prepared({**recording, "psf_sigma_um": 3 * [0.1]}, tmp_path, spec)


@pytest.mark.parametrize("shape", [(11, 40, 34), (16, 29, 34), (16, 40, 23)])
def test_a_thin_volume_is_refused(tmp_path, shape):
    with pytest.raises(RecordingError, match="file: found a volume of .* µm, expected at least 3 diameters of 1 µm"):
        prepared(write(tmp_path / "a.tif", blob(shape)), tmp_path)


def test_a_file_that_is_no_volume_is_refused(tmp_path):
    file = tmp_path / "a.tif"
    with pytest.raises(RecordingError, match="a.tif: file: found nothing there"):
        prepared({**RECORDING, "file": str(file)}, tmp_path)
    file.write_bytes(b"no image at all")
    with pytest.raises(RecordingError, match="a.tif: file: found no image that can be read"):
        prepared({**RECORDING, "file": str(file)}, tmp_path)
    with pytest.raises(RecordingError, match="found one slice, expected a volume of at least two slices"):
        prepared(write(file, blob()[0]), tmp_path)
    bad = blob().astype(np.float32)
    bad[7, 3, 3] = np.nan
    tifffile.imwrite(file, bad, photometric="minisblack")
    with pytest.raises(RecordingError, match="slice 7: found 1 pixels that are NaN or infinite"):
        prepared({**RECORDING, "file": str(file)}, tmp_path)
    with pytest.raises(RecordingError, match="found the grey value 50 everywhere"):
        prepared(write(file, np.zeros(SHAPE)), tmp_path)
    tifffile.imwrite(file, np.zeros((3, 4, 20, 30), np.uint8), metadata={"axes": "QZYX"})
    with pytest.raises(RecordingError, match="q: 3, z: 4.*depth alone beside y and x, or axes named t and z: save one"):
        prepared({**RECORDING, "file": str(file)}, tmp_path)


def test_voxels_inside_the_file_must_agree(tmp_path):
    grey = np.rint(2 * blob() + 50).astype(np.uint16)
    about = {"axes": "ZYX", "PhysicalSizeX": 125, "PhysicalSizeXUnit": "nm", "PhysicalSizeZ": 0.25}
    tifffile.imwrite(tmp_path / "a.ome.tif", grey, ome=True, metadata=about)
    recording = {**RECORDING, "file": str(tmp_path / "a.ome.tif")}
    prepared(recording, tmp_path)
    with pytest.raises(RecordingError, match="voxel_um: found 0.3 in the configuration, expected 0.25 as in the file"):
        prepared({**recording, "voxel_um": [0.3, 0.1, 0.125]}, tmp_path)
    with pytest.raises(RecordingError, match="voxel_um: found 0.1 in the configuration, expected 0.125 as in the file"):
        prepared({**recording, "voxel_um": [0.25, 0.1, 0.1]}, tmp_path)


@pytest.mark.parametrize(
    ("about", "found", "expected"),
    [
        ({"spacing": 0.5, "unit": "microns"}, 0.25, 0.5),
        ({"spacing": 0.25, "unit": "micron", "resolution": (8, 5)}, 0.1, 0.2),
    ],
)
def test_voxels_of_imagej_are_judged_along_every_axis_whatever_the_spelling(tmp_path, about, found, expected):
    grey = np.rint(2 * blob() + 50).astype(np.uint16)
    resolution = about.pop("resolution", (8, 10))  # voxels per µm along x and y
    tifffile.imwrite(tmp_path / "a.tif", grey, imagej=True, resolution=resolution, metadata={"axes": "ZYX", **about})
    entry = {**RECORDING, "file": str(tmp_path / "a.tif")}
    told = f"voxel_um: found {found} in the configuration, expected {expected} as in the file's own metadata"
    with pytest.raises(RecordingError, match=told):
        prepared(entry, tmp_path)
    prepared({**entry, "calibration": "mine"}, tmp_path)


def test_of_two_volumes_in_a_file_one_is_chosen(tmp_path):
    """An overview and the sample, as acquisition software exports what belongs together."""
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as file:
        for name, height in (("overview", 100.0), ("sample", 200.0)):
            grey = np.rint(2 * blob(height=height) + 50).astype(np.uint16)
            file.write(grey, photometric="minisblack", metadata={"axes": "ZYX", "Name": name})
    entry = {**RECORDING, "file": str(tmp_path / "two.ome.tif")}
    with pytest.raises(RecordingError, match=r"series: found 2 images, .*: 0 \(overview, .*\), 1 \(sample, "):
        prepared(entry, tmp_path)
    for series in (1, "sample"):
        survey, _ = prepared({**entry, "series": series}, tmp_path)
        np.testing.assert_allclose(survey["photons"], blob().mean(axis=(1, 2)), atol=0.3)


@pytest.mark.parametrize("voxel_um", [[0.1, 0.1, 0.1], [0.2, 0.1, 0.1], [0.1, 0.15, 0.15]])
def test_no_more_memory_is_taken_than_is_asked_for(tmp_path, voxel_um):
    grey = np.random.default_rng(0).poisson(60, (96, 256, 256)).astype(np.uint8)
    grey += np.arange(96, dtype=np.uint8)[:, None, None]
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="minisblack")
    recording = {**RECORDING, "file": str(tmp_path / "a.tif"), "voxel_um": voxel_um, "gain": "estimate", "offset": 20}
    asked = prepare_mb(recording, SPEC, [grey.nbytes / 1e6])
    tracemalloc.start()
    prepared(recording, tmp_path)
    taken = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert 0.25 * asked < taken < asked
