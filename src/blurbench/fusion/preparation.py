"""From a microscope's volumes to items as methods take them: turned, in photons, one an item.

Volumes of a folder may differ in shape. A store holds items of one shape, so they are filled up with zeros at their far
ends, and `items` say how far each reaches (`blurbench.fusion.items`).
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from blurbench.files.logs import progress
from blurbench.fusion.configuration import SATURATION, highest, lowest
from blurbench.fusion.items import CHANNELS, SHAPE
from blurbench.fusion.optics import detection_sigma_um, rayleigh_um
from blurbench.fusion.orientation import turned
from blurbench.fusion.volume_files import Pair, channel_of, check_pair, pairs, read, spacing_of
from blurbench.microscopy.calibration import check_camera, check_positive
from blurbench.microscopy.frames import Frames
from blurbench.microscopy.photon_transfer import Transfer, spatial_transfer
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import schemas
from blurbench.running.preparation import write

LOST = 1e-3  # share of the voxels that may lie below the grey scale before the offset is taken for wrong
ENOUGH = 10_000_000  # voxels from which the camera's gain is estimated
KNOWN = ("detection_na", "emission_um", "illumination_um", "sheet_waist_um")  # without which methods know no optics
TRAINED = (*KNOWN, "spacing_z_um", "spacing_xy_um", "refractive_index", "fan", "read_noise")  # held against the studies

log = logging.getLogger(__name__)


def settings(recording: dict) -> dict:
    """A recording's entry with the defaults of what it leaves out."""
    rules = schemas.of_recording("fusion")["properties"]
    return {**{key: rule["default"] for key, rule in rules.items() if "default" in rule}, **recording}


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Write the views of a file or folder as a dataset without truth.

    Every file is judged, header and voxels, before the first is written: what is wrong with any is told at once.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, one row per view: the files `view` and `fused` ("" where there is none), `channel`, `study` as the file
    names it, shape and spacing, mean `photons`, share of `saturated` voxels, and what is `outside` of the ranges of the
    dataset's studies, in words.

    Raises
    ------
    RecordingError for whatever is wrong with the files or their calibration.
    """
    recording = settings(recording)
    file = recording["file"]
    check_camera(recording, file)
    for key in KNOWN:
        check_positive(recording, file, key, "no unit" if key == "detection_na" else "µm")
    if recording["polarity"] != "bright":
        raise RecordingError(file, "polarity", recording["polarity"], "bright: fluorescence")
    if (given := spec["imaging"]["views_given"]) > 1:
        raise RecordingError(
            file, "dataset", f"models that take {given} views", "those of a dataset with views_given: 1"
        )
    found = pairs(file)
    judged = _all(found, lambda pair: _headers(pair, recording, spec))
    survey = pd.DataFrame([row for row, _ in judged])
    transfers, means, saturated = zip(*_all(progress(found, "read"), lambda pair: _voxels(pair, recording)))
    transfer = Transfer(*(float(np.median([t[k] for t in transfers])) for k in (0, 1)), transfers[0].how)
    log.info("%s", transfer)
    survey = survey.assign(photons=(np.array(means) - transfer.offset) / transfer.gain, saturated=saturated)
    for row in survey[survey["outside"] != ""].itertuples():
        log.warning("%s: methods were trained on other volumes: %s", row.view, row.outside)
    items = pd.DataFrame([row for _, row in judged])
    shape = items[list(SHAPE)].max().tolist()
    spec = {**spec, "imaging": {**spec["imaging"], "shape_px": shape}}
    axes = {"z": "spacing_z_um", "y": "spacing_xy_um", "x": "spacing_xy_um"}
    axes = {axis: (column, "micrometer") for axis, column in axes.items()}
    views = _Views(found, recording, transfer, spec["imaging"]["offset"], shape)
    write(store, manifest, recording, spec, transfer, axes, views, items, shard=1)
    return survey


def _all(found, judge):
    """What `judge` returns of each pair; all faults are raised as one."""
    passed, faults = [], []
    for pair in found:
        try:
            passed.append(judge(pair))
        except RecordingError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        told = "\n".join(map(str, faults))
        raise RecordingError("recording", "file", f"{len(faults)} faults", f"none of them:\n{told}")
    return passed


def _headers(pair: Pair, recording, spec):
    """Row of the survey and row of the items of a view, as its file and the configuration have it."""
    view = read(pair.view)
    spacing = spacing_of(view, recording.get("spacing_um"))
    channel = channel_of(view, recording.get("channel"))
    if pair.fused:
        check_pair(view, read(pair.fused))
    index, waist = recording["refractive_index"], recording["sheet_waist_um"]
    axial, lateral = detection_sigma_um(recording["detection_na"], recording["emission_um"], index)
    shape = turned(np.broadcast_to(np.uint8(0), view.shape), recording["light"], recording["depth"]).shape
    row = {
        "channel": CHANNELS.index(channel),
        "spacing_z_um": spacing[0],
        "spacing_xy_um": spacing[2],
        "sigma_axial_um": axial,
        "sigma_lateral_um": lateral,
        "sheet_waist_um": waist,
        "sheet_focus_um": recording["sheet_focus"] * (shape[2] - 1) * spacing[2],
        "rayleigh_um": rayleigh_um(waist, recording["illumination_um"], index),
        "fan": float(recording["fan"]),
        "read_noise": float(recording["read_noise"]),
        **dict(zip(SHAPE, shape)),
    }
    about = {"view": str(pair.view), "fused": str(pair.fused or ""), "channel": channel}
    about |= {"study": str(view.about.get("study", "")), **dict(zip(SHAPE, view.shape))}
    about |= dict(zip(("z_um", "y_um", "x_um"), spacing))
    return {**about, "outside": _outside({**recording, **row}, channel, spec["studies"])}, row


def _outside(stated, channel, studies):
    """What of a volume lies outside of the studies of its channel, in words."""
    same = [study for study in studies.values() if study["channel"] == channel]
    if not same:
        return f"no study of {channel}"
    found = []
    for key in TRAINED:
        low, high = min(lowest(study[key]) for study in same), max(highest(study[key]) for study in same)
        if not low * 0.99 <= stated[key] <= high * 1.01:
            found.append(f"{key} {stated[key]:g}, not {low:g} to {high:g}")
    return "; ".join(found)


def grey_values(volume: Frames) -> np.ndarray:
    """All voxels of a volume as they are stored, (z, y, x); RecordingError where they are not, or all the same."""
    grey = np.empty(volume.shape, volume.dtype)
    for i in range(len(volume)):
        grey[i] = volume[i]
    if grey.min() == grey.max():
        raise RecordingError(volume.file, "file", f"the grey value {grey.flat[0]} everywhere", "an image of a specimen")
    return grey


def _voxels(pair: Pair, recording):
    """Calibration of the camera from a view, its mean grey value, and the share of its voxels at the scale's end."""
    view = read(pair.view)
    grey = grey_values(view)
    if pair.fused:
        grey_values(read(pair.fused))
    every = -(-grey.size // ENOUGH)
    transfer = spatial_transfer(grey[::every], view.file, recording["gain"], recording["offset"])
    mean = float(grey.mean(dtype=float))
    if not transfer.offset < mean:
        expected = f"a dark level below the mean of {mean:.4g} ADU"
        raise RecordingError(view.file, "offset", f"{transfer.offset:g} ADU", expected)
    end = np.iinfo(grey.dtype).max if grey.dtype.kind in "ui" else np.inf
    return transfer, mean, float(np.mean(grey == end))


class _Views:
    """Grey values of all views as items have them, uint16 (n, z, y, x), read when they are asked for."""

    def __init__(self, found, recording, transfer, offset, shape):
        self.found, self.recording, self.transfer, self.offset = found, recording, transfer, offset
        self.shape = (len(found), *shape)

    def __len__(self):
        return len(self.found)

    def __getitem__(self, index):
        filled = np.zeros((len(self.found[index]), *self.shape[1:]), np.uint16)
        for target, pair in zip(filled, self.found[index]):
            grey = turned(self._item(pair.view), self.recording["light"], self.recording["depth"])
            target[tuple(map(slice, grey.shape))] = grey
        return filled

    def _item(self, file):
        """One ADU a photon above the dataset's offset; refused where the grey scale does not hold them."""
        grey = grey_values(read(file)).astype(np.float32)
        grey -= np.float32(self.transfer.offset)
        grey /= np.float32(self.transfer.gain)
        grey += np.float32(self.offset)
        np.rint(grey, out=grey)
        if not (top := float(grey.max())) <= SATURATION:  # NaN is none
            found = f"a voxel of {top - self.offset:.0f} photons"
            raise RecordingError(file, "gain", found, f"at most {SATURATION - self.offset}: a larger one")
        if (low := float(np.mean(grey < 0))) > LOST:
            found = f"{100 * low:.2g} % of the voxels more than {self.offset} photons darker"
            raise RecordingError(file, "offset", found, "the dark level")
        return np.maximum(grey, 0, out=grey).astype(np.uint16)


def view_of(items, i) -> np.ndarray:
    """Photons of an item as they were recorded, without what fills it up, (z, y, x) float32."""
    shape = items.items[list(SHAPE)].iloc[i]
    return items.images[i][tuple(map(slice, shape))].astype(np.float32) - np.float32(items.spec["imaging"]["offset"])


def fused_of(file, recording) -> np.ndarray:
    """Grey values of a fused volume, turned as the items are, float32."""
    return turned(grey_values(read(Path(file))), recording["light"], recording["depth"]).astype(np.float32)
