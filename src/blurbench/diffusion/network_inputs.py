"""What networks are given of a stack: its frames in units of their noise, and what is known of the microscope."""

import numpy as np

from blurbench.microscopy.camera import noise_variance, to_photons

PARAMETERS = 6


def microscope(items, spec):
    """Imaging parameters, (n, PARAMETERS) float32, each of order one: photons, background, PSF width, times, frames."""
    pixel = spec["imaging"]["pixel_size_um"]
    return np.column_stack([
        np.log(items["photons"] / 100) / 2, np.log1p(items["background"]) - 1, np.log(items["fwhm_um"] / pixel),
        np.log(items["frame_time_s"] / 0.01), np.log(items["exposure_s"] / items["frame_time_s"]),
        np.log(items["frames"] / 16),
    ]).astype(np.float32)  # fmt: skip


def full_frames(dataset):
    """Photons above the background over their noise (n, t, y, x), and which frames each item has (n, t)."""
    imaging, items = dataset.spec["imaging"], dataset.items
    background = items["background"].to_numpy(np.float32)[:, None, None, None] * imaging["camera"]["quantum_efficiency"]
    unit = np.sqrt(background + noise_variance(imaging["camera"]) + 1)
    x = (to_photons(dataset.images[:], imaging["camera"]) - background) / unit
    present = np.arange(x.shape[1]) < items["frames"].to_numpy()[:, None]
    return x * present[:, :, None, None], present
