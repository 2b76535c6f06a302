"""A training that raises: its methods are rows that say why, the run ends with an error, the next one tries again."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
import yaml
from workflow import Tree

from blurbench import problems
from blurbench.files import models
from blurbench.files.datasets import Dataset, DatasetError
from blurbench.running import failed_training, integrity, methods

TOY = Path(__file__).parent / "toy"
FRAGILE = '''
"""A convolution whose training raises where a file beside the workflow holds its side."""

import os
import signal
from pathlib import Path

from blurbench.blobs.methods.convolution import Convolution


class Fragile(Convolution):
    kind = "learned"
    trains = True
    options = {"side": 5}

    def fit(self, splits, budget, device, seed):
        broken = Path("broken").read_text()
        if broken == "memory":
            raise MemoryError
        if broken == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if str(self.side) in broken:
            raise ValueError(f"no side of {self.side}\\nnor any other")
        return super().fit(splits, budget, device, seed)
'''
FRAGILE_METHODS = {
    "fragile": {},
    "fragile_again": {"model": "fragile"},
    "fragile_few": {"model": "fragile", "of": "few"},
    "swept": {"like": "fragile", "sweep": {"side": [1, 3]}},
    "lost": {"like": "fragile", "sweep": {"side": [5, 7]}},
}
REASON = "ValueError: no side of 5"


# One training


@pytest.fixture
def raising(tmp_path):
    """Function: raise an error in the place of a training; the paths of its files by name."""
    files = {"model": tmp_path / "1.pt", "curve": tmp_path / "1.csv", "checkpoint": tmp_path / "checkpoint.pt"}
    files["history"] = tmp_path / "raised/1.txt"

    def run(error):
        files["checkpoint"].write_bytes(b"state")
        with failed_training.told({"method": "ours", "options": {"width": 2}, "seed": 1}, **files):
            raise error
        return files

    return run


def test_what_raised_is_told_in_the_place_of_the_model(raising, capsys):
    files = raising(ValueError("no numbers\nat all"))
    assert models.why_not_trained(files["model"]) == "ValueError: no numbers"
    assert models.read(files["model"]) | {"not_trained": ""} == {
        "method": "ours",
        "options": {"width": 2},
        "seed": 1,
        "not_trained": "",
    }
    curve = pd.read_csv(files["curve"])
    assert curve.empty and {"items", "seconds", "core_s", "validation_loss"} < set(curve)
    assert not files["checkpoint"].exists()
    assert "Traceback" in capsys.readouterr().err
    raising(KeyError())
    assert [line.partition(" ")[2] for line in files["history"].read_text().splitlines()] == [
        "ValueError: no numbers",
        "KeyError",
    ]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((1,), np.dtype(float)),
        OSError("no space"),
        DatasetError("no dataset"),
        torch.OutOfMemoryError("no memory"),
        torch.AcceleratorError("no device"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_matter_of_the_method_stays_an_error_of_the_job(raising, tmp_path, error):
    with pytest.raises(type(error)):
        raising(error)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_model_is_no_reason(tmp_path):
    models.write({"network": torch.zeros(2)}, tmp_path / "network.pt")
    models.write({"setting": 2.0}, tmp_path / "setting.pt")
    (tmp_path / "damaged.pt").write_bytes(b"nothing")
    for name in ("network", "setting", "damaged"):
        assert models.why_not_trained(tmp_path / f"{name}.pt") is None


@pytest.mark.parametrize("problem", ["diffusion", "colloids", "fusion", "segmentation"])
def test_a_method_without_its_model_is_asked_nothing(problem, tmp_path, monkeypatch):
    """Nor is an instance of it made: its file may be what raised."""
    models.write_not_trained({}, REASON, model := tmp_path / "1.pt")
    monkeypatch.delattr(methods, "check_class")  # what comes after the import
    assert methods.load(problem, "ours", {}, model) is None
    axes = ["item", "view", "z", "y", "x"]
    dataset = Dataset({"problem": problem, "axes": axes}, np.zeros((3, 1, 2, 4, 4)), pd.DataFrame(index=range(3)), {})
    path = tmp_path / f"answers{problems.load(problem).answer.suffix}"
    for found in (methods.predict(None, dataset, model), methods.predict(None, dataset, model, path=path)):
        rows = found.table if hasattr(found, "table") else found
        assert rows["item"].tolist() == [0, 1, 2] and set(rows["status"]) == {f"not trained: {REASON}"}
    assert problems.load(problem).answer.damage(path, 3) == []


# A run


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A run of the toy problem in which trainings raise, and what it said."""
    tree = Tree.copied(tmp_path_factory.mktemp("failed") / "tree")
    shutil.copytree(TOY / "blobs", tree.path / "src/blurbench/blobs", ignore=shutil.ignore_patterns("__pycache__"))
    (tree.path / "src/blurbench/blobs/methods/fragile.py").write_text(FRAGILE)
    (tree.path / "broken").write_text("3 5 7")
    movie = np.random.default_rng(1).poisson(5, (4, 24, 24)).astype(np.uint16)
    tifffile.imwrite(tree.path / "movie.tif", movie, photometric="minisblack")
    tree.config = yaml.safe_load((TOY / "blobs.yaml").read_text())
    tree.config["problems"] = {**dict.fromkeys(problems.names()), **tree.config["problems"]}
    blobs = tree.config["problems"]["blobs"]
    blobs["methods"] |= FRAGILE_METHODS
    blobs["datasets"]["few"]["methods"] = ["smooth", "convolution", "fragile", "fragile_again", "swept", "lost"]
    blobs["datasets"]["crowded"] = None
    blobs["datasets"]["lent"] = {"like": "few", "models": "few", "methods": ["smooth", "fragile_few"]}
    camera = {"gain": 1.0, "offset": 0.0, "polarity": "bright"}
    tree.config["recordings"] = {
        "night": {"file": "movie.tif", "problem": "blobs", "dataset": "few", "noise": 2.0, **camera},
    }
    tree = Tree(tree.path, tree.config)
    with tree.start("--keep-going") as process:
        said, _ = process.communicate()
    return tree, said, process.returncode


def table(tree, name):
    return pd.read_csv(tree.results / f"tables/{name}.csv")


def test_a_run_in_which_trainings_raise_is_whole_and_ends_with_an_error(ended):
    tree, said, code = ended
    assert code == 1 and "Error in rule complete" in said and len(re.findall("^Error in rule", said, re.M)) == 1
    assert "4 of 6 trainings raised\n" in said
    log = "results/toy/logs/train/blobs/few/fragile/1.log"
    line = f"blobs, few, fragile, seed 1: {REASON} ({log})"
    assert line in said and "Traceback" in (tree.path / log).read_text()
    assert "## Not trained\n\n" in (summary := (tree.results / "tables/summary.md").read_text())
    assert f"- {line}\n" in summary and "- blobs, few, swept, seed 1: ValueError: no side of 3 (" in summary
    assert not (tree.results / "complete.json").exists()
    assert len(table(tree, "not_trained")) == 4
    figures = {path.name for path in (tree.results / "figures/blobs").iterdir()}
    assert figures == {f"{name}_few.{end}" for name in ("examples", "learning") for end in ("svg", "png")}


def test_rows_say_why_and_count_as_the_worst(ended):
    tree, *_ = ended
    failures = table(tree, "blobs_failures").set_index(["dataset", "method"])
    assert set(failures.index) == {
        ("few", "fragile"),
        ("few", "fragile_again"),
        ("few", "lost"),
        ("lent", "fragile_few"),
    }
    assert set(failures.status) == {f"not trained: {REASON}"} and (failures.n_failed == failures.n).all()
    rows = (
        table(tree, "blobs").query("dataset == 'few' and condition == 'all' and metric == 'rmse'").set_index("method")
    )
    assert rows["mean"]["fragile"] == 10 and rows.n_failed["swept"] == rows.n_failed["convolution"] == 0
    measured = pd.read_csv(tree.results / "recordings/night/details.csv").set_index("method")
    assert set(measured.status["fragile"]) == {f"not trained: {REASON}"} and set(measured.status["swept"]) == {"ok"}


def test_the_best_of_the_trials_that_were_trained_is_chosen(ended):
    tree, *_ = ended
    trials = table(tree, "blobs_sweep").set_index(["method", "side"]).loc[["swept", "lost"]]
    assert trials.chosen.tolist() == [True, False, False, False]
    assert trials["items"].notna().tolist() == trials.validation_loss.notna().tolist() == [True, False, False, False]
    timing = table(tree, "timing").set_index(["dataset", "method"])
    assert timing.n_trainings["few", "swept"] == 1 and np.isnan(timing.train_seconds["few", "fragile"])


def test_every_file_of_it_is_whole(ended):
    tree, *_ = ended
    command = ["env", "PYTHONPATH=src", "python", "-m", "blurbench.running.integrity", "results/toy"]
    with tree.process(command) as process:
        said, _ = process.communicate()
    assert process.returncode == 0 and "as their jobs wrote them" in said and "not looked for" not in said, said
    assert integrity.COMPLETE not in said


@pytest.mark.parametrize("how", ["memory", "killed"])
def test_a_training_that_lacks_memory_or_is_killed_fails_its_job(ended, tmp_path, how):
    tree, model = ended[0].clone(tmp_path / "tree"), "models/blobs/few/fragile/1.pt"
    (tree.path / "broken").write_text(how)
    said = tree.snakemake(f"results/toy/{model}", check=False)
    assert re.findall("^Error in rule (\\w+)", said, re.M) == ["train"] and not (tree.results / model).exists()
    assert len((tree.results / "raised/blobs/few/fragile/1.txt").read_text().splitlines()) == 1


def test_the_next_run_tries_again_what_raised_and_makes_what_follows_alone(ended, tmp_path):
    tree = ended[0].clone(tmp_path / "tree")
    kept = tree.times("models/blobs/few/convolution/*") | tree.times("models/blobs/few/swept/trials/0/*")
    kept |= tree.times("predictions/blobs/*/smooth/*.json")
    planned = tree.snakemake("--dry-run", "results/toy/tables/summary.md")  # a part of the run tries again too
    assert len(re.findall("^rule train", planned, re.M)) == 4
    (tree.path / "broken").write_text("7")
    said = tree.snakemake(check=False)
    assert "1 of 6 trainings raised\n" in said and "lost, seed 1: ValueError: no side of 7 (" in said
    assert not (tree.results / "complete.json").exists()
    assert len((tree.results / "raised/blobs/few/lost/trials/1/1.txt").read_text().splitlines()) == 2
    assert set(table(tree, "blobs_sweep").query("chosen")["method"]) == {"swept", "lost"}
    (tree.path / "broken").write_text("")
    said = tree.snakemake()
    assert len(re.findall("^(?:local)?rule train", said, re.M)) == 1 and (tree.results / "complete.json").exists()
    assert "Not trained" not in (tree.results / "tables/summary.md").read_text()
    assert table(tree, "blobs_failures").empty and table(tree, "not_trained").empty
    assert "Nothing to be done" in tree.snakemake()
    assert kept and all(tree.times("**/*")[path] == time for path, time in kept.items())
