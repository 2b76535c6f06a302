"""Peak memory of `blurbench.running.simulation.simulate` for 1,000 and 10,000 items, each in a process of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "src"
ITEMS = 1_000, 10_000
# Small fields keep the disk small: 10,000 items are some 300 MB before compression.
ENTRY = {
    "imaging": {"size_px": 32, "frames": 16},
    "D_um2_s": [0.1, 10],
    "test_D_um2_s": [1],
    "stream": "memory",
}
JOB = """
import resource, sys
sys.path.insert(0, {library!r})
from blurbench.running.simulation import simulate
simulate("diffusion", "memory", "train", {entry!r}, 1, {folder!r} + "/train.zarr", {folder!r} + "/train.json")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / (2**20 if sys.platform == "darwin" else 2**10))
"""


def peak_mb(items):
    """Peak resident memory of a process that simulates that many items, MB."""
    with tempfile.TemporaryDirectory() as folder:
        entry = {**ENTRY, "items": {"train": items}}
        job = JOB.format(library=str(LIBRARY), entry=entry, folder=folder)
        done = subprocess.run([sys.executable, "-c", job], check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])


def main():
    peaks = [peak_mb(items) for items in ITEMS]
    for items, peak in zip(ITEMS, peaks):
        print(f"{items:6d} items: {peak:.0f} MB")
    print(f"ratio: {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
