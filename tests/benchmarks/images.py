"""Peak memory of answers that are images: predicted in a watched process, written, scored and read back.

    python tests/benchmarks/images.py             8 volumes of 125 MB, 1 GB in all
    python tests/benchmarks/images.py 30 25       30 volumes of 25 MB, as `make test` does

One volume is in memory at a time, with what the method and the compressor hold beside it. Smaller volumes do not need
less, as pieces below 32 MB that are freed stay with the threads of the reader, but it does not grow with their number.
"""

import multiprocessing
import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.files import datasets
from blurbench.files.answers import OK, Images
from blurbench.files.datasets import Dataset
from blurbench.problems import Problem
from blurbench.running import methods

VOLUMES, MB = 8, 125
LIMIT_MB = 600  # above the baseline, which is the process after it has done the same for one small volume
PROBLEM = Problem(answer=Images("float32"), conditions=(), known=("number",))
DEPTH = 50


class Halves:
    """Half of the volume: a method whose own memory is one answer."""

    kind = "classical"

    def predict(self, dataset, model, device):
        for i in range(len(dataset)):
            yield dataset.images[i] * np.float32(0.5)


def volume(number, shape):
    """Grey values of about 12 bits, which compress as a camera's do."""
    return np.random.default_rng(number).integers(100, 4000, shape, dtype=np.uint16)


def write(folder, n, mb):
    """A dataset of n volumes whose answers (float32) have that many MB each."""
    folder.mkdir()
    side = round((mb * 1e6 / 4 / DEPTH) ** 0.5)
    shape = (DEPTH, side, side)
    shards = ((volume(i, shape)[None], pd.DataFrame({"number": [i]}), {}) for i in range(n))
    header = {"problem": "halves", "dataset": "large", "split": "test", "seed": 1, "spec": {}}
    header |= {"axes": ["item", "z", "y", "x"], "voxel_size": [None, 1, 1, 1], "units": [None] + 3 * ["micrometer"]}
    datasets.write(folder / "test.zarr", folder / "test.json", header, n, 1, shards)


def predict_and_score(folder):
    """Predict every volume of a dataset in a watched process, read the answers back and judge them one by one."""
    dataset, path = Dataset.open(folder / "test.zarr"), folder / "0.zarr"
    methods.predict(Halves(), dataset, timeout_s=600, path=path)
    found = PROBLEM.answer.read(path, len(dataset))
    assert list(found.table["status"]) == [OK] * len(dataset)
    for i in range(len(dataset)):
        error = found.images[i]
        error -= dataset.images[i] * np.float32(0.5)
        assert np.abs(error).max() == 0


def measure(small, large, results):
    """Peaks (MB) of a process that has done it for one small volume, and then for the large ones; and the seconds."""
    problems.names, problems.load = lambda: ["halves"], lambda name: PROBLEM
    predict_and_score(small)
    before, start = peak(resource.RUSAGE_SELF), perf_counter()
    predict_and_score(large)
    results.put((before, peak(resource.RUSAGE_SELF), peak(resource.RUSAGE_CHILDREN), perf_counter() - start))


def peak(whose):
    return resource.getrusage(whose).ru_maxrss / 1024


def main(n=VOLUMES, mb=MB):
    context = multiprocessing.get_context("spawn")  # whose peak is its own
    results = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        for work in ((write, small, 1, 0.1), (write, large, n, mb), (measure, small, large, results)):
            process = context.Process(target=work[0], args=work[1:])
            process.start()
            process.join()
        baseline, own, childs, seconds = results.get(timeout=60)
    above = max(own, childs) - baseline
    print(f"{n} volumes of {mb} MB, {n * mb / 1000:.3g} GB of answers, in {seconds:.0f} s")
    print(f"baseline {baseline:.0f} MB; peak {own:.0f} MB, of the process that predicts {childs:.0f} MB")
    print(f"{above:.0f} MB above the baseline (limit {LIMIT_MB} MB)")
    return above < LIMIT_MB


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))
