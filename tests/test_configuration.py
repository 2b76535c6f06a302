"""A configuration is expanded as its README says, and a wrong one is refused with key, value and expectation."""

import pytest
from configurations import IMAGING, layers, put, refusal

from blurbench.planning import units
from blurbench.planning.configuration import expand

DATASET = "problems.diffusion.datasets.report"
METHODS = "problems.diffusion.methods"


@pytest.fixture
def config():
    return layers("config")


BAD = [
    # where, value, what the message must hold beside both
    ("seeed", 3, "did you mean seed?"),
    ("seed", -1, "from 0"),
    ("run", "my run", "lower-case letters"),
    ("device", "gpu", "auto, cpu, cuda"),
    ("training_seeds", [], "at least 1"),
    ("resamples", 10, "from 100"),
    ("threads.train", 0, "from 1"),
    ("memory_mb", 10, "MB"),
    (f"{IMAGING}.pixel_size_um", 200, "µm"),
    (f"{IMAGING}.pixel_sise_um", 0.2, "did you mean pixel_size_um?"),
    (f"{IMAGING}.frame_time_s", -0.01, "s from one frame to the next"),
    (f"{IMAGING}.exposure_s", 0.02, "at most the longest frame time of 0.01"),
    (f"{IMAGING}.substeps", 1001, "up to 1000"),
    (f"{IMAGING}.substeps", 0, "from 1"),
    (f"{IMAGING}.substeps", 2.5, "a whole number"),
    (f"{IMAGING}.frames", 1, "from 2"),
    (f"{IMAGING}.frames", [32, 4], "lo not above hi"),
    (f"{IMAGING}.photons", [1000, 30], "lo not above hi"),
    (f"{IMAGING}.photons", "1e3", "write 1.0e-4"),
    (f"{IMAGING}.photons", 0, "above 0"),
    (f"{IMAGING}.background", [0, 1, 2], "a list holds 2"),
    (f"{IMAGING}.start_spread_px", 40, "at most half of the field of 64"),
    (f"{IMAGING}.psf", {"kind": "gaussian", "fwhm_um": -0.25}, "µm, full width at half maximum"),
    (f"{IMAGING}.psf", {"kind": "gauss", "fwhm_um": 0.25}, "gaussian, airy, image"),
    (f"{IMAGING}.psf", {"kind": "airy", "na": 1.4, "wavelength_um": 600}, "µm, emission wavelength"),
    (f"{IMAGING}.psf", {"kind": "airy", "na": 1.4, "fwhm_um": 0.2}, "na, wavelength_um"),
    (f"{IMAGING}.psf", {"kind": "image", "file": "no_psf.tif", "pixel_size_um": 0.02}, "a file that exists"),
    (f"{IMAGING}.camera.gain", 0, "ADU per electron"),
    (f"{IMAGING}.camera.quantum_efficiency", 90, "up to 1"),
    (f"{IMAGING}.camera.saturation", 50, "above the offset of 100"),
    (f"{DATASET}.D_um2_s", [-0.1, 10], "µm²/s"),
    (f"{DATASET}.D_um2_s", [10, 0.1], "lo not above hi"),
    (f"{DATASET}.test_D_um2_s", [0.1, 50], "in the training range D_um2_s of [0.05, 20]"),
    (f"{DATASET}.items.test", 0, "from 1"),
    (f"{DATASET}.items.train", 0, "is trained on it"),
    (f"{DATASET}.methods", ["cve", "mlee"], "did you mean mle?"),
    (f"{DATASET}.cue", "no_shapes", "no_trajectory, no_shape, no_intensity"),
    (f"{DATASET}.models", "reprot", "did you mean"),
    (f"{DATASET}.stream", "report", "no circle"),
    ("problems.diffusion.datasets.a", {"like": "report", "models": "report_no_shape"}, "states no models of another"),
    (f"{DATASET}.like", "reprot", "did you mean"),
    ("problems.diffusion.datasets.Report-2", {"like": "report"}, "lower-case letters"),
    # no name is a way out of the results folder
    ("run", "../elsewhere", "lower-case letters"),
    ("run", "/tmp/run", "lower-case letters"),
    ("run", "laptop\n", "lower-case letters"),
    ("problems.diffusion.datasets./tmp/report", {"like": "report"}, "lower-case letters"),
    ("problems.diffusion.methods./tmp/cve", {"method": "cve"}, "lower-case letters"),
    ("problems.diffusion.methods.cve", {"method": "../methods/cve"}, "a file in src/blurbench"),
    ("recordings./tmp/film", {}, "lower-case letters"),
    ("problems.diffusion.datasets.a", {"like": "a"}, "no circle"),
    ("problems.diffusions", {"datasets": {"a": {}}, "methods": {"b": {}}}, "did you mean diffusion?"),
    (f"{METHODS}.cvee", {}, "did you mean cve?"),
    (f"{METHODS}.cve", {"optoins": {}}, "did you mean options?"),
    (f"{METHODS}.ours", {"options": {"widht": 8}}, "did you mean width?"),
    (f"{METHODS}.ours", {"options": {"width": "wide"}}, "a whole number like"),
    (f"{METHODS}.ours", {"budget": {"learning_rate": "1e-4"}}, "write 1.0e-4"),
    (f"{METHODS}.ours", {"budget": {"items": 5}}, "epochs, batch_size"),
    (f"{METHODS}.ours", {"kind": "learned"}, "external: true"),
    (f"{METHODS}.variant", {"model": "cve"}, "a method that is trained"),
    (f"{METHODS}.variant", {"model": "ours", "budget": {"epochs": 5}}, "whose weights it uses"),
    (f"{METHODS}.variant", {"model": "hours"}, "did you mean ours?"),
    (f"{METHODS}.variant", {"external": True, "options": {"a": 1}}, "only kind beside external"),
    ("problems.colloids.datasets", 3, "a mapping"),
    ("problems.diffusion.compare_with", ["width_and_paht"], "did you mean width_and_path?"),
    ("problems.diffusion.compare_with", ["cramer_rao"], "a learned or a classical method"),
    ("problems.diffusion.compare_with", "cve", "a list"),
    ("recordings", {"film": {"file": "film.tif"}}, "problem whose methods run on the recording"),
    ("recordings", {"film": {"problem": "diffusion"}}, "side of a pixel in the sample"),
    ("recordings", {"film": {"problem": "colloids"}}, "sides z, y, x of a voxel in the sample"),
    ("recordings", {"film": "film.tif"}, "a mapping"),
]


@pytest.mark.parametrize(
    ("where", "value", "expected"), BAD, ids=[f"{w.split('.')[-1]}={str(v)[:30]}" for w, v, _ in BAD]
)
def test_a_fault_is_told_with_key_and_expectation(config, where, value, expected):
    put(config, where, value)
    message = refusal(config)
    assert where in message
    assert expected in message
    assert message.startswith("the configuration has")


def test_the_value_is_told(config):
    put(config, f"{IMAGING}.pixel_size_um", 123)
    assert f"{IMAGING}.pixel_size_um: found 123, expected a number from 0.005 up to 5: µm" in refusal(config)


def test_every_fault_is_told_once(config):
    put(config, f"{IMAGING}.pixel_size_um", 200)
    put(config, f"{METHODS}.ours", {"options": {"widht": 8}})
    put(config, "seed", "one")
    message = refusal(config)
    assert message.startswith("the configuration has 3 faults:")
    assert message.count("pixel_size_um") == 1, "the datasets like this one must not repeat it"


def test_a_missing_key_is_told_with_its_meaning(config):
    del config["problems"]["diffusion"]["datasets"]["report"]["imaging"]["photons"]
    assert f"{IMAGING}.photons: found nothing, expected" in refusal(config)


def test_sub_positions_beyond_the_memory_are_refused(config):
    config["memory_mb"] = 1000
    put(config, f"{IMAGING}.substeps", 1000)
    put(config, f"{IMAGING}.frames", 1000)
    put(config, f"{IMAGING}.size_px", 8)
    message = refusal(config)
    assert f"{IMAGING}.substeps: found 1000" in message and "memory_mb allows 1000" in message


def test_null_leaves_an_entry_out(config):
    config["problems"]["diffusion"]["datasets"]["wide"] = None
    assert "wide" not in expand(config)["problems"]["diffusion"]["datasets"]


def test_like_copies_and_overrides(config):
    full = expand(config)["problems"]["diffusion"]
    dim, report = full["datasets"]["dim"], full["datasets"]["report"]
    assert dim["imaging"] == {**report["imaging"], "photons": 30}
    assert dim["stream"] == dim["models"] == "dim"
    config["problems"]["diffusion"]["methods"]["ours_slow"] = {"like": "ours", "budget": {"learning_rate": 1e-4}}
    slow = expand(config)["problems"]["diffusion"]["methods"]["ours_slow"]
    assert slow["method"] == "ours" and slow["trains"] and slow["model"] == "ours_slow"
    assert slow["budget"] == {**full["methods"]["ours"]["budget"], "learning_rate": 1e-4}


def test_another_kind_of_psf_replaces_the_whole(config):
    airy = {"kind": "airy", "na": 1.4, "wavelength_um": 0.6}
    config["problems"]["diffusion"]["datasets"]["sharp"] = {"like": "report", "imaging": {"psf": airy}}
    assert expand(config)["problems"]["diffusion"]["datasets"]["sharp"]["imaging"]["psf"] == airy


def test_a_model_variant_uses_the_weights_of_another(config):
    full = expand(config)
    variant, ours = (full["problems"]["diffusion"]["methods"][name] for name in ("ours_rot8", "ours"))
    assert (variant["model"], variant["trains"], variant["method"]) == ("ours", False, "ours")
    assert variant["options"] == {**ours["options"], "rotations": 8}
    assert "ours_rot8" not in {method for _, method, _ in units.models_of(full, "diffusion", "report")}


def test_a_cue_shares_streams_and_models_and_has_a_test_split_only(config):
    full = expand(config)
    cue = full["problems"]["diffusion"]["datasets"]["report_no_shape"]
    assert (cue["stream"], cue["models"], cue["splits"]) == ("report", "report", ["test"])
    assert {dataset for dataset, _, _ in units.models_of(full, "diffusion", "report_no_shape")} == {"report"}


def test_a_dataset_without_trained_methods_is_not_given_training_splits(config):
    config["problems"]["diffusion"]["datasets"]["dim"]["methods"] = ["cramer_rao"]
    config["problems"]["diffusion"]["datasets"]["dim"]["items"] = {"train": 0}
    assert expand(config)["problems"]["diffusion"]["datasets"]["dim"]["splits"] == ["test"]
