"""What each stage of a finished run cost, by problem: seconds of its jobs, and the jobs that cost most.

Seconds by the clock, which are core-seconds where jobs have a thread each: processor time is told up to 30 s too low.

.venv/bin/python tests/benchmarks/stages.py results/laptop     into docs/performance.md
"""

import sys
from pathlib import Path

import pandas as pd

STAGES = ["simulate", "train", "choose", "predict", "score", "validate", "tabulate", "draw", "cards"]
LARGEST = 6  # jobs that are named


def jobs(run):
    """Stage, problem, rest of the name and seconds of every job of a run that has a benchmark file."""
    rows = []
    for file in sorted((run / "benchmarks").rglob("*.tsv")):
        stage, *names = file.relative_to(run / "benchmarks").with_suffix("").parts
        cost = pd.to_numeric(pd.read_csv(file, sep="\t").s, errors="coerce").sum()  # NaN: too short
        rows.append({"stage": stage, "problem": names[0] if names else "", "job": "/".join(names[1:]), "job_s": cost})
    return pd.DataFrame(rows)


def document(found):
    """Markdown of a row a problem and a column a stage, and of the largest jobs."""
    problems = found[found.stage.isin(STAGES) & (found.problem != "")]
    table = problems.pivot_table("job_s", "problem", "stage", "sum", fill_value=0, sort=False)
    table = table[[stage for stage in STAGES if stage in table]]
    table = table.assign(together=table.sum(axis=1))
    table.loc["together"] = table.sum()
    counts = problems.groupby("stage").size()
    table.loc["jobs"] = [*(counts[stage] for stage in table.columns[:-1]), counts[table.columns[:-1]].sum()]
    largest = problems[problems.stage != "train"].nlargest(LARGEST, "job_s")
    named = [f"`{one.stage}` {one.problem}/{one.job} {one.job_s:.0f} s" for one in largest.itertuples()]
    said = f"Largest besides trainings: {'; '.join(named)}."
    return f"{table.rename_axis('job-s').map('{:.0f}'.format).to_markdown()}\n\n{said}"


if __name__ == "__main__":
    print(document(jobs(Path(sys.argv[1]))))
