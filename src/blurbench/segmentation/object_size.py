"""How large the objects of an image usually are, without anyone having found them."""

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.filters import threshold_otsu

BEYOND = (
    1 / 3
)  # px, by which the centre of the nearest pixel outside lies beyond the edge: 1/2 along an axis, less askew


def usual_diameter(image) -> float:
    """Diameter of the objects in an image (y, x), px, large ones weighing more; 1 at least.

    The pixels of a disc lie a third of its radius from its edge on average. So the diameter is six times that mean
    over what is above Otsu's threshold of the smoothed image; objects that touch or have rough outlines move it by
    their share.
    """
    smooth = gaussian_filter(np.asarray(image, np.float32), 1)
    mask = smooth > threshold_otsu(smooth)
    away = distance_transform_edt(mask)[mask] - BEYOND
    return max(6 * float(away.mean()), 1.0) if mask.any() else 1.0
