"""A configuration is expanded as its README says, and a wrong one is refused with key, value and expectation."""

import math

import pytest
from configurations import IMAGING, layers, put, refusal

from blurbench.planning import units
from blurbench.planning.configuration import expand
from blurbench.planning.repeated_keys import repeated_keys

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
    ("precision", "float16", "one of float32, bfloat16"),
    ("training_seeds", [], "at least 1"),
    ("resamples", 10, "from 100"),
    ("threads.train", 0, "from 1"),
    ("memory_mb", 10, "MB"),
    ("memory_mb", "32 GB", "a whole number"),
    ("predict_timeout_s", math.nan, "found nan, expected a number"),
    ("problems.diffusion.budget", [1], "a mapping"),
    ("problems.diffusion.budget.epochs", math.inf, "found inf, expected a number"),
    ("problems.diffusion.budget.learning_rate", math.nan, "found nan, expected a number"),
    (f"{IMAGING}.pixel_size_um", 200, "µm"),
    (f"{IMAGING}.pixel_sise_um", 0.2, "did you mean pixel_size_um?"),
    (f"{IMAGING}.frame_time_s", -0.01, "s from one frame to the next"),
    (f"{IMAGING}.exposure_s", 0.02, "at most the longest frame time of 0.01"),
    (f"{IMAGING}.substeps", 1001, "up to 1000"),
    (f"{IMAGING}.substeps", 0, "from 1"),
    (f"{IMAGING}.substeps", 2.5, "a whole number"),
    (f"{IMAGING}.substeps", "continous", "the word continuous"),
    (f"{IMAGING}.blinking", {"dark_share": 0.3}, "s, mean of a dark time"),
    (f"{IMAGING}.corral_um", 0, "µm, side of the square"),
    (f"{IMAGING}.frames", 1, "from 2"),
    (f"{IMAGING}.frames", [32, 4], "lo not above hi"),
    (f"{IMAGING}.photons", [1000, 30], "lo not above hi"),
    (f"{IMAGING}.photons", "1e3", "write 1.0e-4"),
    (f"{IMAGING}.photons", 0, "above 0"),
    (f"{IMAGING}.photons", math.nan, "found nan, expected a number"),
    (f"{IMAGING}.photons", [math.nan, 100], "found nan, expected a number"),
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
    (f"{METHODS}.ours", {"options": {"width": -1}}, "options.width: found -1, expected a whole number from 1"),
    (f"{METHODS}.ours", {"options": {"dropout": 1.0}}, "options.dropout: found 1.0, expected a number from 0"),
    (f"{METHODS}.ours", {"options": {"dropout": math.nan}}, "found nan, expected a finite number"),
    (f"{METHODS}.a", {"method": "pix2d", "options": {"rotations": 3}}, "found 3, expected one of 1, 4, 8"),
    (f"{METHODS}.a", {"method": "mle", "options": {"localisation_error": "knwon"}}, "one of fitted, known"),
    (
        f"{METHODS}.a",
        {"method": "centroid_msd", "options": {"lags": 1}},
        "one of all, optimal or a whole number from 2",
    ),
    (f"{METHODS}.a", {"method": "summary_ridge", "options": {"strengths": []}}, "a list (a list holds at least 1)"),
    (f"{METHODS}.a", {"method": "summary_ridge", "options": {"strengths": [-1.0]}}, "strengths.0: found -1.0"),
    (f"{METHODS}.a", {"method": "summary_ridge", "options": {"strengths": [1.0, float("inf")]}}, "finite numbers"),
    ("problems.fusion.methods.gaussian", {"options": {"target": "fusde"}}, "one of density, fused, deconvolved"),
    ("problems.colloids.methods.ours", {"options": {"mirrors": 16}}, "one of 1, 2, 4, 8"),
    (f"{METHODS}.ours", {"budget": {"learning_rate": "1e-4"}}, "write 1.0e-4"),
    (f"{METHODS}.ours", {"budget": {"items": 5}}, "epochs, batch_size"),
    (f"{METHODS}.ours", {"kind": "learned"}, "external: true"),
    (f"{METHODS}.variant", {"model": "cve"}, "a method that is trained"),
    (f"{METHODS}.variant", {"model": "ours", "budget": {"epochs": 5}}, "whose weights it uses"),
    (f"{METHODS}.variant", {"model": "hours"}, "did you mean ours?"),
    (f"{METHODS}.variant", {"external": True, "options": {"a": 1}}, "only kind beside external"),
    ("problems.fusion.methods.mine", {"external": "csv"}, "true, as answers of fusion are images"),
    (f"{METHODS}.variant", {"model": "ours", "of": "wyde"}, "did you mean wide?"),
    (
        f"{METHODS}.variant",
        {"model": "ours", "of": "report_no_shape"},
        "on which ours is trained: one of report",
    ),
    (f"{METHODS}.variant", {"like": "ours", "of": "wide"}, "model beside it"),
    (f"{METHODS}.variant", {"model": "ours", "sweep": {"width": [8]}}, "whose weights it uses"),
    (f"{METHODS}.cve", {"sweep": {"lags": [1]}}, "none, as Cve is classical and not learned"),
    (
        f"{METHODS}.ours.sweep.widht",
        [8, 16],
        "a key of its budget that exists: did you mean width?",
    ),
    (f"{METHODS}.ours.sweep.width", 8, "a list (a list holds at least 1): list of values to try"),
    (f"{METHODS}.ours.sweep", {"width": [8, 8.5]}, "sweep.width.1: found 8.5, expected a whole number like 32"),
    (f"{METHODS}.ours.sweep", {"warmup": [0.1, 2]}, "sweep.warmup.1: found 2, expected a number from 0 up to 1"),
    (f"{METHODS}.ours.sweep", {}, "at least one entry"),
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


def test_a_key_of_a_file_that_stands_twice_is_told_with_its_lines(tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(
        "problems:\n  diffusion:\n    methods:\n      a: {like: ours}\n    methods:\n      b: [{c: 1, c: 2}]\n"
    )
    inner, outer = (f"{found.where}: found {found.found}" for found in repeated_keys(file))
    assert inner == f"{file}: problems.diffusion.methods.b.0.c: found the key in lines 6, 6"
    assert outer == f"{file}: problems.diffusion.methods: found the key in lines 3, 5"
    file.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")
    assert not repeated_keys(file)


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


def test_a_grid_beyond_the_range_is_for_the_models_of_another_dataset(config):
    beyond = {"like": "report", "models": "report", "test_D_um2_s": [0.01, 50]}
    config["problems"]["diffusion"]["datasets"]["beyond"] = beyond
    assert expand(config)["problems"]["diffusion"]["datasets"]["beyond"]["test_D_um2_s"] == [0.01, 50]
    del beyond["models"]
    assert "beyond.test_D_um2_s: found [0.01, 50], expected values in the" in refusal(config)


@pytest.mark.parametrize("second", ["cue", "imaging.corral_um"])
def test_images_are_wrong_in_one_way_at_most(config, second):
    entry = {"like": "report", "models": "report", "imaging": {"defocus_um": 0.4}}
    put(config, "problems.diffusion.datasets.blurred", entry)
    put(config, "problems.diffusion.datasets.blurred." + second, "no_shape" if second == "cue" else 1)
    message = refusal(config)
    assert f"blurred.imaging: found defocus_um, {second.split('.')[-1]}, expected one way at most" in message


def test_a_scaled_configuration_has_fewer_of_all_items(config):
    whole, scaled = expand(config), expand({**config, "scale": 0.02})
    for problem, entry in whole["problems"].items():
        for name, dataset in entry["datasets"].items():
            few = scaled["problems"][problem]["datasets"][name]["items"]
            for split, n in dataset["items"].items():
                assert few[split] == max(-(-n // 50), min(n, 1 if split == "test" else 4))


@pytest.mark.parametrize("wrong", [0, -1, 1.5, float("nan"), "half"])
def test_a_scale_is_a_share(config, wrong):
    assert "scale: found" in refusal({**config, "scale": wrong})


def test_null_leaves_an_entry_out(config):
    config["problems"]["diffusion"]["datasets"]["report_continuous"] = None
    assert "report_continuous" not in expand(config)["problems"]["diffusion"]["datasets"]


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
    variant, trained = (full["problems"]["diffusion"]["methods"][name] for name in ("resnet2d_rot4", "resnet2d"))
    assert (variant["model"], variant["trains"], variant["method"]) == ("resnet2d", False, "resnet2d")
    assert variant["options"] == {**trained["options"], "rotations": 4}
    assert "resnet2d_rot4" not in {method for _, method, _ in units.models_of(full, "diffusion", "report")}


def test_a_sweep_is_every_combination_of_its_values(config):
    config["precision"] = "bfloat16"
    sweep = {"learning_rate": [1e-4, 1e-3], "width": [8, 16], "epochs": [3]}
    methods = config["problems"]["diffusion"]["methods"]
    methods["ours"]["sweep"] = sweep
    methods["ours_narrow"] = {"like": "ours", "options": {"width": 4}}
    methods["ours_again"] = {"model": "ours", "options": {"dropout": 0.5}}
    full = expand(config)
    ours, variant, narrow, plain = (
        full["problems"]["diffusion"]["methods"][name] for name in ("ours", "ours_again", "ours_narrow", "pix2d")
    )
    tried = [(1e-4, 8, 3), (1e-4, 16, 3), (1e-3, 8, 3), (1e-3, 16, 3)]
    assert [trial["values"] for trial in ours["trials"]] == [dict(zip(sweep, values)) for values in tried]
    for (rate, width, epochs), trial in zip(tried, ours["trials"]):
        assert trial["options"] == {**ours["options"], "width": width}
        stated = {"learning_rate": rate, "epochs": epochs, "precision": "bfloat16"}
        assert trial["budget"] == {**ours["budget"], **stated}
    assert variant["trials"] == [] and units.stated_options(variant) == {"dropout": 0.5}
    assert list(narrow["sweep"]) == ["learning_rate", "epochs"] and len(narrow["trials"]) == 2
    assert {trial["options"]["width"] for trial in narrow["trials"]} == {4}
    assert plain["trials"] == [{"values": {}, "options": plain["options"], "budget": plain["budget"]}]
    assert units.stated_options(plain) == plain["options"]


def test_a_model_of_another_dataset_is_a_row_of_every_other(config):
    full = expand(config)
    datasets = full["problems"]["diffusion"]["datasets"]
    assert full["problems"]["diffusion"]["methods"]["ours_wide"]["model"] == "ours"
    assert "ours_wide" in datasets["dim"]["methods"] and "ours_wide" not in datasets["wide"]["methods"]
    assert units.home(full, "diffusion", "dim", "ours_wide") == "wide"
    models = units.models_of(full, "diffusion", "dim")
    assert {("dim", "ours", 1), ("wide", "ours", 1)} <= set(models) and ("dim", "ours_wide", 1) not in models
    assert units.trainings(full).count(("diffusion", "wide", "ours", 2)) == 1
    config["problems"]["diffusion"]["datasets"]["dim"]["methods"] = ["ours_wide", "cve"]
    alone = expand(config)
    assert alone["problems"]["diffusion"]["datasets"]["dim"]["splits"] == ["test"]
    assert {home for home, *_ in units.models_of(alone, "diffusion", "dim")} == {"wide"}


def test_a_method_that_does_not_run_everywhere_runs_where_it_is_listed(config):
    config["problems"]["diffusion"]["methods"]["again"] = {"like": "posterior"}
    config["problems"]["diffusion"]["datasets"]["dim"]["methods"] = ["posterior", "cve"]
    datasets = expand(config)["problems"]["diffusion"]["datasets"]
    assert not {"posterior", "again"} & set(datasets["report"]["methods"])
    assert datasets["dim"]["methods"] == ["cve", "posterior"]


def test_a_cue_shares_streams_and_models_and_has_a_test_split_only(config):
    full = expand(config)
    cue = full["problems"]["diffusion"]["datasets"]["report_no_shape"]
    assert (cue["stream"], cue["models"], cue["splits"]) == ("report", "report", ["test"])
    assert {dataset for dataset, _, _ in units.models_of(full, "diffusion", "report_no_shape")} == {"report"}


def test_a_dataset_without_trained_methods_is_not_given_training_splits(config):
    config["problems"]["diffusion"]["datasets"]["dim"]["methods"] = ["cramer_rao"]
    config["problems"]["diffusion"]["datasets"]["dim"]["items"] = {"train": 0}
    del config["problems"]["diffusion"]["datasets"]["dim_posterior"]  # which would use its models
    assert expand(config)["problems"]["diffusion"]["datasets"]["dim"]["splits"] == ["test"]
