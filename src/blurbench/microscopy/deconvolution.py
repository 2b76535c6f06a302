"""Richardson-Lucy deconvolution (Richardson 1972; Lucy 1974) with the known point-spread function.

scikit-image has it too, but takes everything outside the volume for black, which loses light at the faces and brightens
what is next to them, and convolves by one Fourier transform for any PSF. Here the volume goes on beyond its faces as
its own mirror image, which keeps the flux, and a Gaussian PSF is applied axis by axis.
"""

import numpy as np
from scipy import ndimage
from scipy.signal import fftconvolve

FLOOR = 1e-3  # share of the mean below which no voxel is taken: read noise makes some negative


def convolved(volume, psf, mode, transposed=False):
    """Convolution of a volume or an image with a PSF (`psf.Psf`), or its transpose, of the shape of the volume.

    mode : what lies beyond the faces: "constant" (nothing) or "reflect" (the mirror image)
    """
    if psf.image is None:
        for axis, profile in enumerate(psf.profiles):
            volume = ndimage.correlate1d(volume, profile, axis, mode=mode)
        return volume
    image = np.flip(psf.image) if transposed else psf.image
    if mode == "reflect":
        volume = np.pad(volume, [(r, r) for r in psf.reach], mode="symmetric")
        return fftconvolve(volume, image.astype(np.float32), mode="valid")
    return fftconvolve(volume, image.astype(np.float32), mode="same")


def richardson_lucy(photons, psf, iterations, estimate=None):
    """What was there before the blur.

    Parameters
    ----------
    photons : of any number of axes;  psf : `psf.Psf`;  iterations : int
    estimate : of that shape, to go on from; a flat volume where it is not given

    Returns
    -------
    float32 of that shape, not negative, of the sum of `photons` with its negative voxels raised to FLOOR
    """
    mean = float(np.clip(photons, 0, None).mean())
    if not mean > 0:
        return np.zeros(photons.shape, np.float32)
    observed = np.maximum(photons, FLOOR * mean).astype(np.float32)
    if estimate is None:
        estimate = np.full(photons.shape, observed.mean(), np.float32)
    for _ in range(iterations):
        blurred = convolved(estimate, psf, "reflect")
        blurred = np.maximum(blurred, FLOOR**2 * mean)  # a Fourier transform may round below 0
        estimate = estimate * np.maximum(convolved(observed / blurred, psf, "reflect", transposed=True), 0)
    return estimate
