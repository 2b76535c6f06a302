"""A configuration is expanded as its README says, and a wrong one is refused with key, value and expectation."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from blurbench.planning import configuration, work
from blurbench.planning.configuration import ConfigurationError, expand

ROOT = Path(__file__).parents[1]
DATASET = "problems.diffusion.datasets.report"
IMAGING = f"{DATASET}.imaging"
METHODS = "problems.diffusion.methods"


def layers(*names):
    config = {}
    for name in names:
        config = configuration._merged(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    return config


@pytest.fixture
def config():
    return layers("config")


def put(config, path, value):
    """Set the value at a dotted path."""
    *parents, last = path.split(".")
    for key in parents:
        config = config.setdefault(key, {})
    config[last] = value


def refusal(config):
    with pytest.raises(ConfigurationError) as error:
        expand(config)
    return str(error.value)


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
        ("dataset", "bead", "did you mean beads?"),
        ("frame_rate", 24, "frame_time_s"),
        ("voxel_um", [0.1, 0.1, 0.1], "a key that exists"),
        ("tracking", {"diameter_px": 10}, "an odd number"),
        ("tracking", {"minmass": "much"}, "the word auto"),
        ("tracking", {"diameter": 11}, "did you mean diameter_px?"),
    ],
)
def test_a_wrong_recording_is_refused(config, tmp_path, key, value, expected):
    config["recordings"] = {"film": recording(tmp_path, **{key: value})}
    message = refusal(config)
    assert f"recordings.film.{key}" in message and expected in message


def test_a_right_recording_is_accepted(config, tmp_path):
    config["recordings"] = {"film": recording(tmp_path), "confocal": volume(tmp_path)}
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
    live = work.live_methods(full, "diffusion", "beads")
    assert {"ours", "cve", "mle"} <= set(live) and not {"pix2d", "prior_mean", "cramer_rao"} & set(live)
    assert set(work.live_methods(full, "colloids", "levels")) == {"trackpy", "trackpy_published"}


@pytest.mark.parametrize("layer", ["laptop", "smoke"])
def test_a_layer_states_known_keys_only_and_is_right(layer):
    full, narrowed = layers("config"), yaml.safe_load((ROOT / f"config/{layer}.yaml").read_text())
    optional = {"methods", "budget", "options", "items", "imaging", *work_keys()}

    def check(layer_part, full_part, where):
        for key, value in layer_part.items():
            assert key in full_part or key in optional, f"{where}.{key} is not in config/config.yaml"
            if isinstance(value, dict):
                check(value, full_part.get(key) or {}, f"{where}.{key}")

    check(narrowed, full, layer)
    expand(layers("config", layer))


def work_keys():
    """Keys that a layer may state for an entry that leaves them to another one in the full configuration."""
    dataset = {key: rules for schema in dataset_schemas() for key, rules in schema["properties"].items()}
    house = yaml.safe_load((ROOT / "config/schema.yaml").read_text())["$defs"]
    nested = [part["properties"] for part in dataset.values() if "properties" in part]
    return {
        *dataset,
        *house["budget"]["properties"],
        *house["method"]["properties"],
        *(k for part in nested for k in part),
    }


def dataset_schemas():
    return problem_schemas("schema")


def problem_schemas(name):
    """Files of that name in the folders of the problems."""
    return [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "src/blurbench").glob(f"*/{name}.yaml"))]


def test_the_readme_explains_every_key():
    text = (ROOT / "config/README.md").read_text()
    house = yaml.safe_load((ROOT / "config/schema.yaml").read_text())

    def keys(schema):
        for key, rules in schema.get("properties", {}).items():
            yield key
            yield from keys(rules)
        for rules in schema.get("$defs", {}).values():
            yield from keys(rules)

    schemas = [house, *dataset_schemas(), *problem_schemas("recording")]
    assert [key for schema in schemas for key in keys(schema) if f"`{key}`" not in text] == []


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
    assert "ours_rot8" not in {method for _, method, _ in work.models_of(full, "diffusion", "report")}


def test_a_cue_shares_streams_and_models_and_has_a_test_split_only(config):
    full = expand(config)
    cue = full["problems"]["diffusion"]["datasets"]["report_no_shape"]
    assert (cue["stream"], cue["models"], cue["splits"]) == ("report", "report", ["test"])
    assert {dataset for dataset, _, _ in work.models_of(full, "diffusion", "report_no_shape")} == {"report"}


def test_a_dataset_without_trained_methods_is_not_given_training_splits(config):
    config["problems"]["diffusion"]["datasets"]["dim"]["methods"] = ["cramer_rao"]
    config["problems"]["diffusion"]["datasets"]["dim"]["items"] = {"train": 0}
    assert expand(config)["problems"]["diffusion"]["datasets"]["dim"]["splits"] == ["test"]


def test_the_specification_of_a_split_holds_only_what_it_depends_on(config):
    before = work.spec(expand(config), "diffusion", "report", "train")
    changed = copy.deepcopy(config)
    changed["problems"]["diffusion"]["datasets"]["report"]["items"]["test"] = 7
    changed["problems"]["diffusion"]["datasets"]["report"]["methods"] = ["ours", "cve"]
    assert work.spec(expand(changed), "diffusion", "report", "train") == before


def test_units_have_the_seeds_of_their_kind(config):
    units = work.units(expand(config), "diffusion", "report")
    assert [unit.seed for unit in units if unit.method == "ours"] == [1, 2, 3]
    assert [unit.seed for unit in units if unit.method == "cramer_rao"] == [0]


def test_memory_grows_with_the_images(config):
    small = expand(config)
    put(config, f"{IMAGING}.size_px", 256)
    large = expand(config)
    for stage, method in (("simulate", None), ("train", "ours"), ("predict", "ours")):
        assert work.memory_mb(large, stage, "diffusion", "report", method) > work.memory_mb(
            small, stage, "diffusion", "report", method
        )


def test_planning_imports_nothing_heavy():
    """What rules/common.smk imports, at every start of every job."""
    problems = [f"blurbench.{problem}" for problem in layers("config")["problems"]]
    modules = ["configuration", "sources", "work", *problems, *(f"{problem}.configuration" for problem in problems)]
    code = f"import sys, importlib; sys.path.insert(0, {str(ROOT / 'scripts')!r});"
    code += f"[importlib.import_module(m if '.' in m else 'blurbench.' + m) for m in {modules!r}];"
    code += "print(*{'torch', 'pandas', 'numba', 'scipy', 'zarr', 'matplotlib'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == ""
