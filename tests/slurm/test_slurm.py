"""The Slurm profile on a real Slurm of one node: `make test-slurm`.

What jobs asked for and how they ended is read from Slurm's own records, not from Snakemake's log.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from cluster import Cluster
from debian import Unavailable
from workflow import PARTS, ROOT

from blurbench import problems
from blurbench.files import models
from blurbench.files.answers import Images

LITERAL = ["snakemake", "--cores", "8", "--profile", "slurm"]
SOON = ["--slurm-init-seconds-before-status-checks", "8"]  # the profile's value is for clusters with other users
SMOKE = ["--configfile", "config/smoke.yaml", "config/less.yaml"]
# Of the smoke configuration, as much as has every rule run; networks ask for a GPU, as they do in the full one.
LESS = {
    "device": "auto",
    "problems": {
        "diffusion": {"datasets": {"report": {"methods": ["ours", "cve", "prior_mean"]}}},
        "colloids": {"datasets": {"levels": {"methods": ["ours", "log", "chance"]}, "large": None}},
        "fusion": {
            "compare_with": ["local_ridge"],
            "datasets": {
                "known": {"methods": ["ours", "local_ridge", "copy"]},
                "unseen_study": None,
                "known_mistakes": None,
            },
        },
        "segmentation": None,  # its answers are images as those of fusion
    },
}
COLUMNS = "JobIDRaw,Comment,State,Partition,ReqCPUS,ReqMem,TimelimitRaw,ReqTRES,Start,End,WorkDir"
STEPS, PAUSE, EVERY = 320, 0.25, 10  # of the slow training: 80 s in all, and steps between two checkpoints
SLOW = '''
"""The method of ours in slow motion; leaves a mark for each step, in a file of the Slurm job that takes it."""

import os
import time

import torch

from blurbench.diffusion.methods.ours import Ours


class Slow(Ours):
    kind = "learned"
    trains = True
    options = {"width": 16, "dropout": 0.0, "pause": 0.0}

    def turn(self, x, element):
        if x.ndim == 3 and torch.is_grad_enabled():  # a batch, that is a step of the training
            time.sleep(self.pause)
            with open(f"steps_{os.environ['SLURM_JOB_ID']}", "a") as trace:
                trace.write(".")
        return super().turn(x, element)
'''


class Tree:
    """A copy of the workflow to run in, with what numba has compiled in the original, which takes a minute anew."""

    def __init__(self, path, run, original=ROOT):
        self.path, self.results = path, path / "results" / run
        path.mkdir()
        for part in PARTS:
            source = original / part
            shutil.copytree(source, path / part) if source.is_dir() else shutil.copy2(source, path)
        for extra in (path / "rules/extra").glob("*.smk"):
            extra.unlink()

    def configure(self, name, values):
        (self.path / "config" / name).write_text(yaml.safe_dump(values))


started = []


def start(tree, *arguments):
    """Snakemake as a user starts it on a login node; its words go to a file. It ends with the cluster at the latest."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    log = open(tree.path / "snakemake.out", "w")
    started.append(
        subprocess.Popen(
            [*LITERAL, *SOON, *arguments],
            cwd=tree.path,
            env={**os.environ, "PATH": path, "PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    )
    return started[-1]


def said(tree):
    return (tree.path / "snakemake.out").read_text()


def sacct(tree, *states):
    """What Slurm has on record of a tree's jobs, in the order of their submission; in certain states if given."""
    done = subprocess.run(
        ["sacct", "-X", "-P", "--units=M", "--starttime=now-1day", f"--format={COLUMNS}"],
        capture_output=True,
        text=True,
        check=True,
    )
    jobs = [row for row in csv.DictReader(done.stdout.splitlines(), delimiter="|") if row["WorkDir"] == str(tree.path)]
    return sorted((j for j in jobs if not states or j["State"].split()[0] in states), key=lambda j: int(j["JobIDRaw"]))


def settled(tree):
    """The tree's jobs, once Slurm has written down that all have ended."""
    for _ in range(60):
        if not sacct(tree, "RUNNING", "PENDING", "COMPLETING"):
            break
        time.sleep(0.5)
    return sacct(tree)


def asked(job):
    """(CPUs, MB, minutes, GPUs, partition) that a job on record asked for."""
    gpus = re.search(r"gres/gpu=(\d+)", job["ReqTRES"])
    megabytes = round(float(job["ReqMem"].rstrip("M")))
    return int(job["ReqCPUS"]), megabytes, int(job["TimelimitRaw"]), int(gpus[1]) if gpus else 0, job["Partition"]


def plan(tree, *arguments):
    """Jobs of a run as the rules declare them, without any profile; not those that run where Snakemake does."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", "--dry-run", *arguments],
        cwd=tree.path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    jobs = []
    for rule, body in re.findall(r"^rule (\w+):\n((?:    .*\n)+)", done.stdout + done.stderr, re.MULTILINE):
        lines = dict(line.strip().split(": ", 1) for line in body.splitlines() if ": " in line)
        resources = dict(pair.split("=", 1) for pair in lines["resources"].split(", "))
        jobs.append(
            {
                "rule": rule,
                "wildcards": dict(pair.split("=") for pair in lines.get("wildcards", "").split(", ") if pair),
                "log": lines.get("log"),
                "cpus": int(lines.get("threads", 1)),
                "megabytes": int(resources.get("mem_mb", 0)),
                "minutes": int(resources.get("runtime", 0)),
                "gpus": int(resources.get("gpu", 0)),
            }
        )
    return [job for job in jobs if job["rule"] not in ("all", "complete")]


def submission(job):
    """Comment of the Slurm job that a job of the plan belongs to, and its place among the others there."""
    rule, w = job["rule"], job["wildcards"]
    if rule in ("predict", "predict_images", "score"):
        predicted = "predict_images" if isinstance(problems.load(w["problem"]).answer, Images) else "predict"
        return f"rule_judge_{w['problem']}_{w['dataset']}_{w['method']}_{predicted}_score", rule == "score"
    if rule in ("simulate", "draw"):
        return f"rule_{rule}_{w['problem']}_{w['dataset']}_{rule}", 0
    return "_".join([f"rule_{rule}", *(["wildcards"] if w else []), *w.values()]), 0


def declared(jobs):
    """(CPUs, MB, minutes, GPUs, partition) of each Slurm job by its comment.

    Of jobs side by side all but the time adds, of jobs in turn the time alone.
    """
    stages = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        comment, place = submission(job)
        stages[comment][place].append(job)
    found = {}
    for comment, turns in stages.items():
        cpus, megabytes, gpus = (
            max(sum(job[what] for job in turn) for turn in turns.values()) for what in ("cpus", "megabytes", "gpus")
        )
        minutes = sum(max(job["minutes"] for job in turn) for turn in turns.values())
        partition = "gpu" if comment.startswith("rule_train_wildcards") else "cpu"
        found[comment] = cpus, megabytes, minutes, gpus, partition
    return found


@pytest.fixture(scope="module", autouse=True)
def cluster():
    cluster = Cluster()
    try:
        cluster.up()
        yield cluster
    except Unavailable as reason:
        pytest.skip(f"Slurm cannot be brought up here: {reason}")
    finally:
        for run in started:
            run.kill()
        cluster.down()


# -- the command


@pytest.fixture(scope="module")
def smoke(cluster, tmp_path_factory):
    """The smoke configuration through Slurm."""
    tree = Tree(tmp_path_factory.mktemp("smoke") / "tree", "smoke")
    tree.configure("less.yaml", LESS)
    tree.plan = plan(tree, *SMOKE)
    assert start(tree, *SMOKE).wait(600) == 0, said(tree)
    tree.jobs = settled(tree)
    return tree


@pytest.fixture(scope="module")
def local(smoke, tmp_path_factory):
    """The same without Slurm; it computes, yielding to others, while the jobs of the next tests sleep."""
    tree = Tree(tmp_path_factory.mktemp("local") / "tree", "smoke", smoke.path)
    tree.configure("less.yaml", LESS)
    command = ["nice", "-n", "19", sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy", *SMOKE]
    with open(tree.path / "snakemake.out", "w") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        tree.run = subprocess.Popen(command, cwd=tree.path, env={**os.environ, "PYTHONPATH": ""}, **streams)
    yield tree
    tree.run.kill()


def test_every_job_ran_through_slurm(smoke):
    assert {job["State"] for job in smoke.jobs} == {"COMPLETED"}
    assert sorted(job["Comment"] for job in smoke.jobs) == sorted(declared(smoke.plan))


def test_every_job_worked_while_slurm_ran_it(smoke):
    ran = {
        job["Comment"]: [datetime.fromisoformat(job[end]).timestamp() for end in ("Start", "End")] for job in smoke.jobs
    }
    for job in smoke.plan:
        begin, end = ran[submission(job)[0]]
        assert begin - 1 <= (smoke.path / job["log"]).stat().st_mtime <= end + 1, job["log"]


def test_every_job_had_the_cpus_memory_time_and_gpus_of_its_rules(smoke):
    assert {job["Comment"]: asked(job) for job in smoke.jobs} == declared(smoke.plan)


def test_only_the_training_of_networks_has_a_gpu(smoke):
    learned = {job["Comment"] for job in smoke.jobs if asked(job)[3]}
    trained_on = "diffusion_report", "colloids_levels", "fusion_known"
    assert learned == {f"rule_train_wildcards_{data}_ours_1" for data in trained_on}


def test_the_efficiency_of_every_job_is_written_down(smoke):
    (report,) = (smoke.path / "results/efficiency").glob("*.csv")
    assert {row["RuleName"] for row in csv.DictReader(report.open())} == set(declared(smoke.plan))


def test_a_second_run_submits_nothing(smoke):
    assert start(smoke, *SMOKE).wait(120) == 0, said(smoke)
    assert len(sacct(smoke)) == len(smoke.jobs)


# -- what clusters do to jobs


def trained(path, original, steps=STEPS):
    """A tree with the slow method and an ordinary one; only their training is asked for."""
    tree = Tree(path, "tiny", original)
    (tree.path / "src/blurbench/diffusion/methods/slow.py").write_text(SLOW)
    data = {
        "imaging": {"frames": 6, "size_px": 24},
        "test_D_um2_s": [0.5, 5],
        "items": {"train": 64, "validation": 16, "test": 2},
        "methods": ["ours", "slow"],
    }
    slow = {
        "options": {"pause": PAUSE},
        "budget": {"epochs": steps // 2, "batch_size": 32, "validations": steps // EVERY, "patience": 1000},
    }
    problem = {"datasets": {"report": data}, "methods": {"slow": slow}}
    tree.configure("tiny.yaml", {"run": "tiny", "problems": {"diffusion": problem}})
    return tree


def weights(method):
    return f"results/tiny/models/diffusion/report/{method}/1.pt"


TINY = ["--configfile", "config/smoke.yaml", "config/tiny.yaml"]
TRAIN = "rule_train_wildcards_diffusion_report_{}_1"


def training(tree, method):
    return [job for job in sacct(tree) if job["Comment"] == TRAIN.format(method)]


def steps(tree, job):
    """Steps of the training that a Slurm job took."""
    trace = tree.path / f"steps_{job['JobIDRaw']}"
    return len(trace.read_text()) if trace.exists() else 0


def steps_so_far(tree):
    return sum(len(trace.read_text()) for trace in tree.path.glob("steps_*"))


def resumed(tree):
    """Step from which the last job of the slow training went on."""
    log = (tree.results / "logs/train/diffusion/report/slow/1.log").read_text()
    return int(re.search(r"going on from step (\d+)", log)[1])


@pytest.fixture(scope="module")
def limited(smoke, local, tmp_path_factory):
    """A run with too little memory for the one training and too little time for the other, at the first attempt."""
    tree = trained(tmp_path_factory.mktemp("limited") / "tree", smoke.path)
    tree.run = start(
        tree,
        *(weights("ours"), weights("slow"), "--set-resources"),
        "train:mem_mb=3000 if wildcards.method == 'slow' else 300 * attempt ** 3",
        "train:runtime=2 * attempt - 1 if wildcards.method == 'slow' else 20",
        # The other way to ask for a GPU, as the profile shows it.
        *("train:slurm_partition=gpu", "train:gpu=0", "train:gres='gpu:1'"),
        *TINY,
    )
    return tree


def finished(tree):
    assert tree.run.wait(600) == 0, said(tree)
    settled(tree)
    return tree


@pytest.fixture(scope="module")
def interrupted(limited, tmp_path_factory):
    """Two slow trainings: of one the job is cancelled, of the other Snakemake is killed; then both are run again."""
    while not steps_so_far(limited):  # it trains, so that its data are there; from here on all run side by side
        assert limited.run.poll() is None, said(limited)
        time.sleep(0.5)
    cancelled, killed = trees = [trained(tmp_path_factory.mktemp("one") / "tree", limited.path, 160) for _ in range(2)]
    arguments = [weights("slow"), "--set-resources", "train:slurm_partition=cpu", "train:gpu=0", *TINY]
    for tree in trees:
        for known in ("results/tiny/datasets", ".snakemake/metadata"):
            shutil.copytree(limited.path / known, tree.path / known)
        # The profile would try again; here the failure itself is looked at.
        tree.run = start(tree, *arguments, "--retries", "0")
    for tree in trees:
        while steps_so_far(tree) < 2 * EVERY:
            assert tree.run.poll() is None, said(tree)
            time.sleep(0.5)
        (tree.job,) = sacct(tree, "RUNNING")
    subprocess.run(["scancel", cancelled.job["JobIDRaw"]], check=True)
    killed.run.kill()
    assert start(killed, "--unlock", *TINY).wait(60) == 0, said(killed)
    killed.run = start(killed, *arguments)
    cancelled.status = cancelled.run.wait(120), said(cancelled), settled(cancelled), weights_of(cancelled)
    cancelled.run = start(cancelled, *arguments)
    for tree in trees:
        assert tree.run.wait(300) == 0, said(tree)
        tree.jobs = settled(tree)
    return cancelled, killed


def weights_of(tree):
    """Tensors of the slow method's model; None if there is none."""
    file = tree.path / weights("slow")
    return models.read(file)["network"] if file.exists() else None


def test_a_cancelled_job_fails_clearly_and_the_next_run_completes(interrupted):
    tree, _ = interrupted
    status, words, jobs, model = tree.status
    assert status == 1 and "CANCELLED" in words and f"SLURM-job '{tree.job['JobIDRaw']}'" in words
    assert [job["State"].split()[0] for job in jobs] == ["CANCELLED"] and model is None
    assert [job["State"].split()[0] for job in tree.jobs] == ["CANCELLED", "COMPLETED"]
    assert 0 <= steps(tree, tree.job) - resumed(tree) <= EVERY


def test_a_job_that_outlived_its_snakemake_does_no_harm_to_the_next_ones(interrupted):
    undisturbed, tree = interrupted
    first, second = tree.jobs
    assert first["State"] == second["State"] == "COMPLETED"
    assert second["Start"] < first["End"], "they did not run side by side"
    one, other = weights_of(tree), weights_of(undisturbed)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert not list((tree.results / "models").rglob("*.partial-*"))


def test_a_training_killed_for_memory_is_tried_again_with_more(limited):
    first, second = training(finished(limited), "ours")
    assert first["State"] in ("FAILED", "OUT_OF_MEMORY") and asked(first)[1] == 300
    assert second["State"] == "COMPLETED" and asked(second)[1] == 2400
    (log,) = (limited.path / ".snakemake/slurm_logs").rglob(f"{first['JobIDRaw']}.log")
    assert "memory limit" in log.read_text()
    assert (limited.path / weights("ours")).exists()


def test_a_training_over_its_time_goes_on_from_its_checkpoint(limited):
    first, second = training(finished(limited), "slow")
    assert (first["State"], asked(first)[2]) == ("TIMEOUT", 1)
    assert (second["State"], asked(second)[2]) == ("COMPLETED", 3)
    again = resumed(limited)
    assert 0 < again and 0 <= steps(limited, first) - again <= EVERY
    assert steps(limited, second) == STEPS - again
    assert (limited.path / weights("slow")).exists()


def test_gres_asks_for_a_gpu_where_gpus_is_refused(limited):
    jobs = [job for method in ("ours", "slow") for job in training(finished(limited), method)]
    assert {asked(job)[3:] for job in jobs} == {(1, "gpu")}


# -- what comes out


def test_the_tables_are_those_of_a_local_run(smoke, local):
    assert local.run.wait(600) == 0, said(local)
    files = [path.relative_to(smoke.path) for path in smoke.results.glob("scores/**/*.parquet")]
    assert len(files) == sum(job["rule"] == "score" for job in smoke.plan)
    for file in files:
        one, two = (pd.read_parquet(tree.path / file) for tree in (smoke, local))
        assert len(one) == len(two) and set(one.status) == set(two.status)
        if set(one.kind) != {"learned"}:
            one, two = (scores[scores.metric != "seconds"].reset_index(drop=True) for scores in (one, two))
            pd.testing.assert_frame_equal(one, two, check_exact=True)
    for problem in ("diffusion", "colloids"):
        one, two = (pd.read_csv(tree.results / f"tables/{problem}.csv") for tree in (smoke, local))
        key = ["dataset", "condition", "method", "metric"]
        one, two = (table.sort_values(key, ignore_index=True) for table in (one, two))
        assert one[key].equals(two[key])
        same = (one.kind != "learned") & (one.metric != "seconds")
        values = ["mean", "ci_low", "ci_high", "n_items", "n_failed"]  # a rank depends on all methods
        pd.testing.assert_frame_equal(one.loc[same, values], two.loc[same, values], check_exact=True)
