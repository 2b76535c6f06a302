"""What a large image costs in tiles: seconds and peak memory of a narrow, untrained `ours` on N and 2N pixels squared.

.venv/bin/python tests/benchmarks/tiles.py --side 2000
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

WIDTH = 8
PITCH, DIAMETER, BLUR = 45, 31.5, 28.0  # px: of the discs' centres, of a disc, and of the kernel
HELD = 8  # bytes a pixel of what must be whole: the image and its labels, four each
BAR = 1.25  # of what these grow by


def cost(side):
    """(seconds, peak memory in MB, cells) of a process that does nothing else; what it loads counts too."""
    import numpy as np
    import torch

    from blurbench.segmentation.items import Field
    from blurbench.segmentation.methods.ours import Ours
    from blurbench.segmentation.optics import blurred

    torch.set_num_threads(1)
    y, x = np.ogrid[:PITCH, :PITCH]
    disc = np.where((y - PITCH // 2) ** 2 + (x - PITCH // 2) ** 2 < (DIAMETER / 2) ** 2, 140, 1).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 1.6, (PITCH * 8, PITCH * 8)).astype(np.float32)
    block = blurred(np.tile(disc, (8, 8)), BLUR) + noise
    image = np.tile(block, (-(-side // len(block)),) * 2)[:side, :side]
    method = Ours()
    for name, value in {**Ours.options, "width": WIDTH}.items():
        setattr(method, name, value)
    torch.manual_seed(1)
    untrained = method.network().eval()

    def network(x, numbers):  # at its cost, but for the greys in place of an answer: so that there are cells to part
        return 0 * untrained(x, numbers) + torch.cat([x[:, :1] - 0.5, x[:, -1:]], dim=1)

    start = time.process_time()
    cells = method.segment(network, Field(image, "nuclei", BLUR, DIAMETER), torch.device("cpu"))
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak * (1 if sys.platform == "darwin" else 1024) / 1e6, int(cells.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=2000, help="N, pixels (default: 2000)")
    side = parser.parse_args().side
    peaks = []
    for n in (side, 2 * side):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:  # a peak of its own
            seconds, peak, cells = pool.submit(cost, n).result()
        peaks.append(peak)
        print(f"{n} x {n} pixels: {seconds:.0f} s, peak {peak:.0f} MB, {cells} cells", flush=True)
    grown, held = peaks[1] - peaks[0], HELD * 3 * side**2 / 1e6
    print(f"growth {grown:.0f} MB, {grown / held:.2f} of what the image and its labels grow by ({held:.0f} MB)")
    if grown > BAR * held:
        sys.exit(f"more than {BAR}")


if __name__ == "__main__":
    main()
