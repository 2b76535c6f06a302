"""What breaks in practice: nothing is lost, nothing half done counts as whole, and the message names the file."""

import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest
from workflow import LAYERS, METHOD, tiny

from blurbench import problems
from blurbench.files.datasets import Dataset, damage
from blurbench.running import integrity

KILLS = 10
RESUME = "--rerun-incomplete"
TABLES = "results/tiny/tables/summary.md"
DATA = "datasets/diffusion"
RAISING = METHOD.replace("return pd", "raise RuntimeError('no answer')\n        return pd")
SILENT = METHOD.replace("[self.answer] * len(dataset)", "[float('nan')] + [self.answer] * (len(dataset) - 1)")
# In compiled code that holds on to the interpreter, so that no signal reaches Python. On every fourth item or so.
HANGING = METHOD.replace(
    "return pd",
    """import ctypes
        if len(dataset) > 1 or int(dataset.images[0].sum()) % 4 == 0:
            ctypes.PyDLL(None).sleep(1000)
        return pd""",
)


def small(path):
    """As few jobs as make a table of two datasets: most of a job's time is spent on imports."""
    tree = tiny(path)
    tree.config["problems"] |= dict.fromkeys(set(problems.names()) - {"diffusion"})
    tree.problem["datasets"]["report"]["methods"] = ["ours", "cve", "prior_mean"]
    return tree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run that nothing disturbed; tests that change something take a clone."""
    tree, start = small(tmp_path_factory.mktemp("faults") / "tree"), time.perf_counter()
    tree.snakemake(TABLES)
    tree.seconds = time.perf_counter() - start
    return tree


def published(tree):
    """What the tables say, without the times."""
    tables = {path.name: pd.read_csv(path) for path in sorted((tree.results / "tables").glob("*.csv"))}
    tables.pop("timing.csv")
    return {name: table[table["metric"] != "seconds"] if "metric" in table else table for name, table in tables.items()}


def assert_same_tables(tree, other):
    one, two = published(tree), published(other)
    assert set(one) == set(two) and "diffusion.csv" in one
    for name in one:
        pd.testing.assert_frame_equal(one[name], two[name], check_exact=True)


def survivors(tree):
    """Processes that still work in the tree."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(tree.path.resolve()):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


# Killed


@pytest.mark.skipif(sys.platform != "linux", reason="looks for surviving processes in /proc")
def test_a_workflow_killed_ten_times_ends_with_the_tables_of_an_undisturbed_one(finished, tmp_path):
    start = time.perf_counter()
    finished.snakemake(TABLES, "--dry-run")
    planning = time.perf_counter() - start
    tree, moments, kills = small(tmp_path / "tree"), random.Random(1), 0
    while kills < KILLS:
        with tree.start(TABLES, RESUME) as process:
            try:
                process.communicate(timeout=planning + moments.uniform(0, finished.seconds / 5))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
        if process.returncode == 0:  # over before the last kill: once more from the beginning
            assert_same_tables(tree, finished)
            shutil.rmtree(tree.results)
            continue
        assert process.returncode == -signal.SIGKILL
        time.sleep(0.2)
        assert survivors(tree) == []
        tree.snakemake("--unlock")
        assert_whole_where_it_counts(tree)
    tree.snakemake(TABLES, RESUME)
    assert_same_tables(tree, finished)
    assert integrity.check(tree.results)[1] == []
    assert "Nothing to be done" in tree.snakemake(TABLES, RESUME)


def assert_whole_where_it_counts(tree):
    """A dataset has its manifest only when it is whole."""
    for manifest in tree.results.glob("datasets/*/*/*.json"):
        assert damage(manifest.with_suffix(".zarr"), manifest) == []


def test_two_runs_at_once_do_not_destroy_each_other(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    for folder in ("predictions", "scores", "tables"):
        shutil.rmtree(tree.results / folder)
    with tree.start(TABLES, RESUME) as first:
        locks = tree.path / ".snakemake/locks"
        while not (locks.is_dir() and any(locks.iterdir())):
            assert first.poll() is None, first.communicate()[0]
            time.sleep(0.05)
        second = tree.snakemake(TABLES, RESUME, check=False)  # without it the files under way may stop it first
        said, _ = first.communicate()
    assert "LockException" in second and "Finished jobid" not in second
    assert first.returncode == 0, said
    assert_same_tables(tree, finished)
    assert integrity.check(tree.results)[1] == [] and "Nothing to be done" in tree.snakemake(TABLES)


# Full


SMALL = 2**16  # bytes, of a dataset of ten times as many


def no_large_files():
    """A process that cannot write more than a few pages to a file, as where a quota is used up."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, resource.RLIM_INFINITY))


@pytest.fixture
def small_disk(tmp_path):
    """Function that puts an empty disk of its own over a folder, and returns one that takes it away."""
    mounted = []

    def remove():
        subprocess.run(["umount", mounted.pop()], check=True)

    def put(folder):
        try:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", str(folder)]
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        mounted.append(str(folder))
        return remove

    yield put
    if mounted:
        remove()


def without_train_split(finished, path):
    """A clone that lacks one dataset; with it the names of its store and manifest, and the manifest's content."""
    tree = finished.clone(path)
    manifest = tree.results / DATA / "report/train.json"
    content = manifest.read_bytes()
    shutil.rmtree(manifest.with_suffix(".zarr"))
    manifest.unlink()
    return tree, manifest, content


def assert_nothing_counts_as_whole(tree, manifest, said, reason):
    assert "Error in rule simulate" in said
    assert reason in (tree.results / "logs/simulate/diffusion/report/train.log").read_text()
    assert not [path for path in manifest.parent.iterdir() if path.name.startswith("train.")]


def assert_made_again(tree, manifest, content):
    tree.snakemake(str(manifest.relative_to(tree.path)), RESUME)
    assert damage(manifest.with_suffix(".zarr"), manifest) == [] and manifest.read_bytes() == content
    assert "Nothing to be done" in tree.snakemake(TABLES)


def test_a_disk_full_midway_leaves_no_half_dataset(finished, small_disk, tmp_path):
    tree, manifest, content = without_train_split(finished, tmp_path / "tree")
    remove = small_disk(manifest.parent)
    said = tree.snakemake(str(manifest.relative_to(tree.path)), RESUME, check=False)
    assert_nothing_counts_as_whole(tree, manifest, said, "No space left on device")
    remove()
    assert_made_again(tree, manifest, content)


def test_a_write_refused_midway_leaves_no_half_dataset(finished, tmp_path):
    tree, manifest, content = without_train_split(finished, tmp_path / "tree")
    said = tree.snakemake(str(manifest.relative_to(tree.path)), RESUME, preexec_fn=no_large_files, check=False)
    assert_nothing_counts_as_whole(tree, manifest, said, "too large")
    assert_made_again(tree, manifest, content)


# Damaged


def alter(path):
    """Flip bits of a byte that is read: between its columns a Parquet file has some that change nothing."""
    content = bytearray(path.read_bytes())
    at = len(content) // 3
    if path.suffix == ".parquet":
        group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
        column = max(map(group.column, range(group.num_columns)), key=lambda one: one.total_compressed_size)
        first = column.dictionary_page_offset or column.data_page_offset
        at = first + column.total_compressed_size - 2  # in its last page, behind that page's header
    content[at] ^= 0x55
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


SHARD = "images/c/0/0/0/0"
CVE, OURS = "diffusion/report/cve/0", "diffusion/report/ours/1"
HARMS = [
    # harm, file, what the message must hold beside it
    (truncate, f"{DATA}/report/test.zarr/{SHARD}", "expected a chunk that can be read"),
    (Path.unlink, f"{DATA}/report/test.zarr/{SHARD}", "no such file"),
    (alter, f"{DATA}/report/train.zarr/items/photons/c/0", "items/photons"),
    (empty, f"{DATA}/report/train.json", "found no manifest"),
    (alter, f"models/{OURS}.pt", "found no model that can be read"),
    (empty, f"models/{OURS}.pt", "found no model that can be read"),
    (truncate, f"models/{OURS}.csv", "the last line"),
    (alter, f"predictions/{CVE}.parquet", "found no Parquet file"),
    (truncate, f"predictions/{CVE}.parquet", "found no Parquet file"),
    (empty, f"scores/{CVE}.parquet", "found no Parquet file"),
    (alter, f"scores/{CVE}.parquet", "found no Parquet file"),
    (alter, "tables/diffusion.csv", "sha256"),
    (Path.unlink, "tables/diffusion.tex", "nothing there"),
    (truncate, "tables/summary.md", "sha256"),
]


def test_every_damage_is_found_and_named(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    counts, faults = integrity.check(tree.results)
    assert faults == [] and set(counts) == {"datasets", "models", "predictions", "scores", "tables", "records"}
    for harm, name, words in HARMS:
        path = tree.results / name
        content = path.read_bytes()
        harm(path)
        _, faults = integrity.check(tree.results)
        path.write_bytes(content)
        named = [fault.text for fault in faults if words in fault.text and "expected" in fault.text]
        assert len(named) == 1 and (str(path) in named[0] or words in str(path)), (harm, name, faults)
    assert integrity.check(tree.results)[1] == []


def checked(tree):
    """What `make check` says, and its exit status."""
    command = [sys.executable, "-m", "blurbench.running.integrity", str(tree.results.relative_to(tree.path))]
    environment = {**os.environ, "PYTHONPATH": str(tree.path / "src")}
    done = subprocess.run(command, cwd=tree.path, env=environment, capture_output=True, text=True)
    return done.stdout, done.returncode


def outputs(tree):
    return tree.times("**/*.json") | tree.times("**/*.pt") | tree.times("**/*.parquet") | tree.times("tables/*")


def test_only_what_depends_on_damage_is_made_again(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    before = outputs(tree)
    shard = tree.results / DATA / "report_no_shape/test.zarr" / SHARD
    for harm, path in ((alter, shard), (empty, tree.results / f"models/{OURS}.pt")):
        harm(path)
    truncate(tree.results / "predictions/diffusion/report/prior_mean/0.parquet")
    said, status = checked(tree)
    assert status == 1 and "3 damaged" in said and "Traceback" not in said
    command = said.splitlines()[-1]
    assert "--configfile config/test.yaml --forcerun" in command
    layered = shlex.split(command.replace("--configfile config/test.yaml", " ".join([TABLES, *LAYERS])))
    with tree.process([sys.executable, "-m", *layered]) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert checked(tree)[1] == 0
    remade = {str(path) for path, time in outputs(tree).items() if before[path] != time}
    kept = {str(path) for path in before} - remade
    assert all(name in kept for name in (f"{DATA}/report/test.json", f"{DATA}/report/train.json"))
    for path in (str(path) for path in before if path.suffix in (".parquet", ".pt")):
        assert (path in kept) == any(f"{name}/cve/" in path for name in ("report", "report_mistakes")), path
    assert_same_tables(tree, finished)


# Methods


def test_methods_that_raise_hang_or_say_nothing_keep_their_rows(finished, tmp_path):
    tree = finished.clone(tmp_path / "tree")
    tree.config["predict_timeout_s"] = 3
    for name, source in {"raising": RAISING, "silent": SILENT, "hanging": HANGING}.items():
        (tree.path / f"src/blurbench/diffusion/methods/{name}.py").write_text(source)
        tree.problem.setdefault("methods", {})[name] = {}
        tree.problem["datasets"]["report"]["methods"].append(name)
    sums = [int(image.sum()) for image in Dataset.open(tree.results / DATA / "report/test.zarr").images[:]]
    hung = sum(total % 4 == 0 for total in sums)
    assert 0 < hung < len(sums)
    tree.snakemake(TABLES)
    failed = pd.read_csv(tree.results / "tables/diffusion_failures.csv").set_index("method")
    assert failed.status["raising"] == "RuntimeError: no answer" and failed.n_failed["raising"] == len(sums)
    assert failed.status["silent"] == "not a finite number" and failed.n_failed["silent"] == 1
    assert failed.status["hanging"] == "timed out after 3 s" and failed.n_failed["hanging"] == hung
    summary = (tree.results / "tables/summary.md").read_text()
    for name in ("raising", "silent", "hanging"):
        assert f"report, {name}: {failed.n_failed[name]} of {len(sums)}: {failed.status[name]}" in summary
    others = tree.table().query("metric != 'seconds' and not metric.str.startswith('rank')")
    others = others[~others.method.isin(["raising", "silent", "hanging"])].reset_index(drop=True)
    same = finished.table().query("metric != 'seconds'").reset_index(drop=True)
    columns = [column for column in same if not column.startswith("rank")]  # three more compete
    pd.testing.assert_frame_equal(others[columns], same[columns], check_exact=True)
    assert survivors(tree) == []
