"""A third problem, whose answer is an image, is dropped into a copy of the tree and passes every stage.

It is the worked example of docs/adding-a-problem.md. Nothing shared is edited for it: not the library, not the rules.
"""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from workflow import Tree

from blurbench import problems

TOY = Path(__file__).parent / "toy"
BROKEN = '''
"""Answers, but for some images: {what}."""

import ctypes

from blurbench.blobs.items import images


class Broken:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        for image in images(dataset):
            if image.noise > 2:
                {what}
            yield image.photons
'''
WHAT = {"failing": 'raise RuntimeError("too noisy")', "hanging": "ctypes.PyDLL(None).sleep(1000)"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of the toy problem, with a method that fails, one that hangs, and a recording."""
    tree = Tree.copied(tmp_path_factory.mktemp("toy") / "tree")
    shutil.copytree(TOY / "blobs", tree.path / "src/blurbench/blobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name, what in WHAT.items():
        (tree.path / f"src/blurbench/blobs/methods/{name}.py").write_text(BROKEN.format(what=what))
    movie = np.random.default_rng(1).poisson(5, (4, 24, 24)).astype(np.uint16)
    tifffile.imwrite(tree.path / "movie.tif", movie, photometric="minisblack")
    config = yaml.safe_load((TOY / "blobs.yaml").read_text())
    config["problems"] = {**dict.fromkeys(problems.names()), **config["problems"]}
    config["problems"]["blobs"]["methods"] |= {"failing": {}, "hanging": {}}
    config["problems"]["blobs"]["methods"] |= {
        "tuned": {"like": "convolution", "sweep": {"side": [1, 3]}},
        "tuned_again": {"model": "tuned"},
        "convolution_few": {"model": "convolution", "of": "few"},
    }
    lent = {"like": "crowded", "stream": "crowded", "methods": ["convolution_few"]}
    config["problems"]["blobs"]["datasets"]["lent"] = lent
    camera = {"gain": 1.0, "offset": 0.0, "polarity": "bright"}
    config["recordings"] = {
        "night": {"file": "movie.tif", "problem": "blobs", "dataset": "few", "noise": 2.0, **camera},
    }
    tree = Tree(tree.path, config)
    tree.snakemake()
    return tree


def checked(tree):
    """What `make check` says of a tree, and its exit code; by the tree's own library."""
    command = ["env", "PYTHONPATH=src", "python", "-m", "blurbench.running.integrity", "results/toy"]
    process = tree.process(command)
    return process.communicate()[0], process.returncode


def table(tree, name="blobs"):
    return pd.read_csv(tree.results / f"tables/{name}.csv")


def test_every_stage_leaves_its_files(finished):
    for stage in ("simulate", "train", "predict", "score", "tabulate", "draw", "prepare", "measure"):
        assert any((finished.results / "logs" / stage).rglob("*.log")), stage
    for ending in ("csv", "md", "html", "tex"):
        assert (finished.results / f"tables/blobs.{ending}").stat().st_size
    figures = sorted(path.name for path in (finished.results / "figures/blobs").iterdir())
    names = "examples_few", "examples_lent", "learning_few"  # nothing is trained on `lent`
    assert figures == [f"{name}.{end}" for name in names for end in ("png", "svg")]
    assert "blobs" in (finished.results / "tables/summary.md").read_text()


def test_the_table_says_what_theory_says(finished):
    rows = table(finished).query("dataset == 'few' and metric == 'rmse'")
    rmse = rows.pivot(index="method", columns="condition", values="mean")
    assert (rmse.loc["clean"] == 0).all(), "the limit is the truth"
    # White noise of SD 4 under a Gaussian filter of SD 1 keeps the share 1/(4π) of its variance. To it adds what the
    # filter takes from 4 blobs of height 10 and variance v = 4: an integral of three Gaussians. 6 x 576 pixels, a
    # seventh of which is independent: a standard error of 3 %.
    v = 4
    lost = np.pi * 10**2 * (v + v**2 / (v + 1) - 4 * v**2 / (2 * v + 1))
    assert rmse.loc["smooth", "noise=4"] == pytest.approx(np.sqrt(4**2 / (4 * np.pi) + 4 * lost / 24**2), rel=0.1)
    assert rmse.loc["convolution", "all"] < rmse.loc["dark", "all"]
    assert set(rows.kind) == {"learned", "classical", "limit", "control"}


def test_what_fails_and_what_hangs_is_told_and_stops_nothing(finished):
    failures = table(finished, "blobs_failures")
    found = {(row.method, row.status): row.n_failed for row in failures[failures.dataset == "few"].itertuples()}
    assert found[("failing", "RuntimeError: too noisy")] == 6
    assert found[("hanging", "timed out after 3 s")] == 6
    rows = table(finished).query("dataset == 'few' and condition == 'all' and metric == 'rmse'").set_index("method")
    assert (rows.n_failed[["failing", "hanging"]] == 6).all() and rows.n_failed.drop(["failing", "hanging"]).sum() == 0
    # Half of the images are answered, with their noise of 1; the others count as the worst there can be, 10 photons.
    assert rows["mean"]["failing"] == pytest.approx(np.sqrt((1**2 + 10**2) / 2), rel=0.01)


def test_images_are_kept_one_a_chunk_with_their_manifest(finished):
    folder = finished.results / "predictions/blobs/few"
    assert sorted(path.name for path in (folder / "smooth").iterdir()) == ["0.json", "0.zarr"]
    assert len(list((folder / "smooth/0.zarr/images/c").iterdir())) == 12
    assert len(list((folder / "failing/0.zarr/images/c").iterdir())) == 6, "what failed takes no room"


def test_a_second_run_does_nothing_and_every_file_is_whole(finished):
    assert "Nothing to be done" in finished.snakemake()
    said, code = checked(finished)
    assert code == 0, said
    assert "14 predictions" in said and "4 models" in said and "1 trials" in said and "as their jobs wrote them" in said


def test_the_best_trial_of_a_sweep_is_the_model(finished):
    trials = table(finished, "blobs_sweep")
    assert list(trials.columns) == "dataset method seed trial side items seconds core_s validation_loss chosen".split()
    assert trials["side"].tolist() == [1, 3] and set(trials.method) == {"tuned"}
    best = int(trials["validation_loss"].idxmin())
    assert best == 1, "a kernel of one pixel takes no noise away"
    assert trials.chosen.tolist() == [False, True]
    folder = finished.results / "models/blobs/few/tuned"
    assert (folder / "1.pt").read_bytes() == (folder / "trials/1/1.pt").read_bytes()
    shown = (finished.results / "tables/blobs_sweep.md").read_text().splitlines()
    assert [line.count("**") for line in shown if line.startswith("| 1") or line.startswith("| **")] == [0, 14]
    assert "The best of 2 trials." in (finished.results / "tables/summary.md").read_text()
    # A variant predicts with the options of the chosen model: the default side fits no weights.
    rows = table(finished).query("dataset == 'few' and condition == 'all' and metric == 'rmse'").set_index("method")
    assert rows["mean"]["tuned"] == rows["mean"]["tuned_again"] and rows.n_failed["tuned"] == 0


def test_a_killed_sweep_goes_on_with_what_is_left(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    models = tree.results / "models/blobs/few/tuned"
    right = (models / "1.pt").read_bytes()
    shutil.rmtree(models)
    wanted = "results/toy/models/blobs/few/tuned/1.pt"
    with tree.start(wanted, cores=1) as process:
        while not (done := list(models.glob("trials/*/1.pt"))):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in done}
    tree.snakemake("--unlock")
    tree.snakemake(wanted, "--rerun-incomplete")
    # Whether the first trial counts as done depends on the moment of the kill; the weights do not.
    assert set(before) < set(models.glob("trials/*/1.pt")) and (models / "1.pt").read_bytes() == right


def test_a_model_of_another_dataset_answers_as_it_does_there(finished):
    rows = table(finished).query("condition == 'all' and metric == 'rmse'").set_index(["dataset", "method"])
    assert rows["mean"]["lent", "convolution_few"] == rows["mean"]["crowded", "convolution"]  # the same items
    assert ("few", "convolution_few") not in rows.index
    assert not (finished.results / "models/blobs/lent").exists()


def test_a_damaged_image_is_found_and_made_again(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    chunk = tree.results / "predictions/blobs/few/smooth/0.zarr/images/c/1/0/0"
    chunk.unlink()
    said, code = checked(tree)
    assert code == 1 and f"{chunk.relative_to(tree.path)}: found no such file" in said
    tree.snakemake("--forcerun", "results/toy/predictions/blobs/few/smooth/0.zarr")
    assert chunk.exists()


def test_files_that_are_lost_whole_are_named(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    lost = ["scores/blobs/few/smooth/0.parquet", "figures/blobs/examples_few.svg"]
    for name in lost:
        (tree.results / name).unlink()
    said, code = checked(tree)
    assert code == 1 and "2 damaged" in said and "not looked for" not in said
    for name in lost:
        assert f"results/toy/{name}: found nothing, expected what its job wrote (results/toy/logs/" in said
    shutil.rmtree(tree.path / ".snakemake/metadata")
    said, code = checked(tree)
    assert code == 0 and "not looked for files that are lost: found no record of its jobs in .snakemake" in said
    (tree.path / "config/test.yaml").unlink()
    said, code = checked(tree)
    assert code == 0 and "results/toy: not looked for files that are lost: found no configuration" in said


def test_a_recording_is_measured(finished):
    folder = finished.results / "recordings/night"
    rows = pd.read_csv(folder / "methods.csv").set_index("method")
    tuned = {"tuned", "tuned_again"}
    assert set(rows.index) == {"smooth", "smoother", "convolution", "failing", "hanging", *tuned}
    assert rows.photons["smooth"] == pytest.approx(5, rel=0.05)  # 4 x 576 Poisson pixels of mean 5: 1 %
    assert all((folder / f"picture.{end}").stat().st_size for end in ("svg", "png"))


def test_the_contract_tests_find_it(finished, tmp_path):
    """Those of folders, methods, metrics and figures, which name no problem."""
    tree = finished.clone(tmp_path / "tree", results=False)
    ignored = shutil.ignore_patterns("__pycache__", "toy", "slurm", "benchmarks")
    shutil.copytree(TOY.parent, tree.path / "tests", ignore=ignored)
    (tree.path / "tests/blobs").mkdir()
    shutil.copy2(TOY / "tiny.yaml", tree.path / "tests/blobs")
    shutil.copy2(TOY.parents[1] / "pyproject.toml", tree.path)
    for name in WHAT:
        (tree.path / f"src/blurbench/blobs/methods/{name}.py").unlink()
    files = [f"tests/test_{name}.py" for name in ("problems", "methods", "metric", "figures")]
    process = tree.process(["env", "PYTHONPATH=src", "python", "-m", "pytest", "-q", "-k", "blobs", *files])
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert int(re.search(r"(\d+) passed", said)[1]) > 60


def test_a_problem_that_lacks_a_file_is_told_which(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree", results=False)
    (tree.path / "src/blurbench/blobs/configuration.py").unlink()
    said = tree.snakemake(check=False)
    assert "blobs/configuration.py: found no such file, expected one that defines faults" in said
