"""Time and memory of `snakemake -n` against the number of jobs, up to 100 datasets x 50 methods x 5 seeds.

    python tests/benchmarks/planning.py            writes planning.csv and planning.svg beside this file
    python tests/benchmarks/planning.py 1 3 10     with these numbers of datasets, printed only

Every method learns, so that each is trained, asked and scored once per dataset and seed. Nothing is computed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from workflow import Tree

DATASETS = (1, 3, 10, 30, 100)
METHODS, SEEDS = 50, 5
LIMIT_S, LIMIT_GIB = 300, 6
HERE = Path(__file__).parent


def configuration(tree, datasets):
    """A layer over config.yaml: copies of one dataset and of one method, and nothing else."""
    known = yaml.safe_load((tree.path / "config/config.yaml").read_text())["problems"]
    left_out = {part: dict.fromkeys(known["diffusion"][part]) for part in ("datasets", "methods")}
    names = ["ours", *(f"ours_{i}" for i in range(1, METHODS))]
    copies = {f"report_{i}": {"like": "report"} for i in range(1, datasets)}
    return {
        "run": "planned",
        "training_seeds": list(range(1, SEEDS + 1)),
        "problems": {
            **dict.fromkeys(known),
            "diffusion": {
                "datasets": {**left_out["datasets"], "report": {"methods": names}, **copies},
                "methods": {**left_out["methods"], "ours": {}, **{name: {"like": "ours"} for name in names[1:]}},
            },
        },
    }


def measure(datasets):
    """Jobs, wall time (s) and peak memory (GiB) of one dry run."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree.copied(Path(folder) / "tree")
        (tree.path / "config/planned.yaml").write_text(yaml.safe_dump(configuration(tree, datasets)))
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--dry-run",
            "--cores",
            "8",
            "--configfile",
            "config/planned.yaml",
        ]
        start = time.perf_counter()
        with open(tree.path / "plan.txt", "w+") as plan:
            process = subprocess.Popen(
                command, cwd=tree.path, env={**os.environ, "PYTHONPATH": ""}, stdout=plan, stderr=subprocess.STDOUT
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            plan.seek(0)
            said = plan.read()
    if process.returncode:
        raise RuntimeError(said[-5000:])
    jobs = int(re.search(r"^total\s+(\d+)", said, re.MULTILINE)[1])
    return {"datasets": datasets, "jobs": jobs, "seconds": round(seconds, 1), "gib": round(used.ru_maxrss / 2**20, 2)}


def draw(table, path):
    fig, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    for ax, column, label, limit in (
        (axes[0], "seconds", "planning (s)", LIMIT_S),
        (axes[1], "gib", "peak memory (GiB)", LIMIT_GIB),
    ):
        ax.loglog(table["jobs"], table[column], "o-", color="#0072B2")
        last = table.iloc[-1]
        ax.plot(table["jobs"], last[column] * table["jobs"] / last["jobs"], ":", color="0.6", label="proportional")
        ax.axhline(limit, color="#D55E00", lw=1, label="limit")
        ax.set(xlabel="jobs", ylabel=label, ylim=(0.5 * table[column].min(), 2 * limit))
        ax.legend(frameon=False, fontsize=8)
    plt.rcParams["svg.hashsalt"] = "blurbench"
    fig.savefig(path, metadata={"Date": None})


def main(datasets):
    rows = []
    for n in datasets or DATASETS:
        rows.append(measure(n))
        print(pd.DataFrame(rows).tail(1).to_string(index=False, header=len(rows) == 1), flush=True)
    if not datasets:
        table = pd.DataFrame(rows)
        table.to_csv(HERE / "planning.csv", index=False)
        draw(table, HERE / "planning.svg")


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]])
