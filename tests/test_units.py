"""What a configuration asks for: predictions, models and their memory."""

import copy

import pytest
from configurations import IMAGING, layers, put, refusal

from blurbench.planning import memory, units
from blurbench.planning.configuration import expand


@pytest.fixture
def config():
    return layers("config")


def test_the_specification_of_a_split_holds_only_what_it_depends_on(config):
    before = units.spec(expand(config), "diffusion", "report", "train")
    changed = copy.deepcopy(config)
    changed["problems"]["diffusion"]["datasets"]["report"]["items"]["test"] = 7
    changed["problems"]["diffusion"]["datasets"]["report"]["methods"] = ["ours", "cve"]
    assert units.spec(expand(changed), "diffusion", "report", "train") == before


def test_units_have_the_seeds_of_their_kind(config):
    asked = units.units(expand(config), "diffusion", "report")
    assert [unit.seed for unit in asked if unit.method == "ours"] == [1, 2, 3]
    assert [unit.seed for unit in asked if unit.method == "cramer_rao"] == [0]


def test_a_dataset_may_have_training_seeds_of_its_own(config):
    """Also for those who use its models, and not for those that are like it."""
    put(config, "problems.diffusion.datasets.report.training_seeds", [1, 5])
    full = expand(config)
    for dataset, seeds in (("report", [1, 5]), ("report_no_shape", [1, 5]), ("dim", [1, 2, 3])):
        assert [unit.seed for unit in units.units(full, "diffusion", dataset) if unit.method == "ours"] == seeds
        found = units.models_of(full, "diffusion", dataset)
        assert [seed for home, method, seed in found if method == "ours" and home != "wide"] == seeds
    put(config, "problems.diffusion.datasets.report_no_shape.training_seeds", [1])
    assert "found [1], expected those of report, whose models it uses" in refusal(config)


def test_memory_grows_with_the_images(config):
    small = expand(config)
    put(config, f"{IMAGING}.size_px", 256)
    large = expand(config)
    for stage, method in (("simulate", None), ("train", "ours"), ("predict", "ours")):
        assert memory.memory_mb(large, stage, "diffusion", "report", method) > memory.memory_mb(
            small, stage, "diffusion", "report", method
        )
