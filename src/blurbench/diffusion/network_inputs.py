"""What networks are given of a stack: crops about the molecule in units of their noise, and the microscope."""

import numpy as np

from blurbench.diffusion import crops
from blurbench.microscopy.camera import noise_variance, to_photons

PARAMETERS = 7
MOST = 6e4  # of float16


def microscope(items, spec):
    """What is known of the microscope, (n, PARAMETERS) float32, each of order one.

    Photons, background, PSF width and how well it is known, frame time, exposure, frames: every learned method is told
    these and no others.
    """
    pixel = spec["imaging"]["pixel_size_um"]
    return np.column_stack([
        np.log(items["photons"] / 100) / 2, np.log1p(items["background"]) - 1, np.log(items["fwhm_um"] / pixel),
        np.full(len(items), 10 * spec["imaging"]["psf"].get("known_to", 0.0)),
        np.log(items["frame_time_s"] / 0.01), np.log(items["exposure_s"] / items["frame_time_s"]),
        np.log(items["frames"] / 16),
    ]).astype(np.float32)  # fmt: skip


def frames(dataset, crop_px):
    """Photons above the background over their noise (n, t, side, side) float16, and which frames each item has (n, t).

    What a crop holds beyond the edge of the field is 0, the background's mean, as is what a convolution adds there.
    """
    imaging, items, images = dataset.spec["imaging"], dataset.items, dataset.images[:]
    side, size = crops.side(dataset.spec, crop_px), imaging["size_px"]
    x = np.zeros((*images.shape[:2], side, side), np.float16)
    background = items["background"].to_numpy(np.float32) * imaging["camera"]["quantum_efficiency"]
    unit = np.sqrt(background + noise_variance(imaging["camera"]) + 1)
    numbers = items["frames"].to_numpy(int)
    for i, corner in enumerate(crops.corners(images, items, dataset.spec, side)):
        from_field, to_crop = zip(*(_overlap(first, side, size) for first in corner))
        seen = to_photons(images[i, : numbers[i], *from_field], imaging["camera"])
        x[i, : numbers[i], *to_crop] = np.clip((seen - background[i]) / unit[i], -MOST, MOST)
    return x, np.arange(x.shape[1]) < numbers[:, None]


def _overlap(first, side, size):
    """Slices, of the field and of the crop, of the pixels that they share along one axis."""
    low, high = max(first, 0), min(first + side, size)
    return slice(low, high), slice(low - first, high - first)
