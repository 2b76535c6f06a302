"""Datasets with mistakes: their entries, their items, and the table of what each method loses."""

import numpy as np
import pandas as pd
import pytest
from configurations import layers, put, refusal
from synthetic import GRID, METHODS, score_tables

from blurbench.diffusion import PROBLEM
from blurbench.files.datasets import Dataset
from blurbench.planning import mistakes, units
from blurbench.planning.configuration import expand
from blurbench.running.simulation import simulate
from blurbench.scoring.score_table import named_mistakes
from blurbench.scoring.scores import read
from blurbench.tables import mistakes as table
from blurbench.tables.settings import Settings
from blurbench.tables.tabulate import tabulate

WRONG = "problems.diffusion.datasets.report_mistakes.mistakes"
PARTS = {"none": {}, "wider": {"imaging": {"psf_wider": 1.2}}, "beyond": {"test_D_um2_s": [50]}}


@pytest.fixture
def config():
    return layers("config", "smoke")


@pytest.mark.parametrize(
    "key, value, message",
    [
        (WRONG, {}, "at least one entry"),
        (f"{WRONG}.wide", {"imaging": {"psf_widr": 1.1}}, "mistakes.wide.imaging.psf_widr"),
        (f"{WRONG}.wide", {"imaging": {"psf_wider": "much"}}, "mistakes.wide.imaging.psf_wider"),
        (f"{WRONG}.wide", {"items": {"test": 3}}, "mistakes.wide.items"),
        (f"{WRONG}.wide", {"imaging": {"psf_wider": 1.1, "corral_um": 1}}, "one way at most"),
        ("problems.diffusion.datasets.report.mistakes", PARTS, "models: a dataset that shows what methods expect"),
    ],
)
def test_a_wrong_mistake_is_refused(config, key, value, message):
    put(config, key, value)
    assert message in refusal(config)


@pytest.fixture
def store(config, tmp_path):
    """Test split of a dataset with the mistakes PARTS."""
    put(config, WRONG, PARTS)
    spec = units.spec(expand(config), "diffusion", "report_mistakes", "test")
    path = tmp_path / "test.zarr"
    simulate("diffusion", "report_mistakes", "test", spec, 1, path, path.with_suffix(".json"))
    return Dataset.open(path), spec


def test_parts_are_the_same_items_otherwise_in_one_way(store):
    """Each part is, bit for bit, the dataset that its entry alone would make; methods are told nothing of it."""
    dataset, spec = store
    assert list(mistakes.parts(spec)) == list(PARTS) and mistakes.parts({"imaging": {}}) == {}
    parts = {name: dataset.items[mistakes.COLUMN].to_numpy() == i for i, name in enumerate(PARTS)}
    images, D = dataset.images[:], dataset.items["D"].to_numpy()
    assert (D[parts["none"]] == D[parts["wider"]]).all() and (D[parts["beyond"]] == 50).all()
    assert (images[parts["none"]] != images[parts["wider"]]).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(
        dataset.truth["positions"][:][parts["none"]], dataset.truth["positions"][:][parts["wider"]]
    )
    blind = dataset.blind()
    assert mistakes.COLUMN not in blind.items and "mistakes" not in str(blind.attrs)
    for name in PROBLEM.known:
        assert (blind.items[name][parts["none"]].to_numpy() == blind.items[name][parts["wider"]].to_numpy()).all()


def test_scores_tell_the_mistake_of_each_item(store):
    dataset, _ = store
    scored = pd.DataFrame({"item": np.repeat(np.arange(len(dataset)), 2), "D": 1.0})
    named = named_mistakes(scored, dataset)
    assert (named.mistake.to_numpy()[::2] == np.array(list(PARTS))[dataset.items[mistakes.COLUMN]]).all()


LOSSES = {"none": 1.0, "worse": 2.0}


@pytest.fixture
def made():
    """Tables of a dataset in which every error is twice as large under the mistake, and of a plain one."""
    files = []
    for name, factor in LOSSES.items():
        for one in score_tables("report_mistakes", per_D=30, factor=factor):
            files.append(one.assign(mistake=name, item=one["item"] + (name == "worse") * 30 * len(GRID)))
    together = [pd.concat(pair, ignore_index=True) for pair in zip(files[: len(files) // 2], files[len(files) // 2 :])]
    scores = read([*together, *score_tables("report")], PROBLEM.conditions)
    entries = {"report": {}, "report_mistakes": {"mistakes": dict.fromkeys(LOSSES, {})}}
    return tabulate("diffusion", scores, Settings(entries, 200, 1, problem="diffusion"))


def test_the_table_tells_what_a_mistake_costs(made):
    """Errors twice as large: the loss of the RMSE is that of the plain one, within its interval."""
    found = made["mistakes_csv"]
    rmse = found[found.metric == "rmse_ln_d"].set_index(["mistake", "method"])
    for method, (kind, sd) in METHODS.items():
        if sd and kind in ("learned", "classical"):
            worse = rmse.loc["worse", method]
            assert worse["loss_low"] < rmse.loc["none", method]["mean"] < worse["loss_high"]
            assert worse["loss"] == pytest.approx(worse["mean"] - rmse.loc["none", method]["mean"])
    assert rmse.loc["none"].loss.isna().all()
    shown = list(table.summary(found))
    assert [heading for heading, *_ in shown] == ["report_mistakes: rmse_ln_d"] and "(+0.2" in str(shown[0][2])


def test_items_of_their_own_have_no_loss():
    """A grid of as many other D: nothing is the same item, whatever its number."""
    files = []
    for name in LOSSES:
        for one in score_tables("report_mistakes", per_D=30):
            files.append(one.assign(mistake=name, item=one["item"] + (name == "worse") * 30 * len(GRID)))
    half = len(files) // 2
    scores = read([pd.concat(pair, ignore_index=True) for pair in zip(files[:half], files[half:])], PROBLEM.conditions)
    entries = {"report_mistakes": {"mistakes": {"none": {}, "worse": {"test_D_um2_s": [1, 2, 3, 4, 5, 6, 7]}}}}
    found = table.table(scores, Settings(entries, 200, 1, problem="diffusion"))
    assert len(found) and found.loss.isna().all() and found["mean"].notna().any()


def test_datasets_with_mistakes_stand_in_no_other_table(made):
    assert set(made["csv"].dataset) == {"report"} == set(made["pairs"].dataset)
    assert "report_mistakes" not in made["realised_md"]
