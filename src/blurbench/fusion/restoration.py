"""Deconvolution of a light-sheet view with what is known of it: a blur that widens along the sheet, and lost light.

In tiles where the view is large: they give what the whole gives, but for what a margin further away adds.
"""

import numpy as np
from numba import njit

from blurbench.fusion.gaussian import smooth
from blurbench.fusion.optics import blur, blur_transposed
from blurbench.learning.tiles import tiles, window

FLOOR = 0.01  # photons that a voxel holds at least: read noise makes some negative
FLAT = 0.1  # photons a voxel: a slope below which nothing counts as an edge
MOST = 0.5  # share that the total variation may change a voxel by, in an iteration
SIDE, MARGIN = 256, 24  # voxels of a tile's core, and around it


def richardson_lucy(photons, optics, iterations, left=None, variation=0.0):
    """What was there before the loss of light and the blur (Richardson 1972; Lucy 1974), most likely for Poisson noise.

    It begins with the view itself. With a penalty on the total variation (Dey et al. 2006, Microsc. Res. Tech. 69:260)
    it is smoother where less light is left.

    Parameters
    ----------
    photons : (z, y, x);  optics : `optics.Optics` of the view;  iterations : int
    left : (z, y, x), share of the light that is left; None for all of it
    variation : penalty, per photon of the slope from voxel to voxel of the plane

    Returns
    -------
    float32 (z, y, x), not negative
    """
    observed = np.maximum(photons, FLOOR).astype(np.float32)
    left = np.ones_like(observed) if left is None else left
    estimate, flatter = observed / left, optics.spacing_um[1] / optics.spacing_um[0]
    for _ in range(iterations):
        ratio = observed / np.maximum(blur(estimate * left, optics), FLOOR**2)
        gain = blur_transposed(ratio, optics)
        if variation:
            gain *= left / np.maximum(left - variation * _curvature(estimate, flatter), (1 - MOST) * left)
        estimate *= gain
    return estimate


@njit(cache=True)
def _curvature(volume, flatter):
    """Divergence of the slope's direction, div(∇v / |∇v|), float32 (z, y, x); slopes along z are `flatter` than those of the index."""
    nz, ny, nx = volume.shape
    out = np.zeros((nz, ny, nx), np.float32)
    for z in range(nz):
        up = min(z + 1, nz - 1)
        for y in range(ny):
            aside = min(y + 1, ny - 1)
            for x in range(nx):
                here = volume[z, y, x]
                a = (volume[up, y, x] - here) * flatter
                b = volume[z, aside, x] - here
                c = volume[z, y, min(x + 1, nx - 1)] - here
                norm = 1 / np.sqrt(a * a + b * b + c * c + FLAT * FLAT)
                a, b, c = a * norm * flatter, b * norm, c * norm
                out[z, y, x] += a + b + c
                out[up, y, x] -= a
                out[z, aside, x] -= b
                out[z, y, min(x + 1, nx - 1)] -= c
    return out


def smoothed_richardson_lucy(view, iterations, before_px, after_px, left=None, variation=0.0):
    """Richardson-Lucy of a view, less noisy by a Gaussian in the plane before it, which counts as blur, and one after.

    before_px, after_px : SDs in voxels;  the rest as for `richardson_lucy`
    """
    before, after = np.array([0.0, before_px, before_px]), np.array([0.0, after_px, after_px])
    wider = np.hypot(view.optics.sigma_um, before * np.asarray(view.optics.spacing_um))
    optics = view.optics._replace(sigma_um=tuple(wider.tolist()))
    return smooth(richardson_lucy(smooth(view.photons, before), optics, iterations, left, variation), after)


def tiled(restore, view, margin=MARGIN, side=SIDE, align=1):
    """A view restored tile by tile, float32 (z, y, x).

    restore : function (View, box) -> (z, y, x), of the part of the view that lies in a box of voxels
    margin : voxels beyond which what it gives hardly depends on the view
    side : voxels of a tile without it;  align : tiles begin at multiples of it
    """
    answer = np.empty(view.photons.shape, np.float32)
    for tile in tiles(view.photons.shape, side, margin, align):
        answer[window(tile.core)] = restore(part(view, tile.read), tile.read)[window(tile.core, tile.read)]
    return answer


def part(view, box):
    """The part of a view that lies in a box of voxels, a (lo, hi) per axis, seen by its own optics."""
    optics = view.optics
    moved = optics.sheet_focus_um - box[2][0] * optics.spacing_um[2]
    return view._replace(photons=view.photons[window(box)], optics=optics._replace(sheet_focus_um=moved))
