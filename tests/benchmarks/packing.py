"""Speed of one 64 x 64 x 64 volume of spheres 10 voxels wide, on one core, against NumPy and SciPy in the same run.

The reference does what a NumPy user would write. Packing: Metropolis moves of one sphere in every cell of one of eight
colours at once, overlaps looked up in a `cKDTree` of the periodic box; started from our own equilibrated packing, since
a sweep is what is compared. Image: spheres drawn one by one on index grids, `gaussian_filter`, `Generator.poisson`.
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
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from blurbench.colloids import packing, physics
from blurbench.colloids.simulate import MARGIN, imaging, volume

PHI, SIZES = (0.1, 0.3, 0.5, 0.55), (1.0, 0.5, 0.33333, 0.25)
REPEATS, SWEEPS = 5, 5  # volumes per volume fraction; sweeps of the reference
FULL = imaging({"shape_px": [64, 64, 64], "diameter_px": 10})


def reference_sweep(centres, box, step, rng):
    """One sweep in place; returns the number of trial moves."""
    cells = 2 * (box // 2.2).astype(int)  # even, and a cell is wide enough to keep two moving spheres apart
    shift, tried = rng.random(3) * box, 0
    for colour in rng.permutation(8).repeat(max(1, round(len(centres) / cells.prod()))):
        at = ((centres + shift) % box / box * cells).astype(int)
        active = np.flatnonzero((at % 2 == [colour & 1, colour >> 1 & 1, colour >> 2 & 1]).all(axis=1))
        active = rng.permutation(active)
        active = active[np.unique(np.ravel_multi_index(at[active].T, cells), return_index=True)[1]]
        moved = (centres[active] + step * rng.uniform(-1, 1, (len(active), 3))) % box
        stays = (((moved + shift) % box / box * cells).astype(int) == at[active]).all(axis=1)
        near = cKDTree(centres, boxsize=box).query_ball_point(moved, 1.0)
        free = stays & [set(found) <= {i} for i, found in zip(active, near)]
        centres[active[free]] = moved[free]
        tried += len(active)
    return tried


def reference_image(centres, box, sigma, rng):
    """One image (z, y, x) uint16, photons and noise as the simulator's."""
    reach = np.ceil(4 * np.asarray(sigma)).astype(int)
    canvas = np.zeros(np.array(FULL["shape_px"]) + 2 * reach, np.float32)
    corner = (centres - box / 2) * 10 + 31.5 + reach
    for shift in np.ndindex(3, 3, 3):
        for centre in corner + (np.array(shift) - 1) * box * 10:
            low = np.maximum(np.floor(centre - 6).astype(int), 0)
            high = np.minimum(np.ceil(centre + 7).astype(int), canvas.shape)
            if (low < high).all():
                z, y, x = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high))]
                distance = np.sqrt((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
                canvas[tuple(slice(a, b) for a, b in zip(low, high))] += np.clip(5.5 - distance, 0, 1)
    seen = gaussian_filter(canvas, sigma, truncate=4)[tuple(slice(r, -r) for r in reach)]
    photons = 150 + 50 * seen
    return np.clip(np.rint(rng.poisson(photons) + rng.normal(100, 8.8, photons.shape)), 0, 65535).astype(np.uint16)


def seconds(work):
    """Processor time of one call, s, and what it returns."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main():
    rng, totals = np.random.default_rng(1), []
    print("phi   seconds a volume: packing  image    NumPy/ours: packing (a trial move)  image")
    for phi in PHI:
        box = packing.fitted_box(phi, np.array(FULL["shape_px"]) / 10 + 2 * MARGIN, 1.0)
        packing.pack(phi, box, 1.0, "warm")  # compiles
        step = float(np.interp(phi, packing.PHI, packing.STEP))
        sweeps = float(np.exp(np.interp(phi, packing.PHI, np.log(packing.SWEEPS))))
        packed, whole, ratios = [], [], []
        for i, size in zip(range(REPEATS), np.resize(SIZES, REPEATS)):
            pack_s, run = seconds(lambda: packing.pack(phi, box, 1.0, i))  # noqa: B023
            parameters = {"phi": phi, "particle_size_um": size, "cnr": 3.0, "brightness": 200.0}
            volume(parameters, FULL, 1, 0) if i == 0 else None
            whole_s, _ = seconds(lambda: volume(parameters, FULL, 1, i))  # noqa: B023
            centres = run.centres.copy()
            slow_s, tried = seconds(lambda: sum(reference_sweep(centres, box, step, rng) for _ in range(SWEEPS)))  # noqa: B023
            if physics.radial_distribution(centres, box, [0, 1], True)[0] > 0:
                sys.exit("the reference let two spheres overlap")
            image_s, _ = seconds(lambda: reference_image(centres, box, np.array([0.2, 0.08, 0.08]) / size * 10, rng))  # noqa: B023
            packed.append(pack_s)
            whole.append(whole_s - pack_s)
            ratios.append((slow_s / tried / (pack_s / (sweeps * len(centres))), image_s / (whole_s - pack_s)))
        a, b = statistics.median(packed), statistics.median(whole)
        moves, images = (statistics.median(r) for r in zip(*ratios))
        print(f"{phi:<5} {a:25.3f} {b:6.3f} {moves:34.0f} {images:10.1f}")
        totals.append(a + b)
    print(f"mean: {statistics.mean(totals):.2f} s a volume")


if __name__ == "__main__":
    main()
