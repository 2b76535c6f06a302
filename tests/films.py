"""Movies of many molecules, each photon by photon, on the microscope of the dataset `report`."""

import numpy as np
import tifffile

from blurbench.diffusion.simulate import photon_stacks

FIELD = 128  # pixels in which each molecule is simulated; more than it crosses in a movie
CALIBRATION = {"pixel_size_um": 0.2, "frame_time_s": 0.01, "exposure_s": 0.01, "gain": 1.0, "offset": 100}
BACKGROUND, READ_NOISE = 2, 1.0


def write_film(path, D, photons, columns=6, frames=48, spacing=84, seed=1, fwhm_um=0.25):
    """Write a movie of columns x columns molecules; returns its entry of the configuration.

    D : µm²/s, of all molecules or (columns²,) of each
    """
    n = columns**2
    dark = {"offset": 0, "read_noise": 0.0}
    imaging = {"frames": frames, "size_px": FIELD, "photons": photons, "background": 0, "camera": dark}
    imaging |= {"start_spread_px": 1.0, "psf": {"kind": "gaussian", "fwhm_um": fwhm_um}}
    D = np.broadcast_to(np.asarray(D, float), n)
    alone, _ = photon_stacks(D, imaging, f"film {seed} {photons} {D[0]}")
    rng = np.random.default_rng(seed)
    side = columns * spacing
    light = np.zeros((frames, side + 2 * FIELD, side + 2 * FIELD))
    for k, stack in enumerate(alone):
        y, x = (FIELD + int((i + 0.5) * spacing) - FIELD // 2 + rng.integers(-8, 9) for i in divmod(k, columns))
        light[:, y : y + FIELD, x : x + FIELD] += stack
    light = light[:, FIELD:-FIELD, FIELD:-FIELD]
    read = light + rng.poisson(BACKGROUND, light.shape) + rng.normal(0, READ_NOISE, light.shape)
    tifffile.imwrite(path, np.rint(np.maximum(read + 100, 0)).astype(np.uint16), photometric="minisblack")
    step = np.sqrt(2 * D.max() * CALIBRATION["frame_time_s"]) / CALIBRATION["pixel_size_um"]
    tracking = {"diameter_px": 7, "minmass": "auto", "search_range_px": float(max(4, np.ceil(3.5 * step + 1)))}
    tracking |= {"memory": 2, "subtract_drift": False}
    entry = {**CALIBRATION, "file": str(path), "polarity": "bright", "problem": "diffusion", "dataset": "report"}
    return {**entry, "tracking": tracking}
