"""What each training of a configuration costs on a plain core, and the epochs with which all cost the same.

    .venv/bin/python tests/benchmarks/training_cost.py                          laptop size, into docs/training-cost.md
    .venv/bin/python tests/benchmarks/training_cost.py --size reference
    .venv/bin/python tests/benchmarks/training_cost.py --check results/laptop   what the trainings of a run did cost

Every network is trained for a few steps on a few items of a store, as the rule `train` does it; from what these cost
follows what the whole training costs. Two are measured at a time, as two cores that are both at work share what lies
behind them: side by side a training costs more than alone, most where it convolves.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE_S = {  # of every network of a problem
    "laptop": {"diffusion": 60, "colloids": 60, "fusion": 60, "segmentation": 60},
    "reference": {"diffusion": 900, "colloids": 1800, "fusion": 1800, "segmentation": 900},
}
FEW_MB = 64  # of training items that a training is measured on
TOLERANCE = 0.15  # of the costs of a problem's networks
HEAD = ["training", "ms an item prepared", "s besides", "ms an item presented", "s a validation", "training items"]
HEAD += ["epochs", "items presented", "core-s"]
# A core as most people have it, whatever the machine: neither AVX-512 nor bfloat16.
PLAIN = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "PYTHONPATH": str(ROOT / "src")}
PLAIN |= {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}  # as rules/common.smk sets it
PLAIN |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def networks(config):
    """Trainings to measure, those of one seed; of entries that differ in their budget alone the first of a dataset."""
    from trainings import of

    found = {}
    for training in of(config):
        entry = training.entry(config)
        same = json.dumps([training[:2], entry["method"], entry["options"]], sort_keys=True)
        found.setdefault(same, training)
    return list(found.values())


def measure(size):
    """Rows of the table of one size, in its order; run where PLAIN is the environment."""
    import yaml
    from trainings import make_dataset

    from blurbench import problems
    from blurbench.learning.budget import Budget
    from blurbench.planning.configuration import expand
    from blurbench.planning.merging import merged

    layers = [yaml.safe_load((ROOT / f"config/{name}.yaml").read_text(encoding="utf-8")) for name in ("config", size)]
    config = expand(merged(*layers))
    asked, epochs, numbers = networks(config), {}, {}
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2, mp_context=context) as pool:
        measured = []
        for training in asked:
            problem, dataset, *_ = training
            data, stores = config["problems"][problem]["datasets"][dataset], Path(folder, problem, dataset)
            few = min(512, max(32, round(FEW_MB / problems.find(problem, "configuration.item_mb")(data))))
            if not stores.exists():
                items = {split: min(few, data["items"][split]) for split in ("train", "validation")}
                make_dataset(config, problem, dataset, items, stores)
        for training in asked:
            stores = Path(folder, training.problem, training.dataset)
            measured.append(pool.submit(cost_of, training.problem, training.entry(config), stores))
        for training, future in zip(asked, measured):
            problem, dataset, method, _ = training
            entry, items = training.entry(config), config["problems"][problem]["datasets"][dataset]["items"]
            cost, wanted = future.result(), CORE_S[size][problem]
            validations = entry["budget"].get("validations", Budget.validations)
            known = epochs.get((problem, method))  # of its first dataset; on all others it is trained for as many
            if known and (problem, dataset) not in numbers:  # which have as many items as their first network needs
                numbers[problem, dataset] = cost.items(wanted, items, known, validations)
            items = {**items, "train": numbers.get((problem, dataset), items["train"])}
            if cost.step and not known:
                known = epochs[problem, method] = cost.epochs(wanted, items, validations)
            yield cells(training, cost, items, known, validations)


def cost_of(*what):
    """What `StepCost.measured` finds; called in a process of its own."""
    from step_cost import StepCost

    return StepCost.measured(*what)


def cells(training, cost, items, epochs, validations):
    """Texts of one row, in the order of HEAD; without epochs of a learner without steps."""
    once = [f"{1e3 * cost.prepare:.3g}", f"{cost.besides:.2g}"]
    total = f"{cost.of(items, epochs or 1, validations):.0f}"
    if epochs is None:
        taken = f"{min(items['train'], cost.most)}"
        return ["/".join(training[:3]), *once, "–", "–", f"{items['train']}", "–", taken, total]
    repeated = [f"{1e3 * cost.step / cost.batch:.3g}", f"{cost.validate * items['validation']:.2g}"]
    seen = [f"{items['train']}", f"{epochs:g}", f"{epochs * items['train']:.0f}"]
    return ["/".join(training[:3]), *once, *repeated, *seen, total]


def line(texts):
    """A row of a Markdown table."""
    return f"| {' | '.join(texts)} |"


def write(size, text):
    """Put the table of one size where docs/training-cost.md has the last one."""
    path = ROOT / "docs/training-cost.md"
    before, opening, rest = path.read_text(encoding="utf-8").partition(f"<!-- {size} -->\n")
    _, closing, after = rest.partition(f"<!-- end of {size} -->\n")
    if not closing:
        sys.exit(f"{path}: found no comments {size} and end of {size}, expected those between which the table stands")
    path.write_text(f"{before}{opening}\n{text}\n\n{closing}{after}", encoding="utf-8")


def check(run):
    """Print what the networks of a finished run cost; False if they are further than TOLERANCE from what is stated."""
    import pandas as pd

    states, trained = pd.read_csv(run / "tables/methods.csv")[["problem", "method", "file", "options", "budget"]], []
    for path in sorted(run.glob("models/*/*/*/*.csv")):
        name, curve = path.relative_to(run / "models").with_suffix(""), pd.read_csv(path)
        if curve.empty:
            print(f"{name}: not trained, which tables/not_trained.csv gives the reason of")
        elif "learning_rate" in curve:  # else settings, or a learner without epochs
            last = curve.iloc[-1]
            problem, dataset, method, seed = name.parts
            about = {"problem": problem, "dataset": dataset, "method": method, "seed": seed, "name": name}
            trained.append({**about, "items": last["items"], "core_s": last["core_s"]})
    found = pd.DataFrame(trained).merge(states, on=["problem", "method"])
    # Entries that differ in their budget alone are one network, which the one with the most epochs stands for.
    found["epochs"] = [json.loads(budget)["epochs"] for budget in found["budget"]]
    same = ["problem", "dataset", "seed", "file", "options"]
    found = found.sort_values("epochs").drop_duplicates(same, keep="last").sort_values("name")
    found["share"] = found["core_s"] / found["problem"].map(CORE_S[run.name])
    print("training, items, core-s, of what is stated, cpu_time of its job (told up to 30 s before its end)")
    for one in found.itertuples():
        job = run / "benchmarks/train" / f"{one.name}.tsv"  # none of a network that a sweep chose
        cpu_time = pd.read_csv(job, sep="\t")["cpu_time"].iloc[-1] if job.exists() else "–"
        print(f"{one.name}, {one.items:.0f}, {one.core_s:.1f}, {one.share:.0%}, {cpu_time}")
    return bool((abs(found["share"] - 1) <= TOLERANCE).all())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=CORE_S, default="laptop", help="configuration (default: laptop)")
    parser.add_argument("--check", type=Path, metavar="RUN", help="folder of a finished run of that name")
    given = parser.parse_args()
    if given.check:
        sys.exit(not check(given.check))
    if any(os.environ.get(name) != value for name, value in PLAIN.items()):
        sys.exit(subprocess.run([sys.executable, *sys.argv], env={**os.environ, **PLAIN}).returncode)
    lines = [line(HEAD), line(["---"] * len(HEAD))]
    for row in measure(given.size):
        lines.append(line(row))
        print(lines[-1], flush=True)
    write(given.size, "\n".join(lines))


if __name__ == "__main__":
    main()
