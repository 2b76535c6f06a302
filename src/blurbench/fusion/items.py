"""Items as methods see them: a view in photons, its optics, its truth where it may be seen."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from blurbench.fusion.optics import Optics, turned


class Truth(NamedTuple):
    """What only the simulator knows, each (z, y, x) float32 on the grid of the first view, in photons, or not read.

    density : the specimen without noise and absorption, as sharp as `imaging.truth_sigma_px`: the truth
    deconvolved, fused : Richardson-Lucy deconvolution and content-weighted fusion of all views, whose noise is
        independent of that of the views given
    fused_given : the fusion of all views with the noise of those that are given
    fused_clean : that of all views without noise
    transmission : share of the light that absorption leaves to the first view, no unit
    """

    density: np.ndarray | None = None
    deconvolved: np.ndarray | None = None
    fused: np.ndarray | None = None
    fused_given: np.ndarray | None = None
    fused_clean: np.ndarray | None = None
    transmission: np.ndarray | None = None


class View(NamedTuple):
    """A view, or several, and what a microscopist knows of them.

    photons : (z, y, x) float32, the first view above its dark level; read noise makes some of it negative
    optics : of the first view
    read_noise : SD, photons
    channel : "nuclei" or "membranes"
    others : (views - 1, z, y, x) float32, further views that are given, registered to the first one; usually none
    others_optics : of each of them, on the grid of the first view
    truth : None where it must not be seen
    """

    photons: np.ndarray
    optics: Optics
    read_noise: float
    channel: str
    others: np.ndarray
    others_optics: tuple
    truth: Truth | None = None


TARGETS = ("density", "fused", "deconvolved")  # of `Truth`, that a method may learn
CHANNELS = ("nuclei", "membranes")  # by their number in the column `channel`
SHAPE = ("depth_px", "height_px", "width_px")  # voxels of an item, which those of a recording's store may exceed


def read(dataset, i: int, wanted=Truth._fields) -> View:
    """Item i of a dataset, with what is wanted of its truth, where there is one."""
    row, imaging = dataset.items.iloc[i], dataset.spec["imaging"]
    photons = dataset.images[i].astype(np.float32) - np.float32(imaging["offset"])
    photons = photons[(..., *(slice(int(row[name])) for name in SHAPE))]
    views = photons if photons.ndim == 4 else photons[None]
    first = optics(row)
    names = imaging["views"][1 : len(views)]
    others = tuple(turned(first, name, views.shape[1:]) for name in names)
    truth = Truth(**{name: dataset.truth[name][i] for name in wanted}) if dataset.truth else None
    about = float(row["read_noise"]), CHANNELS[int(row["channel"])]
    return View(views[0], first, *about, views[1:], others, truth)


def optics(row) -> Optics:
    """Optics of the first view, from a row of `items`."""
    z, xy = float(row["spacing_z_um"]), float(row["spacing_xy_um"])
    axial, lateral = float(row["sigma_axial_um"]), float(row["sigma_lateral_um"])
    sheet = (float(row[name]) for name in ("sheet_waist_um", "sheet_focus_um", "rayleigh_um", "fan"))
    return Optics((z, xy, xy), (axial, lateral, lateral), *sheet)


def answers(dataset, restore: Callable[[View], np.ndarray]) -> Iterator[np.ndarray]:
    """What a method makes of every item, (z, y, x) float32 photons; `restore` takes a View."""
    for i in range(len(dataset)):
        yield _filled(np.asarray(restore(read(dataset, i)), np.float32), dataset.images.shape[-3:])


def _filled(volume, shape):
    """A volume with zeros at its far ends where a store has larger ones."""
    return volume if volume.shape == shape else np.pad(volume, [(0, n - m) for n, m in zip(shape, volume.shape)])
