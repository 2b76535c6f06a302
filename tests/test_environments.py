"""One list of pinned versions: pyproject.toml states it, the environments and the lock file repeat it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What the workflow itself needs, but none of its jobs.
NOT_IN_JOBS = {"snakemake", "snakemake-executor-plugin-slurm", "jsonschema", "pyyaml"}


def pins(lines):
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}


def environment(path):
    return pins(
        next(part["pip"] for part in yaml.safe_load(path.read_text())["dependencies"] if isinstance(part, dict))
    )


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_environment_has_the_versions_of_the_project(path):
    project = pins(PROJECT["dependencies"])
    assert {name: project.get(name) for name in environment(path)} == environment(path)


def test_the_environments_hold_everything_that_a_job_needs():
    found = set().union(*(environment(path) for path in (ROOT / "envs").glob("*.yaml")))
    assert found == set(pins(PROJECT["dependencies"])) - NOT_IN_JOBS


def test_the_lock_file_has_the_versions_of_the_project():
    locked = pins((ROOT / "requirements.lock").read_text().split())
    wanted = pins(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    assert {name: locked.get(name) for name in wanted} == wanted


def test_the_lock_file_names_packages_only():
    assert [
        line for line in (ROOT / "requirements.lock").read_text().split() if not re.fullmatch(r"[\w.-]+==[\w.]+", line)
    ] == []


def test_the_citation_has_the_version_of_the_project():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]
