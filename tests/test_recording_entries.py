"""Recordings: a right entry is accepted, a wrong one is refused with its key, and which methods it goes through."""

import pytest
from configurations import layers, refusal

from blurbench.planning import units
from blurbench.planning.configuration import expand


@pytest.fixture
def config():
    return {**layers("config", "bulk_water"), "recordings": {}}


def recording(tmp_path, **changes):
    file = tmp_path / "film.tif"
    file.touch()
    known = {"file": str(file), "pixel_size_um": 0.2, "frame_time_s": 0.1, "exposure_s": 0.1, "gain": "estimate"}
    tracking = {"diameter_px": 11, "minmass": "auto", "search_range_px": 5, "memory": 3, "subtract_drift": True}
    known["tracking"] = {**tracking, **changes.pop("tracking", {})}
    return {**known, "offset": 100, "polarity": "dark", "problem": "diffusion", "dataset": "beads", **changes}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("file", "no.tif", "that exists"),
        ("exposure_s", 0.2, "at most the frame time of 0.1"),
        ("gain", "guess", "the word estimate"),
        ("gain", 0, "above 0"),
        ("pixel_size_um", 351, "µm"),
        ("polarity", "black", "bright, dark"),
        ("problem", "difusion", "did you mean diffusion?"),
        ("problem", ["diffusion"], "a text"),
        ("dataset", {"a": 1}, "a text"),
        ("file", "a" * 5000, "that exists"),
        ("dataset", "bead", "did you mean beads?"),
        ("frame_rate", 24, "frame_time_s"),
        ("voxel_um", [0.1, 0.1, 0.1], "a key that exists"),
        ("tracking", {"diameter_px": 10}, "an odd number"),
        ("tracking", {"minmass": "much"}, "the word auto"),
        ("tracking", {"diameter": 11}, "did you mean diameter_px?"),
        ("tracking", {"search_range_px": 13}, "at most 12, half of a stack"),
        ("D_um2_s", 0, "number above 0 up to 10000: µm²/s, known of every molecule"),
        ("D_um2_s", [1, 2], "a number above 0"),
        ("psf", {"fwhm_um": 1.7}, "kind"),
        ("psf", {"kind": "gauss", "fwhm_um": 1.7}, "gaussian, airy, image"),
        ("psf", {"kind": "gaussian", "fwhm": 1.7}, "fwhm_um"),
        ("psf", {"kind": "gaussian", "fwhm_um": [1.2, 2.4]}, "known_to"),
        ("psf", {"kind": "airy", "na": 3, "wavelength_um": 0.5}, "numerical aperture"),
        ("psf", {"kind": "image", "file": "none.tif", "pixel_size_um": 0.1}, "that exists"),
    ],
)
def test_a_wrong_recording_is_refused(config, tmp_path, key, value, expected):
    config["recordings"] = {"film": recording(tmp_path, **{key: value})}
    message = refusal(config)
    assert f"recordings.film.{key}" in message and expected in message


@pytest.mark.parametrize("key", ["photonz", "photons"])
def test_a_fault_in_the_dataset_of_a_recording_is_told_once(config, tmp_path, key):
    config["recordings"] = {"film": recording(tmp_path)}
    config["problems"]["diffusion"]["datasets"]["beads"]["imaging"][key] = -5
    message = refusal(config)
    assert f"beads.imaging.{key}" in message and "1 fault:" in message


def test_a_file_of_several_is_named_by_its_number(config, tmp_path):
    entry = recording(tmp_path)
    config["recordings"] = {"film": {**entry, "file": [entry["file"], "no.tif"]}}
    assert "recordings.film.file.1: found 'no.tif', expected a file or folder that exists" in refusal(config)


@pytest.mark.parametrize("named", [[], 3, ["a.tif", 3], ["a.tif", "a.tif"]])
def test_what_is_no_list_of_files_is_refused(config, tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    entry = recording(tmp_path)
    (tmp_path / "a.tif").touch()
    config["recordings"] = {"film": {**entry, "file": named}}
    message = refusal(config)
    assert "recordings.film.file" in message and "LIF or folder of images" in message


def test_a_file_that_does_not_fit_into_memory_is_refused(config, tmp_path):
    """A sparse file of 1 GB: a volume is held as a whole, a movie is read frame by frame."""
    entry = volume(tmp_path)
    with open(entry["file"], "wb") as file:
        file.truncate(10**9)
    config["memory_mb"] = 8000
    config["recordings"] = {"confocal": entry}
    message = refusal(config)
    assert "recordings.confocal.file: found " in message and " of 1000 MB, expected a part of it" in message
    assert "MB, memory_mb allows 8000; or `points`, where it holds volumes over time" in message
    config["recordings"] = {"confocal": {**entry, "points": 20}, "film": {**recording(tmp_path), "file": entry["file"]}}
    assert len(expand(config)["recordings"]) == 2


def test_no_recordings_may_be_said_by_nothing(config):
    config["recordings"] = None
    assert expand(config)["recordings"] == {}


def test_a_right_recording_is_accepted(config, tmp_path):
    psf = {"kind": "gaussian", "fwhm_um": 1.7, "known_to": 0.1}
    film = recording(tmp_path, psf=psf)
    (tmp_path / "other.tif").touch()
    pooled = {**film, "file": [film["file"], str(tmp_path / "other.tif")]}
    config["recordings"] = {"film": film, "pooled": pooled, "confocal": volume(tmp_path)}
    assert expand(config)["recordings"]["film"]["gain"] == "estimate"


def volume(tmp_path, **changes):
    file = tmp_path / "volume.tif"
    file.touch()
    known = {"file": str(file), "voxel_um": [0.13, 0.13, 0.13], "diameter_um": 1.0, "gain": "estimate", "offset": 0}
    return {**known, "polarity": "bright", "problem": "colloids", "dataset": "levels", **changes}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("file", "no.tif", "that exists"),
        ("voxel_um", 0.13, "a list (a list holds 3)"),
        ("voxel_um", [0.13, 0.13], "a list holds 3"),
        ("voxel_um.1", [0.13, 0, 0.13], "µm, side of a voxel in the sample"),
        ("diameter_um", None, "µm, mean sphere diameter"),
        ("diameter_um", 0.3, "at least 3 voxels, whose longest side is 0.13 µm"),
        ("psf_sigma_um", [0.1, 0.08, 0.08], "0.200 to 0.800 diameters, 0.2 to 0.8 µm, as the models of"),
        ("psf_sigma_um", [0.3, 0.08, 0.5], "found 0.5 µm along x"),
        ("inset_d", -1, "diameters, margin at the faces"),
        ("centres", "no.csv", "that exists"),
        ("centres", [[0, 1, 2]], "a text: CSV of known centres"),
        ("pixel_size_um", 0.13, "a key that exists"),
        ("polarity", "black", "bright, dark"),
        ("dataset", "level", "did you mean levels?"),
    ],
)
def test_a_wrong_volume_is_refused(config, tmp_path, key, value, expected):
    config["recordings"] = {"confocal": volume(tmp_path, **{key.split(".")[0]: value})}
    message = refusal(config)
    assert f"recordings.confocal.{key}" in message and expected in message


def test_a_volume_without_a_psf_has_the_datasets(config, tmp_path):
    config["recordings"] = {"confocal": volume(tmp_path, diameter_um=3.0)}
    assert "psf_sigma_um: found 0.2 µm along z as in the dataset, 0.067 diameters" in refusal(config)


def test_a_recording_goes_through_what_needs_no_model_or_has_one(config):
    config["problems"]["diffusion"]["datasets"]["beads"]["methods"] = ["ours", "prior_mean"]
    config["problems"]["colloids"]["datasets"]["levels"]["methods"] = ["trackpy", "chance"]
    full = expand(config)
    live = units.live_methods(full, "diffusion", "beads")
    assert {"ours", "cve", "mle"} <= set(live) and not {"pix2d", "prior_mean", "cramer_rao"} & set(live)
    assert set(units.live_methods(full, "colloids", "levels")) == {"trackpy", "trackpy_published"}
