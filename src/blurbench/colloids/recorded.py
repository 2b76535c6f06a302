"""The volumes of a recording: of one file or of several that are pooled, and of every point in time in each.

All headers are judged before the voxels of any are read, and one volume is in memory at a time.
"""

from typing import NamedTuple

import numpy as np

from blurbench.files.logs import progress
from blurbench.microscopy import calibration, frames
from blurbench.microscopy.photon_transfer import Transfer, median, spatial_transfer
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import pooled

REFLECTED = 0.999  # quantile of the voxels about which dark spheres are reflected


class Recorded(NamedTuple):
    """One volume: its file, the number of the point in time, None where the file holds one volume, and (z, y, x)."""

    file: str
    time: int | None
    shape: tuple[int, ...]

    def __str__(self):
        return called(self.file, self.time)


def called(file: str, time: int | None) -> str:
    """What a volume is called in errors and remarks."""
    return file if time is None else f"{file}, time {time}"


def listed(recording: dict) -> list[Recorded]:
    """The volumes of a recording's entry, file by file, in the order of time.

    Raises
    ------
    RecordingError for whatever `frames.read` refuses, for voxels that are others in a file's own metadata, and for
    volumes of different shapes.
    """
    found: list[Recorded] = []
    for file in pooled.files(recording):
        header = _opened(recording, file, 0)
        inside = (header.slice_um, header.row_um, header.pixel_size_um)
        for stated, own in zip(recording["voxel_um"], inside):
            calibration.check_metadata(header.file, "voxel_um", stated, own, recording.get("calibration"))
        if recording.get("points", header.points) != header.points:
            raise RecordingError(file, "points", recording["points"], f"{header.points} as in the file")
        times = range(header.points) if header.points > 1 else [None]
        found += [Recorded(file, time, tuple(header.shape)) for time in times]
        if header.shape != found[0].shape:
            expected = f"{found[0].shape} as in {found[0].file}: volumes that are pooled are of one shape"
            raise RecordingError(file, "shape", header.shape, expected)
    return found


def _opened(recording, file, time) -> frames.Frames:
    """One volume of a file, none of whose voxels were read."""
    return frames.read(file, frames.VOLUME, recording.get("series"), time, recording.get("array"))


def grey_values(recording: dict, volume: Recorded) -> np.ndarray:
    """Voxels of a volume as they are stored, (z, y, x). Raises RecordingError for what is no image of spheres."""
    slices = _opened(recording, volume.file, volume.time or 0)
    grey = np.empty(slices.shape, slices.dtype)
    for i in range(len(slices)):
        grey[i] = slices[i]
    if grey.min() == grey.max():
        raise RecordingError(volume, "file", f"the grey value {grey.flat[0]} everywhere", "an image of spheres")
    return grey


def transfer_of(recording: dict, volumes: list[Recorded]) -> Transfer:
    """Gain and offset of the detector, the medians over all volumes where they are estimated. Every volume is read.

    Raises
    ------
    RecordingError for a volume that cannot be read, or whose mean lies below the offset.
    """
    found = []
    for volume in progress(volumes, "read"):
        grey = grey_values(recording, volume)
        transfer = spatial_transfer(grey, volume, recording["gain"], recording["offset"])
        if not transfer.offset < (mean := float(grey.mean())):
            expected = f"a dark level below the mean of {mean:.4g} ADU"
            raise RecordingError(volume, "offset", f"{transfer.offset:g} ADU", expected)
        found.append(transfer)
    return median(found)


class Photons:
    """A volume in photons, spheres brighter than what is around them, made of grey values when slices are asked for.

    What is asked for is float32 (n, y, x). Dark spheres are reflected about the brightest value but for one voxel in a
    thousand. Raises RecordingError as `grey_values`.

    Parameters
    ----------
    kept : (z,), share of the light that each slice has, which is divided out
    """

    def __init__(self, recording: dict, volume: Recorded, transfer: Transfer, kept: np.ndarray):
        self.grey = grey_values(recording, volume)
        self.shape, self.transfer, self.kept = self.grey.shape, transfer, kept.astype(np.float32)
        self.brightest = self._brightest() if recording["polarity"] == "dark" else None

    def __getitem__(self, slices) -> np.ndarray:
        light = self._light(slices)
        return light if self.brightest is None else np.maximum(self.brightest - light, 0, out=light)

    def _light(self, slices):
        """Photons as they were recorded."""
        light = self.grey[slices].astype(np.float32)
        light -= np.float32(self.transfer.offset)
        light /= np.float32(self.transfer.gain)
        light /= self.kept[slices][:, None, None]
        return light

    def _brightest(self):
        """Quantile of all voxels, of which the highest alone are held."""
        at = REFLECTED * (self.grey.size - 1)
        highest, n = np.empty(0, np.float32), self.grey.size - int(at)
        for z in range(len(self.grey)):
            highest = np.concatenate([highest, self._light(slice(z, z + 1)).ravel()])
            if len(highest) > n:
                highest = np.partition(highest, -n)[-n:]
        return np.float32(np.quantile(highest, (at - int(at)) / max(n - 1, 1)))
