"""What a plan says that its jobs will take, against what finished runs took, on the same cores or others alike."""

import copy
from collections import namedtuple

import pytest
from configurations import layers

from blurbench import problems
from blurbench.planning import estimate, units
from blurbench.planning.configuration import expand

# Seconds of the jobs of finished runs: the published one (docs/performance.md), and a smoke run.
TOOK = {
    "laptop": {"diffusion": 937, "colloids": 822, "fusion": 727, "segmentation": 616},
    "smoke": {"diffusion": 96, "colloids": 127, "fusion": 131, "segmentation": 87},
}
LAPTOP_GB = {"datasets": 1.97, "in all": 2.73}  # on its disk
FACTOR = 1.5


def jobs(config):
    """Stage and wildcards of every job of a configuration but the last, over all problems."""
    for problem, entry in config["problems"].items():
        declared = problems.load(problem)
        yield from (("draw", {"problem": problem}) for _ in declared.summary_figures)
        yield "tabulate", {"problem": problem}
        for dataset, data in entry["datasets"].items():
            own = {"problem": problem, "dataset": dataset}
            yield from (("simulate", {**own, "split": split}) for split in data["splits"])
            trained = "train" in data["splits"]
            if trained:
                yield "validate", own
            if data["models"] == dataset:
                yield from (("draw", own) for _ in declared.figures + declared.training_figures * trained)
    for unit in units.units(config):
        names = {key: str(value) for key, value in unit._asdict().items()}
        yield from (("predict", names), ("score", names))
    for problem, dataset, method, seed in units.trainings(config):
        yield "train", {"problem": problem, "dataset": dataset, "method": method, "seed": str(seed)}


def within(estimated, measured):
    return 1 / FACTOR < estimated / measured < FACTOR


@pytest.fixture(scope="module")
def laptop():
    return expand(layers("config", "laptop"))


@pytest.mark.parametrize("run", TOOK)
def test_core_seconds_are_those_of_finished_runs(run):
    config = expand(layers("config", run))
    for problem, seconds in TOOK[run].items():
        own = [(stage, names) for stage, names in jobs(config) if names["problem"] == problem]
        core_s = sum(estimate.cost(config, stage, problem, names).core_s for stage, names in own)
        assert within(core_s, seconds), problem


def test_sizes_on_the_disk_are_those_of_a_finished_run(laptop):
    costs = [estimate.cost(laptop, stage, names["problem"], names) for stage, names in jobs(laptop)]
    assert within(sum(one.dataset_mb for one in costs) / 1e3, LAPTOP_GB["datasets"])
    assert within(sum(one.mb for one in costs) / 1e3, LAPTOP_GB["in all"])


@pytest.mark.parametrize(("size", "problem", "dataset", "core_s"), [
    ("laptop", "diffusion", "report", 60), ("laptop", "fusion", "known", 60),
    ("reference", "diffusion", "report", 900), ("reference", "colloids", "levels", 1800),
])  # fmt: skip
def test_a_network_costs_what_its_budget_was_made_to(size, problem, dataset, core_s):
    config = expand(layers("config", size))
    names = {"dataset": dataset, "method": "ours"}
    assert estimate.training(config, problem, names) == pytest.approx(core_s, rel=0.05)


def test_a_training_costs_more_with_its_epochs_and_its_items(laptop):
    config, names = copy.deepcopy(laptop), {"dataset": "levels", "method": "unet3d"}
    before = estimate.training(config, "colloids", names)
    config["problems"]["colloids"]["methods"]["unet3d"]["trials"][0]["budget"]["epochs"] *= 3
    config["problems"]["colloids"]["datasets"]["levels"]["items"]["train"] *= 2
    assert estimate.training(config, "colloids", names) == pytest.approx(6 * before)


def test_a_network_of_ones_own_costs_what_the_others_do(laptop):
    config = copy.deepcopy(laptop)
    config["problems"]["fusion"]["methods"]["mine"] = config["problems"]["fusion"]["methods"]["unet3d"]
    assert estimate.training(config, "fusion", {"dataset": "known", "method": "mine"}) == pytest.approx(60, rel=0.05)
    assert estimate.training(config, "fusion", {"dataset": "known", "method": "wiener"}) is None  # settings


def test_a_limit_of_minutes_is_told_apart(laptop):
    names = {"dataset": "report_posterior", "seed": "0"}
    seconds = {
        method: estimate.cost(laptop, "predict", "diffusion", {**names, "method": method}).core_s
        for method in ("posterior", "mle_known")
    }
    assert within(seconds["posterior"], 105) and seconds["mle_known"] < 5  # of 70 stacks, in the run of laptop size


def test_the_test_split_has_its_items_once_for_each_combination(laptop):
    item_mb = problems.find("colloids", "configuration.item_mb")(laptop["problems"]["colloids"]["datasets"]["levels"])
    names = {"dataset": "levels", "split": "test"}
    assert estimate.amount(laptop, "simulate", "colloids", names) == pytest.approx(
        72 * item_mb
    )  # 2 x 3 phi x 3 CNR x 4 sizes
    names = {"dataset": "levels_mistakes", "split": "test"}
    assert estimate.amount(laptop, "simulate", "colloids", names) == pytest.approx(44 * item_mb)  # 4 in 11 parts


def test_what_is_told(laptop, monkeypatch):
    asked = [*jobs(laptop), ("summarise", {})]
    lines = estimate.told(laptop, asked, 2, ".").splitlines()
    rows = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}
    assert rows["to be run"] == ["jobs", "core-hours", "hours on 2 cores", "GB of datasets", "GB in all"]
    assert [*rows][2:] == ["diffusion", "colloids", "fusion", "segmentation", "over all", "together"]
    assert rows["over all"] == ["1", "", "", "", ""] and rows["together"][0] == str(len(asked))
    core_hours, hours = map(float, rows["together"][1:3])
    assert hours == pytest.approx(core_hours / 2, abs=0.01)
    monkeypatch.setattr(estimate.shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(1.5e9))
    told = estimate.told(laptop, asked, None, ".").splitlines()
    assert "hours on" not in told[0]
    assert told[-1].startswith("WARNING: the run takes 2.") and told[-1].endswith("has room for 1.5 GB")


def test_what_nothing_is_known_of_is_a_job_and_no_more(laptop):
    assert estimate.cost(laptop, "", None, {}) == (1, 0.0, 0.0, estimate.JOB_MB)
