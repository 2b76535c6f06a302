"""A movie of spots of known D, and the dataset whose models would apply to it."""

import numpy as np
import tifffile

from blurbench.diffusion.tracking import FWHM as FWHM_PER_SD

D, PIXEL, FRAME_TIME, FWHM = 0.3, 0.35, 0.04, 1.4
PHOTONS, BACKGROUND, GAIN, OFFSET = 3000, 20, 2.0, 100
FIELD, SPACING, FRAMES = 136, 34, 42
RECORDING = {
    "pixel_size_um": PIXEL,
    "frame_time_s": FRAME_TIME,
    "exposure_s": FRAME_TIME,
    "gain": GAIN,
    "offset": OFFSET,
    "polarity": "bright",
    "problem": "diffusion",
    "dataset": "beads",
    "tracking": {"diameter_px": 9, "minmass": "auto", "search_range_px": 5, "memory": 2, "subtract_drift": False},
}
CAMERA = {
    "quantum_efficiency": 1.0,
    "gain": 1.0,
    "offset": 50,
    "read_noise": 1.0,
    "laplace_noise": 0.0,
    "em_gain": 1.0,
    "saturation": 65535,
}
SPEC = {
    "imaging": {
        "frames": 20,
        "size_px": 24,
        "pixel_size_um": PIXEL,
        "frame_time_s": FRAME_TIME,
        "exposure_s": FRAME_TIME,
        "substeps": 5,
        "psf": {"kind": "gaussian", "fwhm_um": FWHM},
        "photons": PHOTONS,
        "background": BACKGROUND,
        "camera": CAMERA,
        "start_spread_px": 1.0,
    },
    "D_um2_s": [0.03, 3],
    "stream": "beads",
}


def write_movie(path, drift=(0.0, 0.0)):
    """Spots on a grid, photon by photon, with full-frame exposure; all drift, by (y, x) pixels a frame."""
    rng = np.random.default_rng(5)
    starts = np.stack(np.meshgrid(*[np.arange(SPACING / 2, FIELD, SPACING)] * 2, indexing="ij"), -1).reshape(-1, 2)
    substeps = 5
    steps = rng.normal(0, np.sqrt(2 * D * FRAME_TIME / substeps) / PIXEL, (len(starts), FRAMES * substeps, 2))
    paths = (starts[:, None] + np.cumsum(steps, axis=1)).reshape(len(starts), FRAMES, substeps, 2)
    paths = paths + np.arange(FRAMES * substeps).reshape(FRAMES, substeps, 1) / substeps * drift
    frames = rng.poisson(BACKGROUND, (FRAMES, FIELD, FIELD))
    for t in range(FRAMES):
        at = np.repeat(paths[:, t].reshape(-1, 2), PHOTONS // substeps, axis=0)
        at = at + rng.normal(0, FWHM / FWHM_PER_SD / PIXEL, at.shape)
        frames[t] += np.histogram2d(*at.T, bins=FIELD, range=[[0, FIELD]] * 2)[0].astype(int)
    tifffile.imwrite(path, np.rint(GAIN * frames + OFFSET).astype(np.uint16), photometric="minisblack")
