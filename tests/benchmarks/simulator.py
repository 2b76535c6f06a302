"""Speed of the simulator against a plain NumPy renderer, on one core, in the same run.

The reference does per stack what a NumPy user would write: a Brownian path, separable erf profiles of every
sub-position, their product, Poisson numbers and normal read noise, rounded to grey values. Both make the images of the
`report` setting: 16 frames of 64 x 64 pixels, 10 sub-positions, 100 photons, background 2, read noise 1.
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
from scipy.special import erf

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.diffusion.simulate import imaging, photon_stacks

STACKS, REPEATS = 256, 9
SPEC = imaging({"photons": 100, "background": 2, "camera": {"read_noise": 1.0}})


def reference(D, rng):
    """One stack (t, y, x) uint16 by NumPy."""
    frames, substeps, size, pixel = (SPEC[k] for k in ("frames", "substeps", "size_px", "pixel_size_um"))
    step = np.sqrt(2 * D * SPEC["exposure_s"] / substeps) / pixel
    path = np.cumsum(rng.normal(0, step, (frames * substeps, 2)), axis=0).reshape(frames, substeps, 2, 1)
    edges = np.arange(size + 1) - size / 2
    share = 0.5 * np.diff(erf((edges - path) / (np.sqrt(2) * SPEC["psf"]["fwhm_um"] / FWHM_OVER_SD / pixel)))
    spot = share[:, :, 0].transpose(0, 2, 1) @ share[:, :, 1] * (SPEC["photons"] / substeps)
    electrons = rng.poisson(spot + SPEC["background"]) + rng.normal(0, SPEC["camera"]["read_noise"], spot.shape)
    return np.clip(np.rint(electrons + SPEC["camera"]["offset"]), 0, 65535).astype(np.uint16)


def seconds(work):
    """Processor time of one call, s: what else the machine does counts less than on the clock."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main():
    D = np.geomspace(0.1, 10, STACKS)
    rng = np.random.default_rng(1)

    def plain():
        return np.array([reference(d, rng) for d in D])

    def ours():
        return photon_stacks(D, SPEC, 1)[0]

    a, b = plain(), ours()  # compiles, and both must show the same thing
    difference = abs(a.mean() - b.mean()) / (a.std() * np.sqrt(2 / a.size))
    if difference > 5:
        sys.exit(f"the two renderers differ in their mean grey value by {difference:.1f} standard errors")
    ratios, rates = [], []
    for _ in range(REPEATS):  # in turn, so that both meet the same machine
        slow, fast = seconds(plain), seconds(ours)
        ratios.append(slow / fast)
        rates.append((STACKS * SPEC["frames"] / slow, STACKS * SPEC["frames"] / fast))
    slow, fast = (statistics.median(r) for r in zip(*rates))
    print(f"frames per second and core: {slow:.0f} by NumPy, {fast:.0f} by blurbench")
    print(f"ratio: {statistics.median(ratios):.1f} (median of {REPEATS}, {min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
