"""What is read off a view at each voxel: smoothed, flat-fielded and deconvolved versions of it, and where it lies.

All on the scale of the view's own brightest places. What needs the whole view, the flat field and that scale, is found
first, on blocks; the rest of a part of it, with a margin, from that part.
"""

from typing import NamedTuple

import numpy as np

from blurbench.fusion import flat_fielding
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.optics import axial_sigma
from blurbench.fusion.restoration import smoothed_richardson_lucy

BRIGHT = 0.995  # quantile of the flat-fielded blocks that is the scale
SCALES = (0.7, 1.5, 3.0, 6.0)  # SDs in voxels of the plane of what is smoothed
ITERATIONS = (5, 20)  # of what is deconvolved


class Whole(NamedTuple):
    """What is known of a view as a whole.

    field : `flat_fielding.FlatField`
    scale : photons of its brightest places where no light is lost
    """

    field: flat_fielding.FlatField
    scale: float


def whole(view) -> Whole:
    """What `channels` must know of the view beside a part of it. Raises ValueError for one without a foreground."""
    field = flat_fielding.fit(view.photons, view.optics.spacing_um)
    flat = flat_fielding.block_means(view.photons, field.block) / np.exp(field.log_left)
    return Whole(field, max(float(np.quantile(flat, BRIGHT)), 1.0))


def estimates(part, box, known) -> list:
    """The flat field (its logarithm) of a part of a view, and what is deconvolved with it, arrays (z, y, x)."""
    left = known.field.on(box)
    sharp = [smoothed_richardson_lucy(part, n, 1.0, 0.5, left) / np.float32(known.scale) for n in ITERATIONS]
    return [np.log(left), smooth(part.photons / np.float32(known.scale), (0.3, 1.0, 1.0)) / left, *sharp]


def channels(part, box, known) -> np.ndarray:
    """Features of the part of a view that lies in a box of voxels, (features, z, y, x) float32.

    part : `items.View`, as `restoration.part` cuts it;  known : `Whole` of the view
    """
    left, spacing = known.field.on(box), np.asarray(part.optics.spacing_um)
    scaled = part.photons / np.float32(known.scale)
    ratio = spacing[1] / spacing[0]
    smooth = [smooth(scaled, np.array([max(s * ratio, 0.3), s, s])) for s in SCALES]
    sharp = [smoothed_richardson_lucy(part, n, 1.0, 0.5, left) / np.float32(known.scale) for n in ITERATIONS]
    z, _, x = np.meshgrid(*(np.arange(lo, hi) * s / 100 for (lo, hi), s in zip(box, spacing)), indexing="ij")
    width = axial_sigma(part.optics, np.arange(left.shape[2]) * spacing[2]) / spacing[0]
    constant = [np.log(known.scale), np.log(1 / ratio)]
    rest = [np.log(left), z, x, np.broadcast_to(width, left.shape), *(np.full(left.shape, c) for c in constant)]
    return np.stack([smooth[0], *(s / left for s in smooth), *sharp, *rest]).astype(np.float32)
