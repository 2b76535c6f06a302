"""The contract of a problem's folder, over every one there is: a new one is tested by being there.

docs/adding-a-problem.md is this contract in words; tests/test_methods.py, test_metric.py and test_figures.py judge the
methods, metrics and figures one by one.
"""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator

from blurbench import problems
from blurbench.files.answers import Images, Numbers, Points
from blurbench.files.datasets import Simulated
from blurbench.planning import schemas
from blurbench.planning.schema_faults import schema_faults
from blurbench.problems import LIBRARY, Problem, ProblemError

SPLITS = ("train", "validation", "test")
each_problem = pytest.mark.parametrize("problem", problems.names())


def tiny(problem):
    """The tiny dataset for the tests, as an expanded configuration states it."""
    return yaml.safe_load((Path(__file__).parent / problem / "tiny.yaml").read_text(encoding="utf-8"))


def made(problem, split="train", seed=1, **changes):
    """(Simulated, [(images, items, truth) of each shard]) of the tiny dataset."""
    simulated = problems.find(problem, "simulate.dataset")({**tiny(problem), **changes}, split, seed)
    copies = [(images.copy(), items, {k: np.array(a) for k, a in t.items()}) for images, items, t in simulated.shards]
    return simulated, copies


def arrays(shards):
    return [np.concatenate([images for images, _, _ in shards])] + [
        np.concatenate([truth[name] for _, _, truth in shards]) for name in shards[0][2]
    ]


# What is declared


@each_problem
def test_a_problem_is_declared(problem):
    declared = problems.load(problem)
    assert isinstance(declared.answer, Numbers | Points | Images)
    assert declared.conditions, "tables need conditions"
    names = [*declared.figures, *declared.training_figures, *declared.summary_figures, *declared.tables]
    assert len(set(names)) == len(names)


@each_problem
def test_schemas_refuse_what_they_do_not_know_and_describe_what_they_do(problem):
    dataset, recording = schemas.of_dataset(problem), schemas.of_recording(problem)
    for schema in (dataset, recording):
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False
        for name, rule in schema["properties"].items():
            parts = rule.get("properties") or rule.get("enum") or rule.get("description") or rule.get("$ref")
            assert parts, f"{name}: its description is part of the error message"
    assert {"train", "validation", "test"} <= set(dataset["properties"]["items"]["properties"])


@each_problem
def test_the_tiny_dataset_is_right(problem):
    entry = tiny(problem)
    assert entry.pop("stream") == "tiny"
    assert schema_faults(entry, schemas.of_dataset(problem), "tiny") == []
    assert list(problems.find(problem, "configuration.faults")(entry, None)) == []
    assert list(problems.find(problem, "configuration.files")(entry)) == []


SIGNATURES = {
    "configuration.faults": ["dataset", "memory_mb"],
    "configuration.recording_faults": ["recording", "dataset"],
    "recording_memory.prepare_mb": ["recording", "dataset", "files_mb"],
    "configuration.files": ["dataset"],
    "configuration.simulate_mb": ["dataset"],
    "configuration.item_mb": ["dataset"],
    "simulate.dataset": ["spec", "split", "seed"],
    "score.score": ["dataset", None, "metrics"],
    "preparation.prepare": ["recording", "spec", "store", "manifest"],
    "measurement.measure": ["recording", "items", "survey", "entries", "device", "resamples", "seed"],
    "measurement.draw": ["path", "recording", "items", "survey", "measurement"],
}


@each_problem
@pytest.mark.parametrize("name", SIGNATURES)
def test_functions_take_what_they_are_given(problem, name):
    found = list(inspect.signature(problems.find(problem, name)).parameters)
    assert [a if b else None for a, b in zip(found, SIGNATURES[name], strict=True)] == SIGNATURES[name]


@each_problem
def test_extra_tables_have_their_parts(problem):
    for name in problems.load(problem).tables:
        for part in ("TITLE", "CAPTION"):
            assert problems.find(problem, f"tables.{name}.{part}")
        for part, parameters in (("table", 2), ("blocks", 1), ("summary", 1)):
            assert len(inspect.signature(problems.find(problem, f"tables.{name}.{part}")).parameters) == parameters
    folder = LIBRARY / problem / "tables"
    assert {path.stem for path in folder.glob("[a-z]*.py")} == set(problems.load(problem).tables)


@each_problem
def test_every_figure_says_what_it_shows_and_how_to_read_it(problem):
    declared = problems.load(problem)
    for name in declared.figures + declared.training_figures + declared.summary_figures:
        said = ast.get_docstring(ast.parse((LIBRARY / problem / f"figures/{name}.py").read_text()))
        assert len(said.split("\n\n")) == 2, f"{problem}/figures/{name}.py: found {said!r}, expected two paragraphs"


@each_problem
def test_every_heading_of_a_number_is_a_term_and_no_other(problem):
    labels = {number.label for metric in problems.find(problem, "score.METRICS") for number in metric.published}
    assert set(problems.find(problem, "terms.TERMS")) == labels - {""}


@each_problem
def test_items_are_read_into_a_named_tuple(problem):
    module = problems.find(problem, "items.__dict__")
    own = [c for c in module.values() if isinstance(c, type) and c.__module__ == f"blurbench.{problem}.items"]
    assert any(issubclass(c, tuple) and hasattr(c, "_fields") for c in own)


# What is simulated


@each_problem
@pytest.mark.parametrize("split", SPLITS)
def test_a_split_is_simulated(problem, split):
    simulated, shards = made(problem, split)
    assert isinstance(simulated, Simulated) and simulated.items >= tiny(problem)["items"][split]
    assert [len(images) for images, _, _ in shards[:-1]] == [simulated.shard] * (len(shards) - 1)
    assert sum(len(images) for images, _, _ in shards) == simulated.items
    axes, sizes, units = (simulated.header[name] for name in ("axes", "voxel_size", "units"))
    declared = problems.load(problem)
    for images, items, truth in shards:
        assert axes[0] == "item" and len(axes) == images.ndim == len(sizes) == len(units)
        assert {size for size in sizes if isinstance(size, str)} <= set(items)
        assert {*declared.conditions, *declared.known} <= set(items)
        assert len(items) == len(images) and all(len(array) == len(images) for array in truth.values()) and truth
    if simulated.gates:
        assert "passed" in simulated.gates(shards[0][1], tiny(problem))


@each_problem
def test_the_same_seed_gives_the_same_bits_and_nothing_else_does(problem):
    first = arrays(made(problem)[1])
    assert all((a == b)[~np.isnan(b)].all() if b.dtype.kind == "f" else (a == b).all()
               for a, b in zip(arrays(made(problem)[1]), first, strict=True))  # fmt: skip
    n = min(len(first[0]), *(len(made(problem, split)[1][0][0]) for split in SPLITS))
    for other in (made(problem, seed=2), made(problem, "validation"), made(problem, stream="other")):
        images = arrays(other[1])[0]
        assert all((images[i] != first[0][i]).any() for i in range(min(n, len(images)))), "no item in common"


@each_problem
def test_a_smaller_test_split_is_the_beginning_of_a_larger_one(problem):
    items = tiny(problem)["items"]
    small, large = (arrays(made(problem, "test", items={**items, "test": n})[1])[0] for n in (1, 2))
    assert len(small) < len(large) and (large[: len(small)] == small).all()


@each_problem
def test_sizes_cover_what_is_held(problem):
    entry = tiny(problem)
    _, shards = made(problem)
    item = shards[0][0][0].nbytes / 1e6
    stated = problems.find(problem, "configuration.item_mb")(entry)
    assert item <= stated * 1.001 and stated < 10 * item
    assert problems.find(problem, "configuration.simulate_mb")(entry) >= sum(a.nbytes for a in arrays(shards)[:1]) / 1e6


# What is told of a folder that does not keep it


def test_an_unknown_name_is_told_with_the_file_that_must_define_it(tmp_path, monkeypatch):
    with pytest.raises(ProblemError, match=re.escape(f"the unknown problem 'no_such': found {problems.names()}")):
        problems.load("no_such")
    with pytest.raises(ProblemError, match=r"diffusion/no_such\.py: found no such file, expected one that defines x"):
        problems.find("diffusion", "no_such.x")
    with pytest.raises(ProblemError, match=r"diffusion/score\.py: found no METRIX, expected its definition there"):
        problems.find("diffusion", "score.METRIX")
    with pytest.raises(ProblemError, match=r"diffusion/__init__\.py: found no PROBLEMS"):
        problems.find("diffusion", "PROBLEMS")


def test_what_a_module_itself_lacks_is_not_taken_for_its_own_absence(tmp_path, monkeypatch):
    monkeypatch.setattr(problems, "names", lambda: ["planning"])  # a folder whose module imports what is not there
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    monkeypatch.delitem(__import__("sys").modules, "blurbench.planning.schemas")
    with pytest.raises(ModuleNotFoundError, match="yaml"):
        problems.find("planning", "schemas.of_configuration")


@pytest.mark.parametrize("wrong", ["D", ["D"], ("D", 1)])
def test_a_declaration_is_judged(wrong):
    with pytest.raises(ProblemError, match=r"PROBLEM: conditions: found .*, expected a tuple of names"):
        Problem(answer=Numbers(("D",)), conditions=wrong, known=())
