"""Models that come with blurbench: which recordings use them, and that a wrong one is not used."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from configurations import layers, merged, refusal
from films import write_film
from workflow import ROOT, tiny

from blurbench import problems
from blurbench.__main__ import configuration
from blurbench.files import checksums, datasets
from blurbench.files.models import ModelError
from blurbench.planning import frozen, shipped, units
from blurbench.planning.configuration import expand
from blurbench.planning.recording_methods import of_recording
from blurbench.running import measurement, methods, shipping, simulation
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import read_one
from blurbench.tables import recording

SHA256 = "0" * 64
ALL_ITEMS = os.environ.get("SHIPPED_ITEMS") == "all"  # else the first of each dataset, by some of its models


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder of weights of its own, in which `put` lays a card."""
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "weights")

    def put(config, problem, dataset, model, **changes):
        entry = config["problems"][problem]["methods"][model]
        said = {"method": entry["method"], "trained_on": shipped.trained_on(config, problem, dataset)}
        said |= {"options": entry["options"], "seed": 3, "sha256": SHA256, **changes}
        path = shipped.file(problem, dataset, model).with_suffix(".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said))

    return put


@pytest.fixture
def config(tmp_path):
    """The laptop configuration with a recording for the models of `wide`."""
    entry = write_film(tmp_path / "film.tif", 1.0, 300, columns=2, frames=8) | {"dataset": "wide"}
    return {**layers("config", "laptop"), "recordings": {"film": entry}}


def found(config, **changes):
    full = expand({**config, "recordings": {"film": config["recordings"]["film"] | changes}})
    return of_recording(full, full["recordings"]["film"], "results/one")


def test_a_recording_takes_the_models_that_fit_and_leaves_out_what_would_have_to_be_trained(weights, config):
    own = found(config)
    assert own["ours"]["weights"] == "own" and own["ours"]["models"] == {
        1: "results/one/models/diffusion/wide/ours/1.pt"
    }
    weights(expand(config), "diffusion", "wide", "ours")
    with_one = found(config)
    assert with_one["ours"]["weights"] == "shipped" and with_one["ours"]["sha256"] == SHA256
    assert set(with_one["ours"]["models"]) == {3} and with_one["ours"]["options"] == {}
    assert "summary_ridge" in own and "summary_ridge" not in with_one  # it has no model that is shipped
    ready = {name for name, one in own.items() if not one["models"]}
    assert ready and {name for name, one in with_one.items() if not one["models"]} == ready
    assert found(config, weights="own") == own


def test_a_model_of_another_microscope_does_not_fit(weights, config):
    weights(expand(config), "diffusion", "wide", "ours")
    config["problems"]["diffusion"]["datasets"]["wide"]["imaging"] = {"photons": [3, 30]}
    assert found(config)["ours"]["weights"] == "own"
    config["recordings"]["film"]["weights"] = "shipped"
    message = refusal(config)
    assert "recordings.film.weights: found shipped, and none for diffusion/wide" in message


def test_a_larger_network_trained_for_longer_fits(weights, config):
    weights(expand(config), "diffusion", "wide", "ours", options={"width": 512, "dropout": 0.0})
    assert found(config)["ours"]["options"] == {}  # which are then those of the model


def test_options_of_prediction_stay(weights, config):
    full = expand(layers("config", "reference"))
    weights(full, "colloids", "levels", "ours")
    entry = {"problem": "colloids", "dataset": "levels"}
    methods = of_recording(full, entry, "results/one")
    assert methods["ours_mirrors"]["options"] == {"mirrors": 4}
    assert methods["ours_mirrors"]["models"] == methods["ours"]["models"]


def test_a_model_that_is_not_what_its_card_says_is_not_used(tmp_path):
    model = tmp_path / "ours.pt"
    model.write_bytes(b"another")
    entry = {"method": "ours", "kind": "learned", "options": {}, "models": {1: str(model)}, "sha256": SHA256}
    with pytest.raises(ModelError, match=r"ours\.pt: found sha256 .*, expected 000000000000"):
        next(measurement.answers(None, {"ours": entry}, "cpu"))


CARDS = sorted((ROOT / "weights").glob("*/*/*.json"))


def test_models_are_small_enough_for_git():
    sizes = [path.stat().st_size / 1e6 for path in (ROOT / "weights").rglob("*.pt")]
    assert max(sizes) <= shipping.LARGEST_MB and sum(sizes) <= shipping.ALL_MB
    assert len(sizes) == len(CARDS) > 0


@pytest.mark.parametrize("path", CARDS, ids=lambda path: "/".join(path.with_suffix("").parts[-3:]))
@pytest.mark.parametrize("layer", ["config", "laptop", "reference"])
def test_models_that_come_along_are_of_the_methods_and_datasets_as_they_are(path, layer):
    """Whoever changes a method or what a dataset is made from ships its models anew."""
    card, config = json.loads(path.read_text()), expand(layers("config", *{layer} - {"config"}))
    assert checksums.digest(path.with_suffix(".pt")) == card["sha256"]
    code = {(row["problem"], row["method"]): row["code"] for row in frozen.methods(config)}
    assert code.get((card["problem"], card["model"]), card["code"]) == card["code"]
    assert shipped.trained_on(config, card["problem"], card["dataset"]) == card["trained_on"]


def made_with(card):
    """The configuration that a model was trained in: of those here the one that says all of its training alike."""
    for layer in ("laptop", "reference"):
        config = expand({**layers("config", layer), "seed": card["data_seed"]})
        dataset = config["problems"][card["problem"]]["datasets"].get(card["dataset"])
        if dataset and card["model"] in config["problems"][card["problem"]]["methods"]:
            said = shipped.training(config, card["problem"], card["dataset"], card["model"], card["seed"])
            if {key: card[key] for key in said} == said:
                return config
    return None


@pytest.fixture(scope="module")
def drawn_anew(tmp_path_factory):
    """Test items of a dataset as they were drawn for a run: the first ones, or all."""
    made = {}

    def drawn_anew(config, problem, name, some):
        key = (problem, name, config["seed"])
        if key not in made:
            folder, spec = tmp_path_factory.mktemp(name), units.spec(config, problem, name, "test")
            store, manifest = folder / "test.zarr", folder / "test.json"
            if some is None:
                simulation.simulate(problem, name, "test", spec, config["seed"], store, manifest)
            else:
                drawn = problems.find(problem, "simulate.dataset")(spec, "test", config["seed"])
                header = {"problem": problem, "dataset": name, "split": "test", "seed": config["seed"], "spec": spec}
                datasets.write(store, manifest, {**header, **drawn.header}, some, some, [first(drawn.shards, some)])
            made[key] = datasets.Dataset.open(store)
        return made[key]

    return drawn_anew


def first(shards, n):
    """The first n items of shards, as one."""
    parts, have = [], 0
    while have < n:
        images, items, truth = next(shards)
        parts.append((images.copy(), items, {name: array.copy() for name, array in truth.items()}))
        have += len(items)
    images, items, truth = zip(*parts)
    truth = {name: np.concatenate([part[name] for part in truth])[:n] for name in truth[0]}
    return np.concatenate(images)[:n], pd.concat(items, ignore_index=True)[:n], truth


@pytest.mark.parametrize(
    "path",
    [path for path in CARDS if ALL_ITEMS or path.stem in ("ours", "summary_ridge")],
    ids=lambda path: "/".join(path.with_suffix("").parts[-3:]),
)
def test_the_scores_of_a_card_are_found_again(path, drawn_anew):
    """To 1e-3 in the number that orders the tables, from test items that are drawn anew."""
    card = json.loads(path.read_text())
    problem, dataset = card["problem"], card["dataset"]
    if not card.get("first_items"):
        pytest.skip("its run was not scored")
    config = made_with(card)
    assert config, "no configuration here makes this training"
    items = drawn_anew(config, problem, dataset, None if ALL_ITEMS else shipping.FIRST)
    model = path.with_suffix(".pt")
    answers = methods.predict(methods.load(problem, card["method"], card["options"], model), items, model)
    table = problems.find(problem, "score.score")(items, answers)
    ((metric, values),) = card["first_items"].items()
    found = table[table["metric"] == metric].sort_values("item")["value"].iloc[: shipping.FIRST]
    np.testing.assert_allclose(found, np.array(values, float), atol=1e-3)
    if ALL_ITEMS:
        named = table.assign(problem=problem, dataset=dataset, method=card["method"], kind=card["kind"], seed=1)
        scores = read_one([named], problems.load(problem).conditions)
        number = numbers(problems.find(problem, "score.METRICS"))[0][1]
        found = scores.replicates(metric, number.reduce, scores.resampling(2, 1)).value
        assert found == pytest.approx(card["scores"][number.name]["mean"], abs=1e-3)


@pytest.fixture(scope="module")
def shipped_tree(tmp_path_factory):
    """The tables of a run of one dataset, and a clone without them in which the models of its `report` come along."""
    run = tiny(tmp_path_factory.mktemp("shipped") / "run")
    run.config["problems"] |= dict.fromkeys(("colloids", "fusion", "segmentation"))
    run.problem["datasets"] |= dict.fromkeys(("report_no_shape", "report_mistakes"))
    run.snakemake("results/tiny/tables/summary.md")
    new = run.clone(run.path.parent / "new", results=False)
    config = configuration([str(run.path / "config" / f"{name}.yaml") for name in ("config", "smoke", "test")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "folder", lambda: new.path / "weights")
        made = shipping.ship(run.results, config, [("diffusion", "report")])
    assert [path.relative_to(new.path).as_posix() for path in made] == ["weights/diffusion/report/ours.pt"]
    return run, new


def test_a_card_says_what_the_tables_do(shipped_tree):
    run, new = shipped_tree
    card = json.loads((new.path / "weights/diffusion/report/ours.json").read_text())
    rows = run.table().query("dataset == 'report' and method == 'ours' and condition == 'all'").set_index("metric")
    assert {name: said["mean"] for name, said in card["scores"].items()} == pytest.approx(
        rows["mean"].astype(object).where(rows["mean"].notna(), None).to_dict(), rel=1e-5
    )
    assert card["trained_on"]["imaging"]["frames"] == 6 and card["seed"] == 1
    assert card["sha256"] == checksums.digest(run.results / "models/diffusion/report/ours/1.pt")
    assert card["train_core_s"] > 0 and card["licence"] in (ROOT / "pyproject.toml").read_text()


def test_a_recording_is_measured_without_a_training_or_a_simulation(shipped_tree, tmp_path):
    run, new = shipped_tree
    film = write_film(tmp_path / "film.tif", 1.0, 100, columns=3, frames=24)
    film["psf"] = {"kind": "gaussian", "fwhm_um": 0.25}
    new.config = {**new.config, "recordings": {"film": film}}
    new.snakemake("recordings")
    table = pd.read_csv(new.results / "recordings/film/methods.csv").set_index("method")
    assert table.weights["ours"] == table.weights["ours_again"] == "shipped" and pd.isna(table.weights["cve"])
    assert table.n_stacks["ours"] > 0 and 0.05 < table.D["ours"] < 20
    assert {path.name for path in new.results.iterdir()} == {"recordings", "logs", "benchmarks"}
    said = recording.shown(new.results / "recordings/film")
    assert f"{table.D['cve']:.3g}" in said and "picture.svg" in said


def test_a_run_takes_the_very_same_training_and_trains_any_other(shipped_tree, tmp_path):
    run, new = shipped_tree
    model, files = "results/tiny/models/diffusion/report/ours/1", ("pt", "csv")
    tree = new.clone(tmp_path / "tree", results=False)
    tree.config["weights"] = "shipped"
    tree.snakemake(f"{model}.pt")
    assert {path.name for path in tree.results.iterdir()} == {"models", "logs", "benchmarks"}  # and no dataset
    for end in files:
        assert (tree.path / f"{model}.{end}").read_bytes() == (run.path / f"{model}.{end}").read_bytes()
    benchmark = "results/tiny/benchmarks/train/diffusion/report/ours/1.tsv"
    assert (tree.path / benchmark).read_bytes() == (run.path / benchmark).read_bytes()
    log = (tree.results / "logs/train/diffusion/report/ours/1.log").read_text()
    assert "taken from weights/diffusion/report/ours.pt: trained in" in log
    other = new.clone(tmp_path / "other", results=False)
    for change in (
        {"weights": "own"},
        {"seed": 99},
        {"training_seeds": [2]},
        {"problems": {"diffusion": {"datasets": {"report": {"items": {"validation": 9}}}}}},
    ):
        other.config = merged(tree.config, change)
        seed = change.get("training_seeds", [1])[0]
        plan = other.snakemake("--dry-run", f"results/tiny/models/diffusion/report/ours/{seed}.pt")
        assert "rule train:" in plan and "rule take:" not in plan


def test_a_damaged_model_is_not_taken(shipped_tree, tmp_path):
    _, new = shipped_tree
    tree = new.clone(tmp_path / "tree", results=False)
    tree.config["weights"] = "shipped"
    kept = tree.path / "weights/diffusion/report/ours.pt"
    kept.write_bytes(kept.read_bytes()[:-1])
    said = tree.snakemake("results/tiny/models/diffusion/report/ours/1.pt", check=False)
    log = (tree.results / "logs/train/diffusion/report/ours/1.log").read_text()
    assert "ours.pt: found sha256" in log and "as its card says" in log, said
    assert not (tree.results / "models/diffusion/report/ours/1.pt").exists()


def test_models_of_two_runs_do_not_lie_side_by_side(shipped_tree, tmp_path, monkeypatch):
    run, new = shipped_tree
    shutil.copytree(new.path / "weights", tmp_path / "weights")
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "weights")
    config = configuration([str(run.path / "config" / f"{name}.yaml") for name in ("config", "smoke", "test")])
    card = tmp_path / "weights/diffusion/report/ours.json"
    older = json.loads(card.read_text()) | {"data_seed": config["seed"] + 1}
    card.write_text(json.dumps(older))
    shipping.ship(run.results, config, [("diffusion", "report")])  # the same method: in its place
    assert json.loads(card.read_text())["data_seed"] == config["seed"]
    card.with_name("pix2d.json").write_text(json.dumps(older | {"model": "pix2d"}))
    with pytest.raises(
        ValueError, match="found models of another run that would stay: pix2d; expected those of one run"
    ):
        shipping.ship(run.results, config, [("diffusion", "report")])


def test_models_of_a_method_that_has_changed_since_are_not_shipped(shipped_tree, tmp_path, monkeypatch):
    run, _ = shipped_tree
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "weights")
    config = configuration([str(run.path / "config" / f"{name}.yaml") for name in ("config", "smoke", "test")])
    monkeypatch.setattr(frozen, "code", lambda problem, file: "another")
    with pytest.raises(ValueError, match=r"methods\.csv: diffusion/ours: found code .*, expected another"):
        shipping.ship(run.results, config, [("diffusion", "report")])
    assert not (tmp_path / "weights").exists()


def test_models_too_large_for_git_are_not_shipped(shipped_tree, monkeypatch):
    run, _ = shipped_tree
    config = configuration([str(run.path / "config" / f"{name}.yaml") for name in ("config", "smoke", "test")])
    monkeypatch.setattr(shipping, "LARGEST_MB", 1e-3)
    with pytest.raises(ValueError, match=r"1\.pt: found .* MB, expected at most 0\.001"):
        shipping.ship(run.results, config, [("diffusion", "report")])
    with pytest.raises(ValueError, match="found no model of diffusion/reprot"):
        shipping.ship(run.results, config, [("diffusion", "reprot")])
