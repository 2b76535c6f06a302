"""Deconvolution of a light-sheet view with what is known of its blur, which widens along the sheet.

In tiles where the view is large: they give what the whole gives, but for what a margin further away adds.
"""

import numpy as np

from blurbench.fusion.denoising import total_variation
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.optics import blur, blur_transposed
from blurbench.learning.tiles import tiles, window

FLOOR = 0.01  # photons that a voxel holds at least: read noise makes some negative
SIDE, MARGIN = 128, 24  # voxels of a tile's core, and around it; larger ones go to fresh memory at each step


def richardson_lucy(photons, optics, iterations) -> np.ndarray:
    """What was there before the blur (Richardson 1972; Lucy 1974), float32 (z, y, x), not negative.

    It begins with the view itself, so that a part of a view gives what the whole gives there, and few iterations do.

    photons : (z, y, x);  optics : `optics.Optics` of the view;  iterations : int
    """
    observed = np.maximum(photons, np.float32(FLOOR))
    estimate = observed.copy()
    for _ in range(iterations):
        estimate *= blur_transposed(observed / np.maximum(blur(estimate, optics), np.float32(FLOOR**2)), optics)
    return estimate


def sharpened(view, iterations, before_px, after_px, weight=0.0, planes=0) -> np.ndarray:
    """A view after total variation, a Gaussian in the plane, Richardson-Lucy, and another Gaussian, float32 (z, y, x).

    Parameters
    ----------
    iterations : of Richardson-Lucy
    before_px, after_px : SDs of the Gaussians, voxels; the first one counts as blur
    weight, planes : of `denoising.total_variation`
    """
    before, after = (0.0, before_px, before_px), (0.0, after_px, after_px)
    wider = np.hypot(view.optics.sigma_um, np.multiply(before, view.optics.spacing_um))
    optics = view.optics._replace(sigma_um=tuple(wider.tolist()))
    photons = smooth(total_variation(view.photons, weight, planes), before)
    return smooth(richardson_lucy(photons, optics, iterations), after)


def tiled(restore, view, margin=MARGIN, side=SIDE) -> np.ndarray:
    """A view restored tile by tile, (..., z, y, x).

    Parameters
    ----------
    restore : function (View, box) -> (..., z, y, x), of the part of the view that lies in a box of voxels
    margin : voxels beyond which what it gives hardly depends on the view
    side : voxels of a tile without it
    """
    answer, shape = None, view.photons.shape
    for tile in tiles(shape, side, margin, 1):
        found = restore(part(view, tile.read), tile.read)
        if answer is None:
            answer = np.empty((*found.shape[:-3], *shape), found.dtype)
        answer[..., *window(tile.core)] = found[..., *window(tile.core, tile.read)]
    return answer


def part(view, box):
    """The part of a view, or several, that lies in a box of voxels, a (lo, hi) per axis, with its own optics."""
    at, optics = window(box), _moved(view.optics, box)
    others, others_optics = view.others[(..., *at)], tuple(_moved(one, box) for one in view.others_optics)
    return view._replace(photons=view.photons[at], optics=optics, others=others, others_optics=others_optics)


def _moved(optics, box):
    """Optics on a grid that begins where a box does."""
    axis = optics.light_axis
    return optics._replace(sheet_focus_um=optics.sheet_focus_um - box[axis][0] * optics.spacing_um[axis])
