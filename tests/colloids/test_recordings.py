"""From a microscope's volume to centres and what follows from them: known volumes, wrong ones, and two real ones."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml

from blurbench.colloids import measurement, physics, preparation, simulate
from blurbench.colloids.locating import locate
from blurbench.colloids.packing import fitted_box, hard_spheres
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recordings import RecordingError

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data/colloids"
IMAGING = {
    "shape_px": [64, 64, 64],
    "diameter_px": 10,
    "psf": {"kind": "gaussian", "sigma_um": [0.2, 0.08, 0.08]},
    "offset": 100,
}
SPEC = {"imaging": IMAGING, "particle_size_um": [0.22, 1.0], "phi": [0.1, 0.55], "cnr": [0.6, 10], "stream": "levels"}
RECORDING = {
    "voxel_um": [0.25, 0.1, 0.125],
    "diameter_um": 1.0,
    "gain": 2.0,
    "offset": 50,
    "polarity": "bright",
    "problem": "colloids",
    "dataset": "levels",
}
BLOB = np.array([2.03, 1.91, 2.22])  # µm from the centre of the first voxel
SHAPE = (16, 40, 34)


def blob(shape=SHAPE, centre=BLOB, sides=RECORDING["voxel_um"], height=200.0, width=0.4):
    """Photons of a Gaussian blob at a known place."""
    at = np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, sides)), indexing="ij")
    return height * np.exp(-0.5 * sum((x - c) ** 2 for x, c in zip(at, centre)) / width**2)


def write(path, photons, **changes):
    """The recording's entry of a volume written to a file."""
    tifffile.imwrite(path, np.rint(2 * photons + 50).astype(np.uint16), photometric="minisblack")
    return {**RECORDING, "file": str(path), **changes}


def prepared(recording, tmp_path, spec=SPEC):
    seen = preparation.prepare(recording, spec, tmp_path / "items.zarr", tmp_path / "items.json")
    return seen, Dataset.open(tmp_path / "items.zarr")


def answer(points, status=OK, seconds=0.5):
    """Predictions of one item."""
    frame = pd.DataFrame(points, columns=["z", "y", "x"], dtype=float)
    if not len(frame):
        frame.loc[0] = np.nan
    return frame.assign(item=0, confidence=1.0, seconds=seconds, status=status)


def entries(**models):
    return {name: {"method": name, "kind": "classical", "options": {}, "models": m} for name, m in models.items()}


@pytest.fixture
def predicts(monkeypatch):
    """Make methods answer what a function (method's name, dataset, model) -> points gives."""

    def use(function):
        monkeypatch.setattr(measurement.methods, "load", lambda problem, method, options: method)
        monkeypatch.setattr(
            measurement.methods, "predict", lambda method, dataset, model, device: function(method, dataset, model)
        )

    return use


# Preparation


def test_the_item_is_what_methods_take(tmp_path):
    seen, items = prepared(write(tmp_path / "a.tif", blob()), tmp_path)
    assert items.images.shape == (1, 40, 40, 42) and items.images.dtype == np.uint16  # 4 x 4 x 4.25 µm, voxels of 0.1
    assert not items.truth and len(items) == 1
    row = items.blind().items.iloc[0]
    assert row.to_dict() == pytest.approx(
        {"particle_size_um": 1.0, "voxel_um": 0.1, "diameter_px": 10, "sigma_z_px": 2.0, "sigma_xy_px": 0.8}
    )
    assert items.spec["imaging"]["shape_px"] == [40, 40, 42]
    assert items.spec["imaging"]["psf"] == IMAGING["psf"]
    np.testing.assert_allclose(seen["photons"], blob().mean(axis=(1, 2)), atol=0.3)
    np.testing.assert_allclose(seen["z_um"], 0.25 * np.arange(16))


def test_a_stated_psf_goes_to_the_methods(tmp_path):
    recording = write(tmp_path / "a.tif", blob(), psf_sigma_um=[0.4, 0.16, 0.2])
    _, items = prepared(recording, tmp_path)
    assert items.spec["imaging"]["psf"] == {"kind": "gaussian", "sigma_um": [0.4, 0.16, 0.2]}
    assert items.items["sigma_z_px"][0] == pytest.approx(4)
    assert items.items["sigma_xy_px"][0] == pytest.approx(10 * np.sqrt(0.16 * 0.2))


def test_resampling_keeps_places_and_light():
    light = preparation.resample(blob(), RECORDING["voxel_um"], 0.1)
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
    coarse = preparation.resample(stripes, [1, 1, 1], 3.0)[0, 0] / 27
    # Stripes of 2.2 voxels cannot be seen in voxels of 3; a Gaussian of variance 8/12 leaves 7 % of them.
    assert coarse == pytest.approx(100, abs=12)


def test_cubes_of_the_right_size_stay_as_they_are():
    volume = np.random.default_rng(0).random((5, 6, 7), dtype=np.float32)
    np.testing.assert_array_equal(preparation.resample(volume, [0.1, 0.1, 0.1], 0.1), volume)


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


def test_a_simulated_volume_is_found_again(tmp_path, predicts):
    """Simulated at twelve voxels a diameter, recorded with gain and offset, prepared at ten."""
    imaging = simulate.imaging({**IMAGING, "diameter_px": 12})
    parameters = {"phi": 0.3, "particle_size_um": 1.0, "cnr": 8.0, "brightness": 200.0}
    image, row, centres, _ = simulate.volume(parameters, imaging, 5, 0)
    recording = write(tmp_path / "a.tif", np.maximum(image - 100.0, 0), voxel_um=3 * [row["voxel_um"]])
    seen, items = prepared(recording, tmp_path)

    def find(method, dataset, model):
        photons = dataset.images[0].astype(float) - 100
        return answer(locate(photons, 11, separation=7)[0] * dataset.items["voxel_um"][0])

    predicts(find)
    found = measurement.measure(recording, items, seen, entries(any=[]), "cpu", 100, 1)
    table = found.methods.iloc[0]
    assert table["phi"] == pytest.approx(row["phi_measured"], rel=0.15)  # some thirty spheres in the inset
    assert table["core_g"] == 0 and table["core_precision"] == 1
    # Details are in the frame of the recording: rms 0.04 d as the facts of this blur have it, bias below half a voxel's
    # shift of frames.
    inside = centres[((centres > 0.75) & (centres < 64 / 12 - 0.75)).all(axis=1)]
    offsets = found.details[["z", "y", "x"]].to_numpy()[None] - inside[:, None]
    nearest = offsets[np.arange(len(inside)), np.linalg.norm(offsets, axis=2).argmin(axis=1)]
    assert np.linalg.norm(nearest, axis=1).max() < 0.25
    assert np.sqrt((nearest**2).mean()) < 0.06


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
    tifffile.imwrite(file, np.zeros((3, 4, 20, 30), np.uint8), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(RecordingError, match="depth alone beside y and x: save one point in time"):
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


# Measurement


def volume_of(side):
    """What `describe` reads of an item of that side, spheres of 1 µm in ten voxels."""
    items = pd.DataFrame({"particle_size_um": [1.0], "voxel_um": [0.1], "diameter_px": [10.0]})
    return SimpleNamespace(items=items, images=np.zeros((1, *3 * [round(10 * side)]), np.uint8))


@pytest.fixture(scope="module")
def fluid():
    """Centres of a hard-sphere fluid in a cube of 12 µm, spheres of 1 µm, and its volume fraction."""
    phi = 0.3
    box = fitted_box(phi, 12.0, 1.0)
    centres = hard_spheres(phi, box, 1.0, 0)
    return centres[(centres < 12).all(axis=1)] - 0.05, phi  # from the centre of the first voxel


def test_a_fluid_is_described_as_theory_has_it(fluid):
    centres, phi = fluid
    about, r, g = measurement.describe(centres, {}, volume_of(12))
    assert about["n"] == len(centres) and about["n_inset"] < len(centres)
    assert about["phi"] == pytest.approx(phi, rel=0.05)  # √S(0) of 660 spheres is 1.2 %
    assert about["core_g"] == 0 and about["core_precision"] == 1
    # The highest bin is the mean of the steep fall from contact over a tenth of a diameter, of some 600 pairs.
    fine = np.linspace(1, 1.1, 101)
    assert g[np.searchsorted(r, 1.05 - 1e-9)] == pytest.approx(np.mean(physics.percus_yevick_g(fine, phi)), rel=0.12)
    assert about["peak_r_d"] == pytest.approx(1.05, abs=0.05)
    assert 1 < about["neighbour_d"] < 1.15
    assert g[r > 2.5] == pytest.approx(1, abs=0.15)


def test_false_centres_show_in_the_core(fluid):
    centres, _ = fluid
    false = np.random.default_rng(0).uniform(-0.05, 11.95, (round(len(centres) * 3 / 7), 3))
    about, *_ = measurement.describe(np.concatenate([centres, false]), {}, volume_of(12))
    assert about["core_precision"] == pytest.approx(0.7, abs=0.05)  # some 300 pairs in the core: 3 % of 1 - P²
    assert about["core_g"] == pytest.approx(1 - about["core_precision"] ** 2)


def test_the_inset_is_the_recordings(fluid):
    centres, phi = fluid
    seen = centres[((centres > 1.45) & (centres < 10.45)).all(axis=1)]  # a finder blind within 1.5 d of the faces
    assert measurement.describe(seen, {"inset_d": 1.5}, volume_of(12))[0]["phi"] == pytest.approx(phi, rel=0.07)
    assert measurement.describe(seen, {"inset_d": 0.5}, volume_of(12))[0]["phi"] < 0.7 * phi


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_nothing_found_is_no_number(n):
    about, _, g = measurement.describe(np.full((n, 3), 5.0), {}, volume_of(12))
    assert about["n"] == about["n_inset"] == n and about["phi"] == pytest.approx(n * np.pi / 6 / 10.5**3)
    assert np.isnan([about[key] for key in ("peak_g", "core_g", "core_precision", "neighbour_d")]).all()
    assert np.isnan(g).all()


def test_centres_are_told_in_the_recordings_frame(tmp_path, predicts):
    recording = write(tmp_path / "a.tif", blob())
    seen, items = prepared(recording, tmp_path)

    def find(method, dataset, model):
        light = dataset.images[0].astype(float) - 100
        return answer([np.array([(light * g).sum() for g in np.indices(light.shape)]) / light.sum() * 0.1])

    predicts(find)
    found = measurement.measure(recording, items, seen, entries(any=[]), "cpu", 100, 1)
    # Whole grey values cut off tails of which half a photon is left, on one side more than on the other.
    assert found.details[["z", "y", "x"]].to_numpy()[0] == pytest.approx(BLOB, abs=0.01)


def test_numbers_are_means_over_training_seeds(tmp_path, predicts):
    recording = write(tmp_path / "a.tif", blob())
    seen, items = prepared(recording, tmp_path)
    points = {"1.pt": [[2, 2, 2]], "3.pt": [[2, 2, 2], [2, 2, 3.1]], "4.pt": []}
    predicts(lambda method, dataset, model: answer(points[model], "why not" if method == "lost" else OK))
    used = entries(net=["1.pt", "3.pt"], empty=["4.pt"], lost=["4.pt"])
    found = measurement.measure(recording, items, seen, used, "cpu", 100, 1)
    table = found.methods.set_index("method")
    assert table["n"].tolist()[:2] == [1.5, 0] and pd.isna(table["n"]["lost"])
    assert table["n_seeds"].tolist() == [2, 1, 1] and table["status"].tolist() == ["ok", "ok", "why not"]
    assert (table["seconds"] == 0.5).all()
    assert found.details.groupby("seed").size().to_dict() == {1: 1, 3: 2}
    assert set(found.reference["method"]) == {"net", "empty", "lost"}
    measurement.draw(tmp_path / "a.svg", recording, items, seen, found)
    text = (tmp_path / "a.svg").read_text()
    assert "net, n = 2" in text and "empty, n = 0" in text and "lost, failed" in text and "1 µm" in text


# Real volumes


def real(name):
    """Entry of config/confocal.yaml; skips where the file is not beside the repository."""
    recording = yaml.safe_load((ROOT / "config/confocal.yaml").read_text())["recordings"][name]
    file = SHARED / Path(recording["file"]).name
    if not file.exists():
        pytest.skip(f"the volume {file.name} is not beside the repository")
    return {**recording, "file": str(file)}


@pytest.mark.parametrize(
    # Nominal volume fractions of the samples, which are no truth of these pieces of them; what one size of sphere and
    # an inferred voxel are good for is a third.
    ("name", "phi"),
    [("katherine", 0.2), ("abraham", 0.64)],
)
def test_real_volumes(tmp_path, predicts, name, phi):
    recording = real(name)
    seen, items = prepared(recording, tmp_path)
    predicts(
        lambda method, dataset, model: answer(
            locate(dataset.images[0].astype(float) - 100, 11, separation=7, noise_size=1.5)[0]
            * dataset.items["voxel_um"][0]
        )
    )
    found = measurement.measure(recording, items, seen, entries(any=[]), "cpu", 100, 1)
    table = found.methods.iloc[0]
    assert 0.67 < table["phi"] / phi < 1.5
    assert table["core_precision"] > 0.9
    assert 0.8 < table["neighbour_d"] < 1.2
