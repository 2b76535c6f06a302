"""Views with less light than those that were taken: thinned, and lost once more on its ways in and out."""

import numpy as np

THINNEST = 0.35  # least share of the light that is kept everywhere
DENSEST = 0.015  # 1/µm, most absorption that is added, of each of the two ways


def dimmed(view, rng):
    """A view as a fainter lamp and a denser tissue might have shown it, with the truth that belongs to it.

    Of n photons each is kept with a probability p: in their mean and variance p n + sqrt(p (1 - p) n) times a normal
    number, and read noise is filled up to what it was. What tissue adds is even, so p = f exp(-a z - b x).

    Parameters
    ----------
    view : `items.View` with its truth, one view alone;  rng : np.random.Generator

    Returns
    -------
    `items.View`
    """
    kept = THINNEST ** rng.random()
    z, y, x = (np.arange(n) * step for n, step in zip(view.photons.shape, view.optics.spacing_um))
    depth, way = DENSEST * rng.random(2)
    p = kept * np.exp(-depth * z[:, None, None] - way * x).astype(np.float32)
    variance = p * (1 - p) * np.maximum(view.photons, 0) + (1 - p**2) * np.float32(view.read_noise) ** 2
    noise = rng.standard_normal(view.photons.shape, np.float32)
    truth = view.truth._replace(density=view.truth.density * np.float32(kept))
    return view._replace(photons=p * view.photons + np.sqrt(variance) * noise, truth=truth)
