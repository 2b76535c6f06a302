"""What two light-sheet views cost on one core, and an item of `known` with all its targets.

    .venv/bin/python tests/benchmarks/views.py

A specimen of a million voxels, seen from the front and from the opposed side: absorption, sheet and PSF, camera.
"""
# ruff: noqa: E402

import os

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # one core each; read when NumPy is loaded
    os.environ[f"{library}_NUM_THREADS"] = "1"

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))
from blurbench.fusion import simulate
from blurbench.fusion.forward import view
from blurbench.fusion.optics import Optics, turned
from blurbench.microscopy.camera import detect
from blurbench.microscopy.random_streams import stream

SHAPE, REPEATS, BAR = (100, 100, 100), 9, 0.5
FRONT = Optics((0.5, 0.4, 0.4), (2.9, 0.27, 0.27), 2.0, 20.0, 34.0, fan=0.1)


def seconds(work):
    """Processor time of one call, s: what else the machine does counts less than on the clock."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_of(work, *given):
    work(*given)  # compiles
    times = [seconds(lambda: work(*given)) for _ in range(REPEATS)]
    return f"{statistics.median(times):.3f} s ({min(times):.3f} to {max(times):.3f}, {REPEATS} times)"


def main():
    rng = np.random.default_rng(1)
    density = (200 * (rng.random(SHAPE) < 0.2) + 10).astype(np.float32)
    mu = rng.uniform(0, 0.04, SHAPE).astype(np.float32)

    def views():
        for i, name in enumerate(("front", "opposed")):
            detect(stream(1, 0, i), view(density, mu, mu, turned(FRONT, name, SHAPE)), 2.0, 100.0)

    print(f"two views of {density.size / 1e6:g} million voxels: {median_of(views)}; at most {BAR} s")
    entry = yaml.safe_load((ROOT / "config/config.yaml").read_text())["problems"]["fusion"]["datasets"]["known"]
    imaging = simulate.imaging(entry["imaging"])
    for name, study in entry["studies"].items():
        print(f"an item of {name}: {median_of(simulate.volume, 0, study, imaging, 1, 0)}")


if __name__ == "__main__":
    main()
