"""Point-spread functions: what a photon's displacement is drawn from, and the Gaussian width that methods are told."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import j0, j1

from blurbench.microscopy.psf import measured
from blurbench.microscopy.random_streams import alias_table

GAUSSIAN, AIRY, IMAGE = 0, 1, 2
FWHM_OVER_SD = 2 * np.sqrt(2 * np.log(2))
_ROWS = 65536


class Psf(NamedTuple):
    """What the compiled renderer draws from. Lengths in µm.

    kind : GAUSSIAN, AIRY or IMAGE
    scale : Gaussian standard deviation; Airy: λ/(2π NA), the unit of the radial table; image: its pixel size
    radii : (n,) Airy: quantiles of the radius at probabilities i/n
    alias : (pixels,) image: alias table over its pixels
    columns, origin_y, origin_x : image: its width, and its centroid in pixels
    """

    kind: int
    scale: float
    radii: np.ndarray
    alias: np.ndarray
    columns: int
    origin_y: float
    origin_x: float


_NO_RADII = np.zeros(1)
_NO_ALIAS = np.zeros(1, np.uint64)


@lru_cache
def _airy_radii():
    # Energy inside v = 2π NA r/λ is 1 - J0² - J1² (Born & Wolf, 8.5.2). Its tail falls as 2/(πv), hence the wide grid.
    v = np.concatenate([np.linspace(0, 60, 60001), np.geomspace(60.001, 5e4, 200001)])
    inside = np.maximum.accumulate(1 - j0(v) ** 2 - j1(v) ** 2)
    return np.interp(np.arange(_ROWS) / _ROWS, inside, v)


def sampler(psf: dict, fwhm_um: float | None = None) -> Psf:
    """Psf to draw from, of the configuration's `psf` entry.

    fwhm_um : its true width, where the entry does not state that: drawn item by item, or not what methods are told
    """
    if psf["kind"] == "gaussian":
        sd = (fwhm_um if fwhm_um is not None else psf["fwhm_um"]) / FWHM_OVER_SD
        return Psf(GAUSSIAN, sd, _NO_RADII, _NO_ALIAS, 1, 0.0, 0.0)
    wider = fwhm_um / fwhm(psf) if fwhm_um is not None else 1.0
    if psf["kind"] == "airy":
        scale = psf["wavelength_um"] / (2 * np.pi * psf["na"])
        return Psf(AIRY, wider * scale, _airy_radii(), _NO_ALIAS, 1, 0.0, 0.0)
    image, (y, x) = measured(psf["file"], 2)
    return Psf(IMAGE, wider * psf["pixel_size_um"], _NO_RADII, alias_table(image.ravel()), image.shape[1], y, x)


def fwhm(psf: dict) -> float:
    """FWHM in µm of the Gaussian that methods take the PSF for.

    Airy: the Gaussian nearest in least squares has a standard deviation of 0.21 λ/NA (Zhang, Zerubia & Olivo-Marin
    2007, Appl Opt 46:1819, the paraxial 2-D wide-field case). Image: from its variance inside half of its field.
    """
    if psf["kind"] == "gaussian":
        return psf["fwhm_um"]
    if psf["kind"] == "airy":
        return 0.21 * psf["wavelength_um"] / psf["na"] * FWHM_OVER_SD
    image, (cy, cx) = measured(psf["file"], 2)
    y, x = np.indices(image.shape) + 0.5
    core = np.hypot(y - cy, x - cx) <= min(image.shape) / 4
    weight = image * core
    variance = (weight * ((y - cy) ** 2 + (x - cx) ** 2)).sum() / weight.sum() / 2
    return float(np.sqrt(variance) * psf["pixel_size_um"] * FWHM_OVER_SD)
