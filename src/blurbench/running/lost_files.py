"""Files that a job once wrote and that are gone, by the list that Snakemake makes of what a configuration asks for.

Nothing in a run tells of a file that is lost whole: of what depends on it all is there. A job that ran left its log.
"""

import csv
import subprocess
import sys
from pathlib import Path


class NoPlan(RuntimeError):
    """What a configuration asks for cannot be told."""


def lost(results: str | Path, configurations: list[Path]) -> dict[Path, Path]:
    """Outputs of a run that are not there, each with the log of the job that wrote it.

    Parameters
    ----------
    results : path of the run's folder
    configurations : layers over config/config.yaml, as `--configfile` takes them

    Raises
    ------
    NoPlan if Snakemake cannot plan the run, with the last line that it said, and if it has no record of the jobs.
    """
    given = ["--configfile", *map(str, configurations)] if configurations else []
    done = subprocess.run([sys.executable, "-m", "snakemake", *given, "--summary"], capture_output=True, text=True)
    if done.returncode:
        raise NoPlan((done.stderr.strip().splitlines() or ["no word"])[-1].strip())
    rows = list(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))
    if all(row["log-file(s)"] == "-" for row in rows):
        raise NoPlan("found no record of its jobs in .snakemake/metadata, which a copy or a clean folder lacks")
    found = {}
    for row in rows:
        output, log = Path(row["output_file"]), Path(row["log-file(s)"])
        if row["status"] == "missing" and output.is_relative_to(results) and log.is_file():
            found[output] = log
    return found
