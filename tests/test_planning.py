"""A plan reads configuration, problems and methods, at every start of every job: with nothing heavy imported."""

import json
import subprocess
import sys
from pathlib import Path

from configurations import layers

from blurbench import problems
from blurbench.planning import units

HEAVY = {"numpy", "torch", "pandas", "numba", "scipy", "zarr", "matplotlib"}
PLAN = """
import importlib, json, sys
modules, config, heavy = json.loads(sys.stdin.read())
for module in modules:
    importlib.import_module(module)
from blurbench import problems
from blurbench.planning import configuration, memory
expanded = configuration.expand(config)
for problem, entry in expanded["problems"].items():
    problems.load(problem)
    for dataset in entry["datasets"]:
        memory.memory_mb(expanded, "simulate", problem, dataset)
print(*set(heavy) & set(sys.modules))
"""


def test_a_plan_imports_nothing_heavy():
    floor = sorted(path.stem for path in Path(units.__file__).parent.glob("[a-z]*.py"))
    modules = ["blurbench.problems", *(f"blurbench.planning.{name}" for name in floor)]
    modules += [f"blurbench.{problem}{part}" for problem in problems.names() for part in ("", ".configuration")]
    given = json.dumps([modules, layers("config"), sorted(HEAVY)])
    said = subprocess.run([sys.executable, "-c", PLAN], input=given, check=True, capture_output=True, text=True).stdout
    assert said.strip() == ""
