"""Structural similarity of volumes (Wang et al. 2004, IEEE Trans. Image Process. 13:600, eq. 13), all settings fixed.

The challenge's code was never shown, and sign and order of methods change with the settings; so these stand here, and
beside every score. scikit-image's `structural_similarity` at the same settings agrees to 1e-6
(`tests/fusion/test_score.py`), but holds some ten copies of a volume at a time: 10 GB for one of the challenge's. Here
a plane is made at a time, of running sums over the window, for both forms at once.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from skimage.filters import threshold_otsu

WINDOW = 7  # voxels along z, y and x; uniform
K1, K2 = 0.01, 0.03
PERCENTILES = (2, 99.8)  # of the whole volume, which become 0 and 1; nothing is clipped
EDGE = WINDOW // 2  # voxels at each face that have no whole window around them, and no value


class Normalised(NamedTuple):
    """A volume on its way to the score: (volume - low) / scale lies between 0 and 1 but for the few brightest voxels.

    span : of the normalised values, highest less lowest
    """

    volume: np.ndarray
    low: float
    scale: float
    span: float


class Similarity(NamedTuple):
    """SSIM of two volumes.

    mean : over all voxels with a whole window. Data range: the larger span of the two
    foreground : over those of the target's foreground. Data range: the target's span, which no answer can change
    by_plane : (z - 6,), `mean` of each plane
    mean_square : of the difference of the normalised volumes, over all voxels
    """

    mean: float
    foreground: float
    by_plane: np.ndarray
    mean_square: float


def normalised(volume) -> Normalised:
    """Scale of a volume by its percentiles; where these are equal it stays as it is, as in the challenge.

    Raises ValueError for a volume (z, y, x) that is smaller than the window.
    """
    volume = np.ascontiguousarray(volume)
    if volume.ndim != 3 or min(volume.shape) < WINDOW:
        raise ValueError(f"found a volume of shape {volume.shape}, expected (z, y, x) of at least {WINDOW} voxels each")
    low, high = (float(value) for value in np.percentile(volume, PERCENTILES))
    if high == low:
        low, high = 0.0, 1.0
    return Normalised(volume, low, high - low, (float(volume.max()) - float(volume.min())) / (high - low))


def foreground(target) -> np.ndarray:
    """Where a target is bright, bool (z, y, x): above Otsu's threshold (Otsu 1979, IEEE Trans. SMC 9:62)."""
    return np.asarray(target) > threshold_otsu(np.asarray(target))


def similarity(image: Normalised, target: Normalised, mask=None) -> Similarity:
    """SSIM of an image to a target.

    Parameters
    ----------
    image, target : of `normalised`, of one shape
    mask : bool (z, y, x), the foreground; that of the target if it is not given

    Raises
    ------
    ValueError if the shapes differ.
    """
    if image.volume.shape != target.volume.shape:
        raise ValueError(f"found volumes of shapes {image.volume.shape} and {target.volume.shape}, expected one shape")
    mask = foreground(target.volume) if mask is None else mask
    spans = np.array([max(image.span, target.span), target.span])
    sums = _planes(
        image.volume, image.low, image.scale, target.volume, target.low, target.scale, mask, (K1 * spans) ** 2,
        (K2 * spans) ** 2,
    )  # fmt: skip
    inner = sums[EDGE:-EDGE]
    with np.errstate(invalid="ignore"):  # no foreground, or nothing but one grey value: undefined
        by_plane = inner[:, 0] / np.prod([n - 2 * EDGE for n in mask.shape[1:]])
        bright = inner[:, 1].sum() / inner[:, 2].sum()
    return Similarity(float(by_plane.mean()), float(bright), by_plane, float(sums[:, 3].sum() / mask.size))


def ssim(image, target) -> float:
    """SSIM of two volumes (z, y, x) in the challenge's most likely form, `Similarity.mean`."""
    return similarity(normalised(image), normalised(target)).mean


@njit(cache=True, nogil=True, error_model="numpy")  # 0 / 0 is no number
def _planes(a, a_low, a_scale, b, b_low, b_scale, mask, c1, c2):
    """Four sums over each plane, (z, 4).

    Of the SSIM map with the first data range; of that with the second over the mask; of the mask; of squared
    differences. The first three are over voxels with a whole window around them.
    """
    nz, ny, nx = a.shape
    columns = np.zeros((5, ny, nx))  # sums over the window along z: a, b, a², b², ab
    rows = np.zeros((5, nx))  # of these along y
    found = np.zeros((nz, 4))
    n = WINDOW**3
    unbiased = n / (n - 1)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                p, q = (a[z, y, x] - a_low) / a_scale, (b[z, y, x] - b_low) / b_scale
                columns[0, y, x] += p
                columns[1, y, x] += q
                columns[2, y, x] += p * p
                columns[3, y, x] += q * q
                columns[4, y, x] += p * q
                found[z, 3] += (p - q) ** 2
        if z < WINDOW - 1:
            continue
        rows[:] = 0
        here = found[z - EDGE]
        for y in range(ny):
            for k in range(5):
                for x in range(nx):
                    rows[k, x] += columns[k, y, x]
            if y < WINDOW - 1:
                continue
            s0 = s1 = s2 = s3 = s4 = 0.0
            for x in range(nx):
                s0, s1, s2 = s0 + rows[0, x], s1 + rows[1, x], s2 + rows[2, x]
                s3, s4 = s3 + rows[3, x], s4 + rows[4, x]
                if x < WINDOW - 1:
                    continue
                p, q = s0 / n, s1 / n
                pp, qq = (s2 / n - p * p) * unbiased, (s3 / n - q * q) * unbiased
                pq = (s4 / n - p * q) * unbiased
                here[0] += (2 * p * q + c1[0]) * (2 * pq + c2[0]) / ((p * p + q * q + c1[0]) * (pp + qq + c2[0]))
                if mask[z - EDGE, y - EDGE, x - EDGE]:
                    here[1] += (2 * p * q + c1[1]) * (2 * pq + c2[1]) / ((p * p + q * q + c1[1]) * (pp + qq + c2[1]))
                    here[2] += 1
                last = x - WINDOW + 1
                s0, s1, s2 = s0 - rows[0, last], s1 - rows[1, last], s2 - rows[2, last]
                s3, s4 = s3 - rows[3, last], s4 - rows[4, last]
            for k in range(5):
                for x in range(nx):
                    rows[k, x] -= columns[k, y - WINDOW + 1, x]
        for y in range(ny):
            for x in range(nx):
                last_a = (a[z - WINDOW + 1, y, x] - a_low) / a_scale
                last_b = (b[z - WINDOW + 1, y, x] - b_low) / b_scale
                columns[0, y, x] -= last_a
                columns[1, y, x] -= last_b
                columns[2, y, x] -= last_a * last_a
                columns[3, y, x] -= last_b * last_b
                columns[4, y, x] -= last_a * last_b
    return found
