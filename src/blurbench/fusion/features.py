"""What is read off a view at each voxel: smoothed, denoised, deconvolved and flat-fielded versions of it, its place.

All on the scale of the view's own brightest places. What needs the whole view, the flat field and that scale, is found
first, on blocks; the rest of a part of it, with a margin, from that part.
"""

from typing import NamedTuple

import numpy as np

from blurbench.fusion import flat_fielding
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.items import CHANNELS
from blurbench.fusion.optics import axial_sigma
from blurbench.fusion.restoration import sharpened

BRIGHT = 0.995  # quantile of the flat-fielded blocks that is the scale
SCALES = (0.7, 1.5, 3.0, 6.0)  # SDs, in voxels of the plane, of the Gaussians
SHARPENED = (  # fine structures, dim ones and large ones want other settings of `restoration.sharpened`
    {"iterations": 4, "before_px": 0.8, "after_px": 0.5},
    {"iterations": 4, "before_px": 0.0, "after_px": 0.5, "weight": 0.5, "planes": 1},
    {"iterations": 4, "before_px": 0.0, "after_px": 0.9, "weight": 0.8},
    {"iterations": 4, "before_px": 0.0, "after_px": 0.9, "weight": 1.6},
)
FIRST_SHARPENED = 1 + len(SCALES)  # of the columns of `features`
LIGHT = 2 + len(SCALES) + len(SHARPENED)  # features that are light
AROUND = 3.0  # SD, in voxels of the plane, of the surroundings whose contrast counts


class Whole(NamedTuple):
    """What is known of a view as a whole.

    field : `flat_fielding.FlatField`
    scale : photons of its brightest places where no light is lost
    estimates : (n, z, y, x) of the truth over the scale, where they are made once for all parts
    """

    field: flat_fielding.FlatField
    scale: float
    estimates: np.ndarray | None = None


def whole(view) -> Whole:
    """What `features` must know of the view beside a part of it. Raises ValueError for one without a foreground."""
    field = flat_fielding.fit(view.photons, view.optics.spacing_um)
    flat = flat_fielding.block_means(view.photons, field.block) / np.exp(field.log_left)
    return Whole(field, max(float(np.quantile(flat, BRIGHT)), 1.0))


def estimates(part, left, scale, settings=SHARPENED) -> list:
    """Estimates of the truth over the scale, arrays (z, y, x), one for each setting.

    part : `items.View`, of which the share `left` (z, y, x) of the light is left
    """
    return [sharpened(part, **setting) / (left * np.float32(scale)) for setting in settings]


def features(part, box, known) -> list:
    """Features of the part of a view that lies in a box of voxels, float32 arrays that fit (z, y, x).

    Sides of 1 stand for what does not change along an axis. LIGHT of them, the first ones, are light.

    part : `items.View`, as `restoration.part` cuts it;  known : `Whole` of the view
    """
    left, spacing = known.field.on(box), np.asarray(part.optics.spacing_um)
    scaled = part.photons / np.float32(known.scale)
    smoothed = [smooth(scaled, s * spacing[2] / spacing) / left for s in SCALES]
    sharp = estimates(part, left, known.scale)
    around = AROUND * spacing[2] / spacing
    contrast = np.sqrt(np.maximum(smooth(np.square(sharp[2]), around) - np.square(smooth(sharp[2], around)), 0))
    z, x = (np.arange(*box[axis]) * spacing[axis] / 100 for axis in (0, 2))
    width = axial_sigma(part.optics, np.arange(left.shape[2]) * spacing[2]) / spacing[0]
    numbers = [np.log(known.scale), np.log(spacing[0] / spacing[2]), CHANNELS.index(part.channel)]
    found = [smoothed[0] * left, *smoothed, *sharp, contrast, np.log(left), z[:, None, None], x, width, *numbers]
    return [fitting(one) for one in found]


def fitting(one) -> np.ndarray:
    """A number or an array as one of three axes, float32."""
    one = np.asarray(one, np.float32)
    return one.reshape((1,) * (3 - one.ndim) + one.shape)
