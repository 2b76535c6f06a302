"""One list of pinned versions: pyproject.toml states it, the environments and the lock file repeat it."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_what_only_some_need_is_pinned_too():
    for extra in ("readers", "crate", "track"):
        assert all(pins(PROJECT["optional-dependencies"][extra]).values()), extra


def test_the_lock_file_has_the_versions_of_the_project():
    locked = pins((ROOT / "requirements.lock").read_text().split())
    wanted = pins(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    assert {name: locked.get(name) for name in wanted} == wanted


def needed(requirements):
    """Names of the packages that requirements ask for, directly or through others, as installed here."""
    found, waiting = set(), [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            if (name := (canonicalize_name(requirement.name), extra)) in found:
                continue
            found.add(name)
            further = [Requirement(text) for text in metadata.requires(requirement.name) or []]
            waiting += [one for one in further if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def test_the_lock_file_holds_nothing_that_is_not_needed():
    locked = pins((ROOT / "requirements.lock").read_text().split())
    # A CUDA build of torch needs more, which comes with it and not through the lock file.
    assert set(locked) - needed(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]) == set()


def test_the_lock_file_names_packages_only():
    assert [
        line for line in (ROOT / "requirements.lock").read_text().split() if not re.fullmatch(r"[\w.-]+==[\w.]+", line)
    ] == []


def test_the_citation_has_the_version_of_the_project():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


def test_rules_name_the_image_of_this_version():
    """And so does what docs/container.md says to type."""
    version = PROJECT["version"]
    assert f'\ncontainer: "blurbench-{version}.sif"\n' in (ROOT / "Snakefile").read_text()
    named = re.findall(r"\bblurbench[:-](\d+\.[\d.]*\d)", (ROOT / "docs/container.md").read_text())
    assert named and set(named) == {version}


def test_before_a_commit_runs_what_lint_runs():
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [line.strip() for line in recipe.splitlines()]
