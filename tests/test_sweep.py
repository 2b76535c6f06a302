"""The choice among the trials of a sweep, and the table of them. A whole run with one is in test_toy_problem.py."""

import numpy as np
import pandas as pd
import pytest

from blurbench.files.learning_curves import CurveError
from blurbench.running import sweep
from blurbench.tables import sweep as table
from blurbench.tables.settings import Settings

VALUES = [{"width": 8}, {"width": 16}, {"width": 32}]


@pytest.fixture
def choose(tmp_path):
    """Function (losses of each trial) -> table, with the bytes of the model and the curve that were taken."""

    def choose(*losses):
        models, curves = ([tmp_path / f"{i}.{end}" for i in range(len(losses))] for end in ("pt", "csv"))
        for i, validations in enumerate(losses):
            models[i].write_bytes(b"weights of trial %d" % i)
            points = {"items": 100 * np.arange(1, len(validations) + 1), "seconds": 2.5, "core_s": 5.0}
            points["validation_loss"] = validations
            pd.DataFrame(points).to_csv(curves[i], index=False)
        model, curve = tmp_path / "model.pt", tmp_path / "curve.csv"
        found = sweep.choose(VALUES[: len(losses)], models, curves, model, curve)
        best = int(found.trial[found.chosen].item()) if any(losses) else 0
        assert model.read_bytes() == models[best].read_bytes() and curve.read_bytes() == curves[best].read_bytes()
        return found

    return choose


def test_the_least_loss_is_chosen_wherever_in_its_curve(choose):
    found = choose([0.9, 0.5], [0.4, 0.8, 0.8], [0.7, 0.6])
    assert list(found.columns) == ["trial", "width", "items", "seconds", "core_s", "validation_loss", "chosen"]
    assert list(found.chosen) == [False, True, False]
    assert list(found["validation_loss"]) == [0.5, 0.4, 0.6] and list(found["items"]) == [200, 300, 200]


def test_a_loss_that_is_no_number_is_never_the_least(choose):
    assert list(choose([np.nan], [0.9], [-np.inf, np.nan]).chosen) == [False, True, False]
    with pytest.raises(ValueError, match=r"validation_loss: found no finite number.*expected"):
        choose([np.nan], [np.inf])


def test_the_best_of_the_trials_that_were_trained_is_chosen(choose, tmp_path):
    """Of a training that raised the curve has no row."""
    found = choose([], [0.9], [0.4])
    assert list(found.chosen) == [False, False, True] and found["items"].isna().tolist() == [True, False, False]
    with pytest.raises(ValueError, match="found no finite number"):
        choose([], [np.nan])
    none = choose([], [])
    assert not none.chosen.any() and none.validation_loss.isna().all()
    for name, one in {"some": found, "none": none}.items():
        one.to_csv(tmp_path / f"trials_{name}.csv", index=False)
    files = [("few", name, 1, tmp_path / f"trials_{name}.csv") for name in ("some", "none")]
    made = table.table((), Settings({}, 100, 1, trials=files))
    assert [heading for heading, *_ in table.blocks(made)] == ["few: some", "few: none"]
    assert [heading for heading, *_ in table.summary(made)] == ["few: some"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no table"),
        ("items,seconds,core_s\n1,1,1\n", "no column validation_loss"),
        ("items,seconds,core_s,validation_loss\n1,fast,1,1\n", "column seconds: found 'fast', expected numbers"),
        ("items,seconds,core_s,validation_loss\n1.5,1,1,1\n", "column items: found 1.5, expected whole numbers"),
        ("items,seconds,core_s,validation_loss\n,1,1,1\n", "column items: found nan"),
    ],
)
def test_a_curve_that_is_none_is_named(tmp_path, content, message):
    (tmp_path / "0.csv").write_text(content)
    with pytest.raises(CurveError, match=f"0.csv: (found )?{message}"):
        sweep.choose(
            VALUES[:1], [tmp_path / "0.pt"], [tmp_path / "0.csv"], tmp_path / "model.pt", tmp_path / "best.csv"
        )


def test_the_table_holds_every_trial_and_marks_the_chosen_ones(choose, tmp_path):
    files = []
    for seed, losses in ((1, ([0.5], [0.4])), (2, ([0.3], [0.6]))):
        files.append(tmp_path / f"trials_{seed}.csv")
        choose(*losses).to_csv(files[-1], index=False)
    other = tmp_path / "other.csv"
    choose([0.1]).rename(columns={"width": "side"}).to_csv(other, index=False)
    trials = [("few", "tuned", 1, files[0]), ("few", "tuned", 2, files[1]), ("few", "other", 1, other)]
    made = table.table((), Settings({}, 100, 1, trials=trials))
    assert list(made.columns[:4]) == ["dataset", "method", "seed", "trial"] and len(made) == 5
    assert made[made.chosen].validation_loss.tolist() == [0.4, 0.3, 0.1]
    (heading, _, shown), (_, _, others) = table.blocks(made)
    columns = ["seed", "trial", "width", "items", "seconds", "core_s", "validation_loss"]
    assert heading == "few: tuned" and list(shown) == columns
    assert [row[0].startswith("**") for row in shown.to_numpy()] == [False, True, True, False]
    assert shown["width"].tolist() == ["8", "**16**", "**8**", "16"] and list(others)[2] == "side"
    (_, note, chosen), _ = table.summary(made)
    assert note == "The best of 2 trials." and chosen["width"].tolist() == ["**16**", "**8**"]
