"""The canvas that a specimen is drawn on, what a view's camera keeps of it, and that on the grid of the first view."""

import math
from typing import NamedTuple

import numpy as np

from blurbench.fusion.gaussian import REACH
from blurbench.fusion.optics import Optics, axial_sigma

FINE = 2 / 3  # of the axial SD: a canvas's planes are no farther apart, or as near as its pixels


class Canvas(NamedTuple):
    """Voxels around and, along z, between those of a volume.

    volume : (3,), voxels of the volume;  shape : (3,), of the canvas
    pitch_um : (3,), sides of the canvas's voxels
    planes : of the canvas for each of the volume's
    margin : (3,), voxels of the canvas before the first one of the volume, and after its last one
    """

    volume: tuple
    shape: tuple
    pitch_um: tuple
    planes: int
    margin: tuple


def canvas(volume, views: list[Optics]) -> Canvas:
    """Canvas that reaches as far as anything is blurred into a volume; `views` on its grid, the first one first."""
    z, _, xy = views[0].spacing_um
    widest = [max(_sigma_um(one, axis, volume) for one in views) for axis in range(3)]
    thinnest = float(axial_sigma(views[0], views[0].sheet_focus_um))
    planes = math.ceil(z / max(xy, FINE * thinnest) - 1e-9)
    pitch = (z / planes, xy, xy)
    margin = [math.ceil(REACH * sigma / side) for sigma, side in zip(widest, pitch)]
    if any(one.depth_axis == 2 for one in views):
        margin[2] = max(margin[2], _step(pitch, planes))  # the camera's last plane is beyond the volume
    shape = tuple(n * k + 2 * m for n, k, m in zip(volume, (planes, 1, 1), margin))
    return Canvas(tuple(volume), shape, pitch, planes, tuple(margin))


def _sigma_um(optics, axis, volume):
    """Largest SD of a view's PSF along an axis."""
    if axis != optics.depth_axis:
        return optics.sigma_um[axis]
    light = optics.light_axis
    return float(axial_sigma(optics, np.arange(volume[light]) * optics.spacing_um[light]).max())


def _step(pitch_um, planes):
    """Voxels along x from one plane of a camera that looks along it to the next."""
    return round(planes * pitch_um[0] / pitch_um[2])


def on_canvas(optics: Optics, canvas: Canvas) -> Optics:
    """A view's optics on the canvas."""
    axis = optics.light_axis
    before = canvas.margin[axis] * canvas.pitch_um[axis]
    return optics._replace(spacing_um=canvas.pitch_um, sheet_focus_um=optics.sheet_focus_um + before)


def kept(drawn, canvas: Canvas, depth_axis: int = 0) -> np.ndarray:
    """What a camera that looks along an axis keeps of a canvas's values: every so many planes.

    A camera that looks along x has all of the canvas's voxels along z; those that no plane of the volume needs are
    left out at once.
    """
    z, y, x = canvas.margin
    n_z, n_y, n_x = canvas.volume
    planes = slice(z, z + n_z * canvas.planes, canvas.planes)
    across = slice(x, x + n_x)
    if depth_axis == 2:
        step = _step(canvas.pitch_um, canvas.planes)
        across = slice(x, x + math.ceil((n_x - 1) / step) * step + 1, step)
    return np.ascontiguousarray(drawn[planes, y : y + n_y, across])


def on_grid(image, canvas: Canvas, depth_axis: int = 0) -> np.ndarray:
    """A view, as its camera has it, on the grid of the first view, linear between its planes; float32."""
    if depth_axis == 0:
        return np.asarray(image, np.float32)
    at = np.arange(canvas.volume[2]) / _step(canvas.pitch_um, canvas.planes)
    low = np.minimum(at.astype(int), image.shape[2] - 2)
    part = (at - low).astype(np.float32)
    return image[..., low] * (1 - part) + image[..., low + 1] * part
