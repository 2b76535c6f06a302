"""Light-sheet optics: what a microscopist knows of a view, and its point-spread function.

Detection is a Gaussian of an SD per axis. The sheet is one along the axis that the objective looks along, as thick as
Gaussian optics has it at each place along the light; together they are a Gaussian again, whose axial SD is
`axial_sigma`. Axes are z, y, x; z is deeper the farther it is from the first objective.
"""

import math
from typing import NamedTuple

import numpy as np

from blurbench.fusion import gaussian

VIEWS = ("front", "dual_side", "opposed", "orthogonal")


class Optics(NamedTuple):
    """What a microscopist knows of a view, on the grid of the first one.

    spacing_um : (3,), from voxel to voxel along z, y, x
    sigma_um : (3,), SDs of the detection PSF without the sheet
    sheet_waist_um : radius at which the sheet's intensity is 1/e² at its thinnest; it is half of that thick, as an SD
    sheet_focus_um : where along the light it is thinnest, from the centre of the first voxel
    rayleigh_um : distance from there at which it is √2 times as thick
    fan : tangent of the half-angle over which the sheet's rays come, within the sheet
    light_axis, light_sign : axis that the sheet travels along, and whether to larger (1) or to smaller indices (-1)
    depth_axis, depth_sign : axis that the objective looks along, and whether larger indices are deeper (1) or not (-1)
    """

    spacing_um: tuple
    sigma_um: tuple
    sheet_waist_um: float
    sheet_focus_um: float
    rayleigh_um: float
    fan: float = 0.0
    light_axis: int = 2
    light_sign: int = 1
    depth_axis: int = 0
    depth_sign: int = 1


def rayleigh_um(waist_um, illumination_um, refractive_index):
    """Rayleigh length π n w0² / λ of a Gaussian beam of waist w0 (Siegman 1986, Lasers, section 17.1), µm."""
    return math.pi * refractive_index * waist_um**2 / illumination_um


def detection_sigma_um(na, emission_um, refractive_index):
    """SDs (axial, lateral) of the Gaussian nearest to a wide-field PSF, µm: 0.66 n λ/NA² and 0.21 λ/NA.

    The usual approximation of Zhang, Zerubia and Olivo-Marin 2007 (Appl. Opt. 46:1819), for small apertures.
    """
    return 0.66 * refractive_index * emission_um / na**2, 0.21 * emission_um / na


def turned(optics: Optics, view: str, shape) -> Optics:
    """Optics of another view of the specimen that `optics` sees from the front.

    dual_side : the sheet comes from the other side
    opposed : the specimen is turned by 180° about y, so that both the sheet and the objective are on the other side
    orthogonal : it is turned by 90° about y: the sheet travels along z, the objective looks along x

    Parameters
    ----------
    view : one of VIEWS;  shape : (3,), voxels of the grid
    """
    lengths = [(n - 1) * spacing for n, spacing in zip(shape, optics.spacing_um)]
    across = lengths[2] - optics.sheet_focus_um
    if view == "front":
        return optics
    if view == "dual_side":
        return optics._replace(light_sign=-optics.light_sign, sheet_focus_um=across)
    if view == "opposed":
        return optics._replace(light_sign=-optics.light_sign, sheet_focus_um=across, depth_sign=-optics.depth_sign)
    if view == "orthogonal":
        focus = optics.sheet_focus_um / lengths[2] * lengths[0]
        axes = {"light_axis": 0, "depth_axis": 2, "sigma_um": optics.sigma_um[::-1]}
        return optics._replace(**axes, sheet_focus_um=focus)
    raise ValueError(f"view: {view!r} was found, one of {VIEWS} was expected")


def sheet_sigma(optics: Optics, along_um):
    """SD of the sheet's thickness, half its 1/e² radius w0 √(1 + (x/xR)²), µm (Siegman 1986, section 17.1).

    along_um : places along the light, from the centre of the first voxel, any shape
    """
    far = (np.asarray(along_um, float) - optics.sheet_focus_um) / optics.rayleigh_um
    return optics.sheet_waist_um / 2 * np.sqrt(1 + far**2)


def axial_sigma(optics: Optics, along_um):
    """SD of a view's PSF along the objective's axis, of detection and sheet together, µm; as `sheet_sigma`."""
    detection = optics.sigma_um[optics.depth_axis]
    return 1 / np.sqrt(detection**-2 + sheet_sigma(optics, along_um) ** -2)


def blur(volume, optics: Optics) -> np.ndarray:
    """A volume (z, y, x) under the view's PSF, float32; its sum stays, as beyond its faces there is its mirror image.

    First along the objective's axis, with the thickness of the sheet at each place along the light, then across it.
    """
    ordered, half, across = _prepared(volume, optics)
    return _back(gaussian.lateral(gaussian.axial(ordered, half), *across), optics)


def blur_transposed(volume, optics: Optics) -> np.ndarray:
    """The adjoint of `blur`: both of its steps are symmetric, so they are taken in the other order."""
    ordered, half, across = _prepared(volume, optics)
    return _back(gaussian.axial(gaussian.lateral(ordered, *across), half), optics)


def _prepared(volume, optics):
    """A volume with its axes as depth, y, light; the profiles along depth at each place along the light; the others."""
    if (optics.light_axis, optics.depth_axis) not in ((2, 0), (0, 2)):
        raise ValueError(f"light_axis, depth_axis: {optics[6]}, {optics[8]} were found, 2, 0 or 0, 2 were expected")
    ordered = np.ascontiguousarray(_back(volume, optics), np.float32)
    depth, light = optics.depth_axis, optics.light_axis
    along = np.arange(volume.shape[light]) * optics.spacing_um[light]
    half = gaussian.profiles(axial_sigma(optics, along) / optics.spacing_um[depth], len(along))
    across = [gaussian.profiles(optics.sigma_um[axis] / optics.spacing_um[axis])[:, 0] for axis in (1, light)]
    return ordered, half, across


def _back(volume, optics):
    """The volume with depth and light where `gaussian` has them, or where they were."""
    return volume if optics.depth_axis == 0 else np.ascontiguousarray(np.swapaxes(volume, 0, 2))
