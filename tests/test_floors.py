"""Imports go one way, and problems never import each other: the rest of what `lint-imports` holds the library to.

pyproject.toml names the shared floors. Problems are found by their folders, so that a new one needs no line there.
"""

import tomllib
from pathlib import Path

import grimp

from blurbench import problems

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
FLOORS = next(c["layers"] for c in PROJECT["tool"]["importlinter"]["contracts"] if c["id"] == "floors")
SHARED = {name for floor in FLOORS for name in floor.split(" | ")}


def test_every_part_of_the_library_is_a_floor_or_a_problem():
    parts = {path.stem for path in problems.LIBRARY.glob("[a-z]*") if path.is_dir() or path.suffix == ".py"}
    assert parts == SHARED | set(problems.names())


def test_every_floor_is_held_to_its_types():
    files = PROJECT["tool"]["mypy"]["files"]
    assert {Path(file).stem for file in files} == SHARED


def test_no_floor_imports_a_problem_and_no_problem_another():
    top, below = ({f"blurbench.{name}" for name in names} for names in (problems.names(), SHARED))
    graph = grimp.build_graph("blurbench", exclude_type_checking_imports=True, cache_dir=None)
    layers = (grimp.Layer(*top, independent=True), grimp.Layer(*below, independent=False))
    found = graph.find_illegal_dependencies_for_layers(layers=layers)
    assert {(one.importer, one.imported) for one in found} == set()
