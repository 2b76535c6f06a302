"""A copy of the workflow with a tiny configuration, for tests that run it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
OPTIONS = re.search(r"--scheduler.*", (ROOT / "Makefile").read_text())[0].split()  # with which `make` runs it
PARTS = ["Snakefile", "rules", "scripts", "src", "config", "envs", "slurm"]
CONFIG = {
    "run": "tiny",
    "resamples": 100,
    "problems": {
        "diffusion": {
            "datasets": {
                "report": {
                    "imaging": {"frames": 6, "size_px": 24},
                    "test_D_um2_s": [0.5, 5],
                    "items": {"train": 64, "validation": 16, "test": 6},
                    "methods": ["ours", "ours_again", "cve", "centroid_msd", "cramer_rao", "prior_mean"],
                },
            },
            "methods": {"ours_again": {"model": "ours"}},
        }
    },
}
LAYERS = ["--configfile", "config/smoke.yaml", "config/test.yaml"]
LEARNED = ("ours", "ours_again")
METHOD = '''
"""A constant answer."""

import pandas as pd


class Constant:
    kind = "classical"
    trains = False
    options = {"answer": 1.0}

    def predict(self, dataset, model=None, device="cpu"):
        return pd.DataFrame({"D": [self.answer] * len(dataset)})
'''


class Tree:
    """A copy of the workflow with a configuration of its own."""

    def __init__(self, path, config=CONFIG):
        self.path, self.config = path, config
        self.results = path / "results" / config["run"]

    @classmethod
    def copied(cls, path):
        path.mkdir()
        for part in PARTS:
            source, ignored = ROOT / part, shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, path / part, ignore=ignored) if source.is_dir() else shutil.copy2(source, path)
        for extra in (path / "rules/extra").glob("*.smk"):
            extra.unlink()
        return cls(path)

    def clone(self, path, results=True):
        """Copy of the tree with its compiled code, and with its results and their times."""
        ignored = shutil.ignore_patterns(*([] if results else ["results", ".snakemake"]))
        shutil.copytree(self.path, path, symlinks=True, ignore=ignored)
        return Tree(path, yaml.safe_load((path / "config/test.yaml").read_text()))

    def start(self, *arguments, cores=2, **options):
        """Snakemake as a process of its own group. It must find this tree's library, not an installed one."""
        (self.path / "config/test.yaml").write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *OPTIONS, *arguments]
        return self.process([*command, *LAYERS], **options)

    def process(self, command, **options):
        """Any command, run in the tree."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.Popen(
            command,
            cwd=self.path,
            env={**os.environ, "PATH": path, "PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )

    def snakemake(self, *arguments, cores=2, check=True, timeout=None, **options):
        """Run Snakemake, for `timeout` seconds at most; returns what it said."""
        with self.start(*arguments, cores=cores, **options) as process:
            try:
                said, _ = process.communicate(timeout=timeout)
            except BaseException:  # a test that is ended leaves no workflow behind
                os.killpg(process.pid, signal.SIGKILL)
                raise
        assert not check or process.returncode == 0, said
        return said

    def times(self, pattern):
        return {path.relative_to(self.results): path.stat().st_mtime_ns for path in self.results.glob(pattern)}

    def table(self):
        return pd.read_csv(self.results / "tables/diffusion.csv")

    @property
    def problem(self):
        return self.config["problems"]["diffusion"]


def tiny(path):
    tree = Tree.copied(path)
    tree.config = yaml.safe_load(yaml.safe_dump(CONFIG))
    return tree


def finished_tree(path):
    """A tree whose run of two problems is complete; tests that change something take a clone.

    The two others are run whole by `make test-slurm` and `make smoke`.
    """
    tree = tiny(path)
    tree.config["problems"] |= dict.fromkeys(("colloids", "fusion"))
    tree.snakemake()
    return tree
