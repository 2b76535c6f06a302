"""The Dockerfile, built without a network on a base of Debian, and jobs in what it makes: `make test-container`."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from buildah import Buildah
from debian import Unavailable
from packaging.utils import canonicalize_name
from workflow import ROOT, Tree

SMOKE = ["--configfile", "config/smoke.yaml"]
SCORES = "results/smoke/scores/diffusion/report/cve/0.parquet"
MANIFEST = "results/smoke/datasets/diffusion/report/test.json"
USER = 4321  # anybody but root, and unknown to the image
# Apptainer's place is taken by buildah: a call notes the image that it is given, and runs its command in our container.
APPTAINER = """#!{python}
import argparse, os, sys

if sys.argv[1:] == ["--version"]:
    sys.exit(print("apptainer version 1.4.0"))
parser = argparse.ArgumentParser()
parser.add_argument("verb", choices=["exec"])
parser.add_argument("--home")
parser.add_argument("--bind", action="append", default=[])
parser.add_argument("image")
parser.add_argument("command", nargs=argparse.REMAINDER)
call = parser.parse_args()
open("{images}", "a").write(call.image + "\\n")
volumes = [f"--volume={{one if ':' in one else f'{{one}}:{{one}}'}}" for one in [call.home, *call.bind]]
words = [*{buildah}, "--isolation", "chroot", "--workingdir", call.home, *volumes, "{container}", "--", *call.command]
os.execvp(words[0], words)
"""


@pytest.fixture(scope="module")
def buildah():
    try:
        with Buildah() as buildah:
            yield buildah
    except Unavailable as reason:
        pytest.skip(f"no container can be built here: {reason}")


@pytest.fixture(scope="module")
def container(buildah):
    """A container of the image, built of a context with the wheels and without a network."""
    context = buildah.folder / "context"
    context.mkdir()
    for name in ("Dockerfile", ".dockerignore", "requirements.lock"):
        shutil.copy2(ROOT / name, context)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--requirement", "requirements.lock"]
    made = subprocess.Popen(
        [*wheel, "--wheel-dir", "wheels"], cwd=context, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        buildah.base("localhost/debian-python")
        said, _ = made.communicate()
    except Unavailable as reason:
        pytest.skip(f"no base can be made here: {reason}")
    finally:
        made.kill()
    if made.returncode:
        pytest.skip(f"no wheels can be made here: {' '.join(said.split())[-300:]}")
    arguments = ["--build-arg", "BASE=localhost/debian-python", "--build-arg", "WHEELS=wheels"]
    buildah("build", "--isolation", "chroot", *arguments, "--tag", "blurbench", context, network=False)
    shutil.rmtree(context)
    return buildah("from", "blurbench")


@pytest.fixture(scope="module")
def outside(buildah):
    """Scores as the Python at hand computes them."""
    tree = Tree.copied(buildah.folder / "outside")
    with tree.process([sys.executable, "-m", "snakemake", "--cores", "2", SCORES, *SMOKE]) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    return tree


def clone(buildah, name):
    """A clone of the workflow that belongs to somebody who is not root."""
    tree = Tree.copied(buildah.folder / name)
    for path in [tree.path, *tree.path.rglob("*")]:
        os.chown(path, USER, USER)
    return tree


def assert_same(tree, other):
    """The same images, of which the manifest has checksums, and the same scores of them."""
    arrays = [json.loads((one.path / MANIFEST).read_text())["arrays"] for one in (tree, other)]
    assert arrays[0] == arrays[1]
    scores = [pd.read_parquet(one.path / SCORES).query("metric != 'seconds'") for one in (tree, other)]
    assert (scores[0].status == "ok").any()
    pd.testing.assert_frame_equal(*scores, check_exact=True)


def test_the_image_holds_what_the_lock_file_names(buildah, container):
    said = buildah.run(container, "/", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    found = {
        canonicalize_name(name): version
        for name, version in (line.split("==") for line in said.split() if "==" in line)
    }
    locked = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().split())
    # A build of torch may say for which device it is: 2.13.0+cpu.
    assert {name: found.get(canonicalize_name(name), "").partition("+")[0] for name in locked} == locked


def test_a_job_inside_gives_the_scores_of_one_outside(buildah, container, outside):
    """As any user, who plans first; what is made belongs to that user."""
    tree = clone(buildah, "inside")

    def run(*command):
        volumes = [f"{tree.path}:/blurbench"]
        return buildah.run(container, "/blurbench", *command, *SMOKE, user=f"{USER}:{USER}", volumes=volumes)

    assert "score" in run("snakemake", "--dry-run", "--quiet", "rules")
    assert "summary_ridge" in run("python", "-m", "blurbench", "list")
    run("snakemake", "--cores", "2", SCORES)
    assert_same(tree, outside)
    assert (tree.path / SCORES).stat().st_uid == USER


def test_rules_run_in_the_image_that_they_name(buildah, container, outside, tmp_path):
    """Snakemake outside, jobs inside, by the options that it gives to apptainer."""
    tree, images = Tree.copied(buildah.folder / "apptainer"), tmp_path / "images"
    values = {"python": sys.executable, "buildah": buildah.command("run"), "images": images, "container": container}
    (tmp_path / "apptainer").write_text(APPTAINER.format(**values))
    (tmp_path / "apptainer").chmod(0o755)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", SCORES, "--sdm", "apptainer", *SMOKE]
    with tree.process(["env", f"PATH={tmp_path}:{os.environ['PATH']}", *command]) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert len(images.read_text().split()) == 3  # simulate, predict, score
    assert set(images.read_text().split()) == {"blurbench-0.1.0.sif"}
    assert_same(tree, outside)
