"""Views as a worse microscope might have taken them: a thicker sheet, light thinned and lost on its ways in and out."""

import numpy as np
from scipy.special import ive

from blurbench.fusion import gaussian
from blurbench.fusion.items import TARGETS, read
from blurbench.fusion.optics import axial_sigma

THINNEST = 0.35  # least share of the light that is kept everywhere
DENSEST = 0.015  # 1/µm, most absorption that is added, of each of the two ways
THICKEST = 1.6  # times its thickness that a sheet has at most
REACH = 8  # planes beyond which the Gaussian that it lacks ends


def one_of(dataset, item, copies, target="density"):
    """A view of a dataset or a copy of it: first view 0, then so many copies that are fainter, then view 1."""
    view, copy = read(dataset, item // (1 + copies), [target]), item % (1 + copies)
    return fainter(view, np.random.default_rng(item), target) if copy else view


def fainter(view, rng, target="density"):
    """A view as a fainter lamp, a denser tissue and a thicker sheet might have shown it, all drawn; see `dimmed`.

    By a fainter lamp alone where a method learns another target than the truth: what else would become of all views,
    one view does not tell.
    """
    lamp = np.float32(THINNEST ** rng.random())
    if target != "density":
        return dimmed(view, lamp, np.float32(1), rng)
    z, _, x = (np.arange(n) * step for n, step in zip(view.photons.shape, view.optics.spacing_um))
    depth, way = DENSEST * rng.random(2)
    view, noise_left = thickened(view, THICKEST ** rng.random())
    return dimmed(view, lamp, np.exp(-depth * z[:, None, None] - way * x).astype(np.float32), rng, noise_left)


def thickened(view, times):
    """A view as a sheet `times` as thick at its waist shows it, and the share (x,) of the noise's variance left in it.

    The Gaussian that it lacks goes along z, as the one on planes whose variance is right though it is narrower than one
    (Lindeberg 1990, IEEE PAMI 12:234). Where the thicker sheet, which spreads less, is the thinner one, all stays.

    view : `items.View`, one view alone
    """
    optics = view.optics
    wide = {"sheet_waist_um": optics.sheet_waist_um * times, "rayleigh_um": optics.rayleigh_um * times**2}
    wider = optics._replace(**wide)
    x = np.arange(view.photons.shape[2]) * optics.spacing_um[2]
    lacking = np.maximum(axial_sigma(wider, x) ** 2 - axial_sigma(optics, x) ** 2, 0)
    half = ive(np.arange(REACH + 1)[:, None], lacking / optics.spacing_um[0] ** 2).astype(np.float32)
    noise_left = 2 * np.square(half).sum(axis=0) - half[0] ** 2
    return view._replace(photons=gaussian.axial(view.photons, half), optics=wider), noise_left


def dimmed(view, lamp, left, rng, noise_left=1):
    """A view of which each photon is kept with probability p = lamp · left, and the truth that belongs to it.

    Of n photons there are then p n + sqrt(p (1 - p) n) times a normal number, in their mean and variance; read noise is
    filled up to what it was, as is the noise that a filter took.

    Parameters
    ----------
    view : `items.View` with its truth, one view alone
    lamp : share of the light that the specimen is given, which its truth and all targets in photons fall by
    left : (z, y, x), or of a shape that fits it, share that comes through what absorbs besides
    rng : np.random.Generator
    noise_left : share of the noise's variance that is in the view still, a number or (x,)

    Returns
    -------
    `items.View`
    """
    p, photons, read_variance = lamp * left, np.maximum(view.photons, 0), np.float32(view.read_noise) ** 2
    wanted, there = p * photons + read_variance, np.float32(noise_left) * p**2 * (photons + read_variance)
    noise = rng.standard_normal(view.photons.shape, np.float32)
    targets = {name: getattr(view.truth, name) for name in TARGETS}
    truth = view.truth._replace(**{name: one * lamp for name, one in targets.items() if one is not None})
    found = p * view.photons + np.sqrt(np.maximum(wanted - there, 0)) * noise
    return view._replace(photons=found, truth=truth)
