"""The workflow as a user meets it: a run, a second run, an addition, a mistake. One tiny run is shared by all."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess

import pandas as pd
import pytest
from workflow import LEARNED, METHOD, finished_tree, tiny

RULE = """
rule guess:
    input:
        manifest="<results>/datasets/diffusion/{dataset}/test.json",
    output:
        "<results>/predictions/diffusion/{dataset}/guess/0.parquet",
    shell:
        "python -c 'import json, pandas;"
        " n = json.load(open(\\"{input.manifest}\\"))[\\"items\\"];"
        " pandas.DataFrame(dict(item=range(n), D=1.0)).to_parquet(\\"{output}\\")'"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run; tests that change something take a clone."""
    return finished_tree(tmp_path_factory.mktemp("workflow") / "tree")


def test_a_run_makes_everything(finished):
    for name in ("csv", "md", "html", "tex"):
        assert (finished.results / f"tables/diffusion.{name}").stat().st_size
    for name in ("timing.csv", "summary.md", "methods.csv"):
        assert (finished.results / "tables" / name).stat().st_size
    for name in (
        "machine.json",
        "complete.json",
        "cards/diffusion.html",
        "figures/diffusion/cues.svg",
        "figures/diffusion/cues.png",
    ):
        assert (finished.results / name).stat().st_size
    assert not (finished.results / "figures/diffusion/ranks.svg").exists()  # of a single dataset with items of its own
    table = finished.table()
    assert set(table.kind) == {"learned", "classical", "limit", "control"}
    assert set(table.dataset) == {"report", "report_no_shape"}


def test_every_job_leaves_a_log_and_a_benchmark(finished):
    for folder in ("logs", "benchmarks"):
        for stage in ("simulate", "train", "predict", "score", "draw"):
            assert any((finished.results / folder / stage).rglob("*.*")), f"{folder}/{stage}"


def test_a_second_run_does_nothing(finished):
    assert "Nothing to be done" in finished.snakemake()


@pytest.mark.parametrize("fails", [False, True], ids=["which succeeds", "which fails"])
def test_a_run_ends_with_its_last_job(fails, finished, tmp_path):
    """After looks at what is ready Snakemake has timers, with the options of `make` of an hour."""
    tree, target = finished.clone(tmp_path / "tree"), "results/tiny/scores/diffusion/report/cve/0.parquet"
    (tree.path / target).unlink()
    if fails:
        (tree.results / "predictions/diffusion/report/cve/0.parquet").write_text("no table")
    tree.snakemake(target, check=not fails, timeout=300)
    assert (tree.path / target).exists() != fails


def test_a_run_whose_output_is_closed_ends(finished, tmp_path):
    """As by a terminal that is gone: neither onsuccess nor onerror is run, and there are timers of an hour."""
    tree, targets = finished.clone(tmp_path / "tree"), "results/tiny/scores/diffusion/report/{}/0.parquet"
    targets = [targets.format(name) for name in ("cve", "centroid_msd", "prior_mean")]
    for target in targets:
        (tree.path / target).unlink()
    with tree.start(*targets, cores=1) as process:
        try:
            while "Finished" not in process.stdout.readline():
                assert process.poll() is None
            process.stdout.close()
            process.wait(timeout=120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_one_core_and_two_give_the_same(finished, tmp_path):
    other = finished.clone(tmp_path / "tree", results=False)
    classical = [method for method in other.problem["datasets"]["report"]["methods"] if method not in LEARNED]
    other.snakemake(
        *(f"results/tiny/scores/diffusion/report/{method}/0.parquet" for method in classical),
        "results/tiny/datasets/diffusion/report/train.json",
        cores=1,
    )
    for split in ("train", "test"):
        manifest = f"datasets/diffusion/report/{split}.json"
        assert (finished.results / manifest).read_bytes() == (other.results / manifest).read_bytes()
    for method in classical:
        one, two = (
            pd.read_parquet(tree.results / f"scores/diffusion/report/{method}/0.parquet") for tree in (finished, other)
        )
        pd.testing.assert_frame_equal(one[one.metric != "seconds"], two[two.metric != "seconds"], check_exact=True)


def test_a_method_dropped_in_appears_and_runs_no_other_again(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    (tree.path / "src/blurbench/diffusion/methods/constant.py").write_text(METHOD)
    tree.problem["methods"]["constant"] = {}
    tree.problem["datasets"]["report"]["methods"].append("constant")
    before = {
        **tree.times("predictions/**/*.parquet"),
        **tree.times("models/**/*.pt"),
        **tree.times("scores/**/*.parquet"),
    }
    tree.snakemake()
    after = {
        **tree.times("predictions/**/*.parquet"),
        **tree.times("models/**/*.pt"),
        **tree.times("scores/**/*.parquet"),
    }
    assert {path: time for path, time in after.items() if path in before} == before
    assert all("constant" in str(path) for path in set(after) - set(before))
    assert "constant" in set(tree.table().method)


def test_an_edited_method_alone_runs_again(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    with open(tree.path / "src/blurbench/diffusion/methods/prior_mean.py", "a") as file:
        file.write("EDITED = True\n")
    plan = tree.snakemake("--dry-run")
    jobs = {line.strip() for line in plan.splitlines() if line.strip().startswith(("output:", "wildcards:"))}
    assert any("method=prior_mean" in job for job in jobs)
    assert not any("method=cve" in job or "method=ours" in job for job in jobs)


def test_an_edit_of_what_a_stage_imports_runs_that_stage_and_what_follows(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    os.utime(tree.path / "src/blurbench/diffusion/hermite_moments.py")  # the time alone says nothing
    assert "Nothing to be done" in tree.snakemake("--dry-run")
    with open(tree.path / "src/blurbench/diffusion/score.py", "a") as file:
        file.write("EDITED = True\n")
    planned = tree.snakemake("--dry-run", "--quiet", "reason")
    rules = set(re.findall(r"^(?:local)?rule (\w+):", planned, re.MULTILINE))
    assert {"score", "tabulate_diffusion", "summarise"} <= rules and not {"simulate", "train", "predict"} & rules


def test_an_edited_figure_alone_is_drawn_again(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    with open(tree.path / "src/blurbench/diffusion/figures/predicted.py", "a") as file:
        file.write("EDITED = True\n")
    planned = tree.snakemake("--dry-run", "--quiet", "reason")
    assert re.findall(r"^(?:local)?rule (\w+):", planned, re.MULTILINE) == ["draw", "complete", "all"]
    assert "figure=predicted" in planned
    # What is left to do is estimated, and nothing else.
    assert re.search(r"^\| diffusion +\| 1 ", planned, re.MULTILINE) and re.search(
        r"^\| together +\| 3 ", planned, re.MULTILINE
    )


def test_rules_of_ones_own_are_scored(finished, tmp_path):
    """One that writes Parquet, and one that writes the same as CSV: with the same scores."""
    tree = finished.clone(tmp_path / "tree")
    told = RULE.replace("guess", "told").replace("0.parquet", "0.csv")
    told = told.replace("to_parquet(", 'set_index(\\"item\\").to_csv(')
    (tree.path / "rules/extra/guess.smk").write_text(RULE + told)
    tree.problem["methods"]["guess"] = {"external": True, "kind": "classical"}
    tree.problem["methods"]["told"] = {"external": "csv"}
    tree.problem["datasets"]["report"]["methods"] += ["guess", "told"]
    tree.snakemake()
    rows = tree.table().query("metric != 'seconds' and not metric.str.startswith('rank')").set_index("method")
    assert set(rows.kind["guess"]) == {"classical"} and set(rows.dataset["guess"]) == {"report"}
    assert rows["mean"]["guess"].dropna().tolist() == rows["mean"]["told"].dropna().tolist()


def test_a_method_that_fails_does_not_stop_the_tables(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    broken = METHOD.replace("return pd", "raise RuntimeError('no answer')\n        return pd")
    (tree.path / "src/blurbench/diffusion/methods/constant.py").write_text(broken)
    tree.problem["methods"]["constant"] = {}
    tree.problem["datasets"]["report"]["methods"].append("constant")
    tree.snakemake()
    rows = tree.table().query("method == 'constant' and dataset == 'report' and condition == 'all'")
    assert (rows.n_failed == 12).all()
    assert "no answer" in (tree.results / "tables/diffusion_failures.csv").read_text()


def test_tables_say_where_they_come_from(finished):
    for name in ("diffusion", "summary"):
        text, about = ((finished.results / f"tables/{name}.{end}").read_text() for end in ("yaml", "json"))
        about, digest = json.loads(about), hashlib.sha256(text.encode()).hexdigest()
        assert about["configuration"] == {"file": f"{name}.yaml", "sha256": digest}
        assert (about["run"], about["seed"]) == ("tiny", 2)
        said = f"Run tiny, seed 2, commit unknown, configuration {digest[:12]} ({name}.yaml), Python "
        for end in ("md",) if name == "summary" else ("md", "html", "tex"):
            assert said in (finished.results / f"tables/{name}.{end}").read_text(), end


def test_the_commands_that_are_printed_make_a_table_again(finished, tmp_path):
    """All but the installing, in a working tree of the commit: with the run's files there, nothing is left to do."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    tree = finished.clone(tmp_path / "tree")
    # As a user has it: results are ignored, and `make` sets up the environment.
    (tree.path / ".gitignore").write_text("/results/\n/.snakemake/\n/.venv\n__pycache__/\n")
    (tree.path / "Makefile").write_text(
        ".venv/installed:\n\tmkdir -p .venv/bin\n\techo 'export PYTHONPATH=$(CURDIR)/src' > .venv/bin/activate\n"
    )
    git = ["git", "-C", str(tree.path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    (tree.results / "tables/diffusion.csv").unlink()
    tree.snakemake("results/tiny/tables/diffusion.csv")  # by the code of a commit now
    code, printed = run_in(tree, "PYTHONPATH=src python -m blurbench reproduce results/tiny diffusion")
    assert code == 0, printed
    *prepare, snakemake, compare = printed.splitlines()
    assert snakemake.startswith("snakemake results/tiny/tables/diffusion.csv ")
    code, said = run_in(tree, "set -e", *prepare, f"{snakemake} --dry-run --quiet reason")
    assert code == 0, said
    rules = set(re.findall(r"^rule (\w+):", said, re.MULTILINE))
    assert {"simulate", "train", "predict", "score", "tabulate_diffusion"} <= rules and "draw" not in rules
    again = next(line.removeprefix("cd ") for line in prepare if line.startswith("cd "))
    files = f"cp -a results .snakemake {again}/", f"cd {again}", ". .venv/bin/activate", "OLDPWD=../tree"
    same = f"{snakemake} --dry-run --rerun-triggers params input"  # scripts are newer there, as git wrote them
    code, said = run_in(tree, "set -e", *files, same, compare)
    assert code == 0 and "Nothing to be done" in said, said
    tables = said.partition("# tiny and tiny")[2].partition("\n## ")[2]
    assert "diffusion: report" in tables and "**" not in tables  # bold is what differs by more than chance


def run_in(tree, *lines):
    """(exit status, words) of lines of shell in a tree."""
    with tree.process(["bash", "-c", "\n".join(lines)]) as process:
        said, _ = process.communicate()
    return process.returncode, said


def test_a_run_is_moved_to_another_clone(finished, tmp_path):
    """As README.md has it: nothing runs again, and what is edited there does."""
    tree = finished.clone(tmp_path / "tree", results=False)
    for path in tree.path.rglob("*"):
        path.touch()  # as git writes them: now
    shutil.copytree(finished.path / "results", tree.path / "results")
    shutil.copytree(finished.path / ".snakemake/metadata", tree.path / ".snakemake/metadata", dirs_exist_ok=True)
    tree.snakemake("--touch")
    assert "Nothing to be done" in tree.snakemake("--dry-run")
    with open(tree.path / "src/blurbench/diffusion/methods/prior_mean.py", "a") as file:
        file.write("EDITED = True\n")
    plan = tree.snakemake("--dry-run")
    assert "method=prior_mean" in plan and "method=cve" not in plan


def test_a_wrong_configuration_stops_before_the_first_job(tmp_path):
    tree = tiny(tmp_path / "tree")
    tree.problem["datasets"]["report"]["imaging"]["pixel_size_nm"] = 200
    said = tree.snakemake(check=False)
    assert "imaging.pixel_size_nm: found the unknown 'pixel_size_nm'" in said and "did you mean pixel_size_um?" in said
    assert "Traceback" not in said and not (tree.path / "results").exists()


def test_the_slurm_profile_is_read(tmp_path):
    tree = tiny(tmp_path / "tree")
    plan = tree.snakemake("--profile", "slurm", "--dry-run", cores=8)
    train = plan[plan.index("rule train:") :].split("\n\n")[0]
    assert "slurm_partition=gpu" in train and "mem_mb=" in train
    assert "slurm_partition=cpu" in plan[plan.index("rule simulate:") :].split("\n\n")[0]
    assert "core-hours" in plan and "hours on" not in plan  # cores are each job's own


def test_the_full_configuration_asks_for_gpus(tmp_path):
    tree = tiny(tmp_path / "tree")
    tree.config["device"] = "auto"
    plan = tree.snakemake("--dry-run")
    assert "gpu=1" in plan[plan.index("rule train:") :].split("\n\n")[0]


def test_ranks_are_drawn_where_there_are_datasets_enough(tmp_path):
    tree = tiny(tmp_path / "tree")
    datasets = tree.problem["datasets"]
    datasets |= {f"report_{k}": {"like": "report", "imaging": {"photons": 10 * k}} for k in range(2, 6)}
    datasets |= {f"report_{k}": {"like": "report", "methods": ["cve", "centroid_msd"]} for k in range(6, 8)}
    assert "rule draw_ranks:" not in tree.snakemake("--dry-run")  # two methods stand in all of them
    for k in range(6, 8):
        datasets[f"report_{k}"]["methods"].append("ours")
    plan = tree.snakemake("--dry-run")
    job = plan[plan.index("rule draw_ranks:") :].split("\n\n")[0]
    assert "output: results/tiny/figures/diffusion/ranks.svg" in job


def test_a_failed_job_leaves_its_reason_in_the_log(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    shutil.rmtree(tree.results / "scores")
    (tree.results / "predictions/diffusion/report/cve/0.parquet").write_text("no table")
    tree.snakemake("results/tiny/scores/diffusion/report/cve/0.parquet", check=False)
    log = (tree.results / "logs/score/diffusion/report/cve/0.log").read_text()
    assert "Traceback" in log and "0.parquet" in log
