"""Views with less light than those that were taken: thinned, and lost once more on its ways in and out."""

import numpy as np

from blurbench.fusion.items import read

THINNEST = 0.35  # least share of the light that is kept everywhere
DENSEST = 0.015  # 1/µm, most absorption that is added, of each of the two ways


def one_of(dataset, item, copies):
    """A view of a dataset or a copy of it: first view 0, then so many copies that are fainter, then view 1."""
    view, copy = read(dataset, item // (1 + copies)), item % (1 + copies)
    return fainter(view, np.random.default_rng(item)) if copy else view


def fainter(view, rng):
    """A view as a fainter lamp and a denser tissue might have shown it, both drawn; see `dimmed`."""
    lamp = np.float32(THINNEST ** rng.random())
    z, _, x = (np.arange(n) * step for n, step in zip(view.photons.shape, view.optics.spacing_um))
    depth, way = DENSEST * rng.random(2)
    return dimmed(view, lamp, np.exp(-depth * z[:, None, None] - way * x).astype(np.float32), rng)


def dimmed(view, lamp, left, rng):
    """A view of which each photon is kept with probability p = lamp · left, and the truth that belongs to it.

    Of n photons there are then p n + sqrt(p (1 - p) n) times a normal number, in their mean and variance; read noise is
    filled up to what it was.

    Parameters
    ----------
    view : `items.View` with its truth, one view alone
    lamp : share of the light that the specimen is given, which its truth in photons falls by
    left : (z, y, x), or of a shape that fits it, share that comes through what absorbs besides
    rng : np.random.Generator

    Returns
    -------
    `items.View`
    """
    p = lamp * left
    variance = p * (1 - p) * np.maximum(view.photons, 0) + (1 - p**2) * np.float32(view.read_noise) ** 2
    noise = rng.standard_normal(view.photons.shape, np.float32)
    truth = view.truth._replace(density=view.truth.density * lamp)
    return view._replace(photons=p * view.photons + np.sqrt(variance) * noise, truth=truth)
