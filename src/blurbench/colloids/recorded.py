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
    grey = np.stack([slices[i] for i in range(len(slices))])
    if np.ptp(grey) == 0:
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


def photons(recording: dict, volume: Recorded, transfer: Transfer, kept: np.ndarray) -> np.ndarray:
    """A volume in photons, spheres brighter than what is around them, float32 (z, y, x).

    kept : (z,), share of the light that each slice has, which is divided out

    Dark spheres are reflected about the brightest value but for one voxel in a thousand.
    """
    grey = grey_values(recording, volume).astype(np.float32)
    light = (grey - np.float32(transfer.offset)) / np.float32(transfer.gain)
    light /= kept[:, None, None].astype(np.float32)
    if recording["polarity"] == "dark":
        light = np.maximum(np.quantile(light, 0.999) - light, 0).astype(np.float32)
    return light
