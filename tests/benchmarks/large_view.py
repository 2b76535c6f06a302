"""A view of the challenge's real size through trained methods of fusion: core-seconds, and peak memory.

    .venv/bin/python tests/benchmarks/large_view.py results/reference/models/fusion/known gaussian local_ridge ours
    .venv/bin/python tests/benchmarks/large_view.py results/reference/models/fusion/known ours --shape 32 731 860

The first argument is the folder of a run's models. Each method has a process of its own on one core, whose peak
includes Python, its libraries, the view and the answer. The view is a simulated one that goes on as its mirror image.
"""
# ruff: noqa: E402

import os

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # one core; read when NumPy is loaded
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))
from blurbench.files import models
from blurbench.fusion import simulate
from blurbench.fusion.items import SHAPE
from blurbench.running import methods

REAL, SMALL = (222, 731, 860), (16, 64, 64)
LIMIT_GB = 6


class Views(NamedTuple):
    """What methods ask of a dataset. Its length, of the one view in it, is that of `images`."""

    images: np.ndarray
    items: pd.DataFrame
    spec: dict
    truth = None

    def __len__(self):
        return len(self.images)


@cache
def first():
    """The first view of `known`, what is known of it, and how it was taken."""
    entry = yaml.safe_load((ROOT / "config/config.yaml").read_text())["problems"]["fusion"]["datasets"]["known"]
    imaging = simulate.imaging(entry["imaging"])
    images, row, _ = simulate.volume(0, entry["studies"]["study_1_nuclei"], imaging, 1, 0)
    return images[0], row, imaging


def simulated(shape):
    """A dataset of a view of nuclei, of any shape."""
    image, row, imaging = first()
    whole = np.pad(image, [(0, max(n - m, 0)) for n, m in zip(shape, image.shape)], mode="symmetric")
    whole = np.ascontiguousarray(whole[tuple(map(slice, shape))])
    return Views(whole[None], pd.DataFrame([{**row, **dict(zip(SHAPE, shape))}]), {"imaging": imaging})


def cost(model, shape):
    """Core-seconds of a trained method on a view, and the process's peak memory, GB."""
    trained = models.read(model)
    method = methods.load("fusion", trained["method"], trained["options"])
    list(method.predict(simulated(SMALL), trained, "cpu"))  # compiles
    dataset = simulated(shape)
    start = time.process_time()
    for answer in method.predict(dataset, trained, "cpu"):
        assert answer.shape == tuple(shape) and np.isfinite(answer).all()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return time.process_time() - start, peak / (2**30 if sys.platform == "darwin" else 2**20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, help="folder of the models of a dataset")
    parser.add_argument("methods", nargs="+")
    parser.add_argument("--shape", nargs=3, type=int, default=REAL, metavar=("Z", "Y", "X"))
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{' x '.join(map(str, given.shape))} voxels; at most {LIMIT_GB} GB")
    print("| method | core-s | µs a voxel | peak GB |\n| --- | --- | --- | --- |")
    for name in given.methods:
        (model,) = given.models.glob(f"{name}/[01].pt")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            seconds, peak = pool.submit(cost, model, given.shape).result()
        print(f"| {name} | {seconds:.3g} | {1e6 * seconds / np.prod(given.shape):.2g} | {peak:.1f} |", flush=True)


if __name__ == "__main__":
    main()
