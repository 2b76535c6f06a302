"""All networks of a problem cost the same: the configurations have the epochs that were measured to, and the sums."""

import re

import pytest
from configurations import ROOT, layers

from blurbench.planning.configuration import expand

DOCUMENT = (ROOT / "docs/training-cost.md").read_text(encoding="utf-8")


@pytest.fixture
def parts(monkeypatch):
    """Modules of the benchmark."""
    monkeypatch.syspath_prepend(ROOT / "tests/benchmarks")
    import step_cost
    import training_cost

    return step_cost, training_cost


def table(size):
    """{problem/dataset/method: {column: text}} of the committed table."""
    text = DOCUMENT.partition(f"<!-- {size} -->")[2].partition("<!-- end of")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in text.splitlines() if line.startswith("|")]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}  # below the head and its line


@pytest.mark.parametrize("problem", ["diffusion", "colloids", "fusion", "segmentation"])
@pytest.mark.parametrize("size", ["laptop", "reference"])
def test_configurations_have_the_epochs_that_were_measured(parts, size, problem):
    """And the training items, on all datasets but a method's first: there they are chosen, and the table follows."""
    _, training_cost = parts
    config = expand(layers("config", size))
    found = {name: row for name, row in table(size).items() if name.startswith(f"{problem}/")}
    if not found:
        pytest.skip("docs/training-cost.md: not measured yet")
    asked = {"/".join(one[:3]): one for one in training_cost.networks(config) if one.problem == problem}
    assert set(found) == set(asked)
    for name, row in found.items():
        _, dataset, method, _ = asked[name]
        entry = config["problems"][problem]
        assert int(row["training items"]) == entry["datasets"][dataset]["items"]["train"], name
        if row["epochs"] != "–":
            assert float(row["epochs"]) == entry["methods"][method]["budget"]["epochs"], name
            assert float(row["core-s"]) == pytest.approx(
                training_cost.CORE_S[size][problem], rel=training_cost.TOLERANCE
            ), name


def cost(parts, **changes):
    usual = {"prepare": 0.01, "step": 0.5, "batch": 10, "validate": 0.02, "besides": 3.0}
    return parts[0].StepCost(**{**usual, "block": 100, "item_mb": 0.1, **changes})


def test_the_parts_of_a_cost_add_up(parts):
    items = {"train": 1000, "validation": 50}
    # 2 epochs: 1,050 items prepared, 200 steps, 4 validations of 50 items, and what is done once
    assert cost(parts).of(items, 2, 4) == pytest.approx(10.5 + 100 + 4 + 3)
    assert cost(parts).of(items, 0.15, 4) == pytest.approx(2.5 + 7.5 + 4 + 3)  # of two blocks of 100, and of 50
    assert cost(parts, block=0).of(items, 0.15, 4) == pytest.approx(10.5 + 7.5 + 4 + 3)  # all at once
    assert cost(parts, item_mb=10).of(items, 2, 4) == pytest.approx(20.5 + 100 + 4 + 3)  # not kept: once an epoch
    assert cost(parts, step=0).of(items, 2, 4) == pytest.approx(10.5 + 3)  # a learner without steps
    assert cost(parts, step=0, most=500).of(items, 2, 4) == pytest.approx(5.5 + 3)  # one that takes half of the items
    assert cost(parts, copies=2).of(items, 2, 4) == pytest.approx(20.5 + 100 + 4 + 3)  # as many steps, twice the inputs


def test_epochs_and_items_are_those_that_cost_what_is_wanted(parts):
    items = {"train": 1000, "validation": 50}
    epochs = cost(parts).epochs(100, items, 4)
    assert cost(parts).of(items, epochs, 4) == pytest.approx(100, rel=0.005)  # three digits of epochs
    number = cost(parts).items(100, items, epochs, 4)
    assert number == pytest.approx(1000, rel=0.01)


def test_a_run_is_held_to_what_is_stated(parts, tmp_path, capsys):
    """Of two networks one costs a third too much; a ridge regression and a quarter of a network are not held to it."""
    _, training_cost = parts
    run = tmp_path / "laptop"
    states = [("net", 1, 8), ("slow", 1, 9), ("net_quarter", 0.25, 8), ("ridge", 1, 0), ("trackpy", None, 0)]
    (run / "tables").mkdir(parents=True)
    rows = ["problem,method,kind,file,options,budget"]
    for name, epochs, width in states:
        kind = "classical" if epochs is None else "learned"
        rows.append(f'diffusion,{name},{kind},net,"{{""width"": {width}}}","{{""epochs"": {epochs or 0}}}"')
    (run / "tables/methods.csv").write_text("\n".join(rows) + "\n")
    costs = {"net": 63.0, "slow": 79.8, "net_quarter": 10.0, "ridge": 5.0, "trackpy": 9.0}
    for name, core_s in costs.items():
        model = run / "models/diffusion/report" / name / "1.csv"
        job = run / "benchmarks/train/diffusion/report" / name / "1.tsv"
        for path in (model, job):
            path.parent.mkdir(parents=True)
        rate = name in ("net", "slow", "net_quarter")
        model.write_text(f"items,core_s{',learning_rate' * rate}\n9,{core_s}{',0' * rate}\n")
        job.write_text(f"s\tcpu_time\n9\t{core_s + 4}\n")
    assert not training_cost.check(run)
    said = capsys.readouterr().out
    assert "diffusion/report/slow/1, 9, 79.8, 133%, 83.8" in said and "ridge" not in said and "quarter" not in said
    (run / "models/diffusion/report/slow/1.csv").write_text("items,core_s,learning_rate\n9,66.0,0\n")
    assert training_cost.check(run)
