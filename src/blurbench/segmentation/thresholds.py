"""Masks from a threshold, moved up or down as blur and stain ask for."""

from skimage.filters import gaussian

from blurbench.segmentation.greys import greys


def above(image, threshold, sigma_px, level):
    """Mask (y, x) of what is above a threshold.

    Parameters
    ----------
    image : (y, x)
    threshold : function image -> grey level, such as `skimage.filters.threshold_otsu`
    sigma_px : SD of the Gaussian that the image is smoothed with before
    level : what its height above the background is multiplied by; 1 leaves the threshold as it is
    """
    smooth = gaussian(image, sigma_px) if sigma_px else image
    low = greys(smooth).low
    return smooth > low + level * (threshold(smooth) - low)
