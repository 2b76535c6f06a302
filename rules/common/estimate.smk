"""What the jobs of a plan will take, told at the end of a dry run and at the start of a run."""

import atexit

from blurbench.planning import estimate


def _after(path, folder):
    """The part of a path that comes after a folder, without the ending of a file."""
    parts = Path(str(path)).parts
    return Path(parts[parts.index(folder) + 1]).stem if folder in parts[:-1] else ""


def tell_estimate():
    """Print it where there is something to do. No run depends on it: what goes wrong with it is told in a line."""
    try:
        dag = workflow.dag
        jobs = list(dag.needrun_jobs(exclude_finished=False)) if dag else []
        if not jobs:
            return
        stages = {one.name: _after(one.benchmark, "benchmarks") for one in workflow.rules}
        found = [(stages[job.rule.name], dict(job.wildcards.items())) for job in jobs]
        cores = None if workflow.nodes else workflow.cores  # on a cluster they are each job's own
        disk = next(folder for folder in Path(RESULTS).absolute().parents if folder.exists())
        print("", estimate.told(config, found, cores, disk), sep="\n", file=sys.stderr)
    except Exception as error:
        print(f"no estimate of what the run will take ({type(error).__name__}: {error})", file=sys.stderr)


def tell_of_dry_run():
    """At the exit, as no directive is told of a dry run, nor of what kind a run is while rules are read."""
    if workflow.dryrun:
        tell_estimate()


atexit.register(tell_of_dry_run)
