"""Made-up scores of a grid of colloids, whose F1 is known."""

import numpy as np
import pandas as pd

from blurbench.colloids import PROBLEM
from blurbench.scoring.scores import read

PHI, SIZES, CNR = (0.1, 0.5), (1.0, 0.5, 0.33333, 0.25), (8, 3, 1.5, 0.75)  # µm
SIGMA_Z = 0.2  # µm
VOXELS = 10  # a diameter
DATASETS = {"levels": {"test_particle_size_um": list(SIZES)}}
METHODS = {
    "ours": ("learned", 0.0),
    "log": ("classical", -0.02),
    "blind": ("classical", -0.5),
    "oracle": ("limit", 0.1),
}
# F1 = 0.95 + HEIGHT (ln(CNR / 3) - SLOPE (σz/d - 0.4)): it crosses 0.95 at σz/d = 0.4 + ln(CNR / 3) / SLOPE.
HEIGHT, SLOPE = 0.03, 4


def f1_at(sigma_z_d, cnr):
    return 0.95 + HEIGHT * (np.log(cnr / 3) - SLOPE * (sigma_z_d - 0.4))


def grid(phi=PHI, sizes=SIZES, cnr=CNR, volumes=2):
    """Items of a test grid."""
    rows = [(p, round(SIGMA_Z / s, 3), c, s) for p in phi for s in sizes for c in cnr] * volumes
    table = pd.DataFrame(rows, columns=[*PROBLEM.conditions, "particle_size_um"])
    return table.assign(voxel_um=table.particle_size_um / VOXELS, diameter_px=float(VOXELS))


def score_tables(items, name="levels", methods=METHODS, scatter=0.0):
    """Score tables whose F1 is known; volumes of one cell differ by ±`scatter`."""
    sign = np.where(np.arange(len(items)) < len(items) / 2, 1, -1)
    for method, (kind, shift) in {**methods, "chance": ("control", -0.9)}.items():
        f1 = f1_at(items.sigma_z_d, items.cnr) + shift + scatter * sign
        values = {"f1": f1, "recall": np.clip(f1, 0, 1), "rms_z_d": 0.02 * items.sigma_z_d / 0.2}
        frames = [
            items[list(PROBLEM.conditions)].assign(item=items.index, metric=metric, value=value, status="ok", worst=0.0)
            for metric, value in values.items()
        ]
        yield pd.concat(frames, ignore_index=True).assign(dataset=name, method=method, kind=kind, seed=0)


def scores(**options):
    return read(score_tables(grid(), **options), PROBLEM.conditions)[0]
