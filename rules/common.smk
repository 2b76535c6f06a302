"""What the rules share; no rule stands here.

Needs: the configuration. Makes: `config` expanded, or one message that lists everything wrong with it; the paths that
several rules name; and by the files of common/ the functions of the rules, each in the file called as the directive
that it serves. A function that takes `wildcards` says in its docstring which rules it is for.
"""

import ast
import os
import shlex
import sys
import threading
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

# This workflow's own library, whatever is installed: for the plan, and for what the rules run, in an environment of
# conda or not. On a cluster a job is a Snakemake again, which reads this too.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from blurbench import problems
from blurbench.planning import (
    catalogue,
    compared_datasets,
    configuration,
    frozen,
    given,
    pooled,
    schemas,
    shipped,
    sources,
    units,
)
from blurbench.planning.memory import BASE_MB, measure_mb, memory_mb, prepare_mb
from blurbench.planning.recording_methods import of_recording
from blurbench.planning.repeated_keys import repeated_keys

# Arrays come and go in megabytes. In huge pages the system hands memory out, zeroed, at a fraction of the cost; what is
# freed goes back as before. glibc reads this when a process starts; other systems do not look at it.
os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")

# The first half is what Snakemake itself puts before a command.
shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(sources.search_path())}; ")

try:
    if repeated := [fault for file in workflow.configfiles for fault in repeated_keys(file)]:
        raise configuration.ConfigurationError(repeated)
    GIVEN = config
    config = configuration.expand(config)
except configuration.ConfigurationError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{config['run']}"
PREDICTIONS = {  # by what the problem's answers are kept in
    ".parquet": "<results>/predictions/{problem}/{dataset}/{method}/{seed}.parquet",
    ".zarr": "<results>/predictions/{problem}/{dataset}/{method}/{seed}.zarr",
}
PREDICTIONS_MANIFEST = "<results>/predictions/{problem}/{dataset}/{method}/{seed}.json"  # beside a .zarr
PREDICTION_BENCHMARKS = "<results>/benchmarks/predict/{problem}/{dataset}/{method}/{seed}.tsv"
SCORES = "<results>/scores/{problem}/{dataset}/{method}/{seed}.parquet"
MODELS = "<results>/models/{problem}/{dataset}/{method}/{seed}.pt"
CURVES = "<results>/models/{problem}/{dataset}/{method}/{seed}.csv"
TRIALS = "<results>/models/{problem}/{dataset}/{method}/trials/{seed}.csv"  # of a sweep, with the chosen one
TRIAL_MODELS = "<results>/models/{problem}/{dataset}/{method}/trials/{trial}/{seed}.pt"
TRIAL_CURVES = "<results>/models/{problem}/{dataset}/{method}/trials/{trial}/{seed}.csv"
VALIDATION = "<results>/validation/{problem}/{dataset}.parquet"
STORES = "<results>/datasets/{problem}/{dataset}/test.zarr"
MANIFESTS = "<results>/datasets/{problem}/{dataset}/test.json"


def cancel_timers():
    """Once the run has ended, be it by Ctrl-C: Snakemake would wait for its timers of looks at what is ready."""
    threading.main_thread().join()
    while True:  # a job that ends now sets another
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.cancel()
        time.sleep(0.1)


threading.Thread(target=cancel_timers, daemon=True).start()


include: "common/names.smk"
include: "common/inputs.smk"
include: "common/params.smk"
include: "common/resources.smk"
include: "common/validation.smk"
include: "common/recordings.smk"
include: "common/targets.smk"
include: "common/estimate.smk"
