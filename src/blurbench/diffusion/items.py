"""Items as methods see them: a stack in photons, what a microscopist knows of it, its truth where it may be seen."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from blurbench.diffusion.configuration import CONTINUOUS
from blurbench.diffusion.estimators import blur_coefficient, blur_share
from blurbench.diffusion.psf import FWHM_OVER_SD
from blurbench.files.datasets import Dataset
from blurbench.microscopy.camera import to_photons

OWN = ("camera", "pixel_size_um", "size_px", "substeps")  # of `imaging`, whatever a method was trained on


class Truth(NamedTuple):
    """What only the simulator knows of a stack.

    D : µm²/s
    psf_fwhm_um : true FWHM of the PSF, µm
    path : (t, substep, 2), positions (y, x) in µm from the centre of the field, in the middles of equal parts of every
        exposure: those that the photons share, or some of a continuous path
    """

    D: float
    psf_fwhm_um: float
    path: np.ndarray


class Stack(NamedTuple):
    """One stack and what a microscopist knows of it.

    photons : (t, y, x) float32, detected photons above the camera's dark level
    brightness : photons emitted per frame;  background : photons per pixel and frame
    fwhm_um : FWHM of the PSF as it is known, µm
    frame_time_s, exposure_s : s
    spec : expanded entry of its dataset: the microscope, and the range of D
    truth : None where it must not be seen
    """

    photons: np.ndarray
    brightness: float
    background: float
    fwhm_um: float
    frame_time_s: float
    exposure_s: float
    spec: dict
    truth: Truth | None = None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.photons)

    @property
    def imaging(self) -> dict:
        """The microscope."""
        return self.spec["imaging"]

    @property
    def camera(self) -> dict:
        """Settings of the camera."""
        return self.imaging["camera"]

    @property
    def pixel_um(self) -> float:
        """Side of a pixel, µm."""
        return self.imaging["pixel_size_um"]

    @property
    def psf_sd_um(self) -> float:
        """SD of the PSF as it is known, µm."""
        return self.fwhm_um / FWHM_OVER_SD

    @property
    def psf_known_to(self) -> float:
        """Relative SD of that width about the true one."""
        return self.imaging["psf"].get("known_to", 0.0)

    @property
    def substeps(self) -> int | None:
        """Sub-positions per exposure that the photons share; None where each photon has a moment of its own."""
        return None if self.imaging["substeps"] == CONTINUOUS else self.imaging["substeps"]

    @property
    def motion_blur(self) -> float:
        """Motion-blur coefficient R of the mean positions."""
        return blur_coefficient(self.exposure_s, self.frame_time_s, self.substeps)

    @property
    def blur_time_s(self) -> float:
        """Mean variance of the path within an exposure, per axis, over D: t_E/3 where the path is continuous."""
        return self.exposure_s / 3 * blur_share(self.substeps)

    @property
    def D_range(self) -> list:
        """Range of D that its dataset is about, µm²/s."""
        return self.spec["D_um2_s"]

    @property
    def window(self) -> int:
        """Half-width in pixels of the window around a spot: holds the widest blur of the dataset's range of D."""
        psf = np.max(self.imaging["psf"].get("fwhm_um", 0.25)) / FWHM_OVER_SD
        widest = psf**2 + max(self.D_range) * np.max(self.imaging["exposure_s"]) / 3
        room = (self.imaging["size_px"] - 3) // 2  # beside it there must be pixels to take the background from
        return int(min(np.ceil(4.5 * np.sqrt(widest) / self.pixel_um) + 1, room, 12))


def stack(image, row, spec, path=None) -> Stack:
    """One item.

    Parameters
    ----------
    image : (t, y, x) grey values;  row : its row of the dataset's `items`;  spec : of the dataset
    path : (t, substep, 2), its true sub-positions, where they may be seen
    """
    frames = int(row.frames)
    truth = None if path is None else Truth(row.D, row.psf_fwhm_um, path[:frames])
    known = row.photons, row.background, row.fwhm_um, row.frame_time_s, row.exposure_s
    return Stack(to_photons(image[:frames], spec["imaging"]["camera"]), *known, spec, truth)


def as_trained(dataset: Dataset, trained: dict) -> Dataset:
    """A dataset as methods see it that were trained on another: what they measure in a stack must be what they learned.

    Widths, windows and the likelihood that some begin with depend on the ranges that a dataset is about. They are those
    of the training; the camera, the grid and how well the PSF is known stay the dataset's own.

    trained : spec of the dataset of the training
    """
    own = dataset.spec["imaging"]
    imaging = {**trained["imaging"], **{key: own[key] for key in OWN if key in own}}
    told = {"known_to": own["psf"]["known_to"]} if "known_to" in own["psf"] else {}
    imaging["psf"] = {**{key: value for key, value in imaging["psf"].items() if key != "known_to"}, **told}
    return dataset.with_spec({**dataset.spec, "imaging": imaging, "D_um2_s": trained["D_um2_s"]})


def stacks(dataset) -> Iterator[Stack]:
    """Every item of a dataset, in order; with its truth if the dataset has it."""
    paths = dataset.truth["positions"][:] if dataset.truth else [None] * len(dataset)
    for image, row, path in zip(dataset.images[:], dataset.items.itertuples(), paths):
        yield stack(image, row, dataset.spec, path)
