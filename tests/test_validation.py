"""Scores on the validation split are those that predicting and scoring give, for all methods in one table."""

import numpy as np
import pytest
import yaml
from configurations import ROOT

from blurbench import problems
from blurbench.files import models
from blurbench.files.datasets import Dataset
from blurbench.running import methods
from blurbench.running.simulation import simulate
from blurbench.running.validation import validate
from blurbench.scoring.scores import read_one


def test_all_methods_are_scored_as_one_by_one(tmp_path):
    spec = yaml.safe_load((ROOT / "tests/diffusion/tiny.yaml").read_text(encoding="utf-8"))
    store, model = tmp_path / "validation.zarr", tmp_path / "model.pt"
    simulate("diffusion", "tiny", "validation", spec, 1, store, store.with_suffix(".json"))
    models.write({}, model)
    models.write_not_trained({"method": "ours"}, "ValueError: nothing to learn", lost := tmp_path / "lost.pt")
    dataset = Dataset.open(store)
    entries = {
        "twice": {"method": "cve", "kind": "learned", "options": {}, "models": {1: model, 2: model}},
        "lost": {"method": "ours", "kind": "learned", "options": {}, "models": {1: lost}},
        "bound": {"method": "cramer_rao", "kind": "limit", "options": {}, "models": {}},
    }
    table = validate("diffusion", dataset, entries)
    assert set(table["metric"]) == {"error_ln_d"} and set(table["split"]) == {"validation"}
    assert sorted(set(zip(table["method"], table["seed"]))) == [("bound", 0), ("lost", 1), ("twice", 1), ("twice", 2)]
    assert set(table["status"][table["method"] == "lost"]) == {"not trained: ValueError: nothing to learn"}
    found = read_one([table], problems.load("diffusion").conditions)
    for row, name in enumerate(found.methods.method):
        if name == "lost":
            assert np.isnan(found.values["error_ln_d"][row]).all()
            continue
        answers = methods.predict(methods.load("diffusion", entries[name]["method"]), dataset)
        one = problems.find("diffusion", "score.score")(dataset, answers)
        expected = one[one["metric"] == "error_ln_d"]["value"].to_numpy()
        for seed in range(found.methods.seeds[row]):
            assert found.values["error_ln_d"][row, seed] == pytest.approx(expected, nan_ok=True)
