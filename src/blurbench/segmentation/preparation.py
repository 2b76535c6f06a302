"""From files of images to items as methods take them: on one scale of grey levels, an image an item.

Images of a folder may differ in shape. A store holds items of one shape, so they are filled up with zeros at their far
ends, and `items` say how far each reaches (`blurbench.segmentation.items`). A file that is no image of cells keeps its
row in the survey, with the reason, and the others are measured.
"""

import logging

import numpy as np
import pandas as pd
from skimage.filters import threshold_otsu

from blurbench.files.answers import OK
from blurbench.files.logs import progress
from blurbench.microscopy.calibration import ESTIMATE, check_camera, check_positive
from blurbench.microscopy.photon_transfer import Transfer
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import schemas
from blurbench.running.preparation import write
from blurbench.segmentation.configuration import highest, lowest
from blurbench.segmentation.image_files import Pair, pairs, read, read_labels
from blurbench.segmentation.items import STAINS
from blurbench.segmentation.object_size import usual_diameter

AXES = {"y": (0.0, "pixel"), "x": (0.0, "pixel")}  # a pixel has no stated size
FOREGROUND = 140  # mean grey level of what is above Otsu's threshold in BBBC005's images, to which others are brought
NEAR = 0.1  # by which a usual diameter may miss those of the training, relatively: as it is known
DARK = 1  # percentile of an image that is taken for its dark level
TOP = 65535  # grey level, of uint16
STEPS = 4095  # into which an image is divided to find its threshold
FEWEST = 8  # grey levels that an image must span: else its scale was rounded away

log = logging.getLogger(__name__)


def settings(recording: dict) -> dict:
    """A recording's entry with the defaults of what it leaves out."""
    rules = schemas.of_recording("segmentation")["properties"]
    return {**{key: rule["default"] for key, rule in rules.items() if "default" in rule}, **recording}


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Write the images of a file or folder as a dataset without truth.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, one row per file: `image` and `truth` ("" where there is none); `status`, "ok" or why it is not measured;
    `item`, its number in the store, -1 if it is not there; shape, pixel type `dtype`, `gain` and `offset` by which it
    was brought to the store's grey levels, share of `saturated` pixels, `diameter_px` that methods are told, and what
    is `outside` of the dataset's ranges, in words.

    Raises
    ------
    RecordingError for an entry that cannot be used, and if no image can be measured.
    """
    recording = settings(recording)
    file = recording["file"]
    check_camera(recording, file)
    if "diameter_px" in recording:
        check_positive(recording, file, "diameter_px", "px")
    survey = pd.DataFrame([_judged(pair, recording, spec) for pair in progress(pairs(file), "read")])
    good = survey["status"] == OK
    for row in survey[~good].itertuples():
        log.warning("%s is not measured: %s", row.image, row.status)
    if not good.any():
        told = "\n".join(survey["status"])
        raise RecordingError(file, "file", "no image that can be measured", f"one at least:\n{told}")
    for row in survey[good & (survey["outside"] != "")].itertuples():
        log.warning("%s: methods were trained on other images: %s", row.image, row.outside)
    survey["item"] = np.where(good, good.cumsum() - 1, -1)
    measured = survey[good].reset_index(drop=True)
    items = measured[["diameter_px", "height_px", "width_px"]]
    items = items.assign(stain=STAINS.index(recording["stain"]), blur_px=float(recording["blur_px"]))
    shape = [int(items[side].max()) for side in ("height_px", "width_px")]
    spec = {**spec, "imaging": {**spec["imaging"], "shape_px": shape}}
    how = "given" if ESTIMATE not in (recording["gain"], recording["offset"]) else "median of what is each image's own"
    transfer = Transfer(float(measured["gain"].median()), float(measured["offset"].median()), how)
    images = _Images(measured, recording["polarity"], spec["imaging"]["offset"], shape)
    write(store, manifest, recording, spec, transfer, AXES, images, items, shard=1)
    return survey


def _judged(pair: Pair, recording, spec):
    """Row of the survey of one file."""
    row = {"image": str(pair.image), "truth": str(pair.truth or ""), "status": OK, "outside": ""}
    row |= {"height_px": 0, "width_px": 0}
    try:
        grey = read(pair.image)
        row |= {"height_px": grey.shape[0], "width_px": grey.shape[1], "dtype": str(grey.dtype)}
        if grey.min() == grey.max():
            raise RecordingError(pair.image, "file", f"the grey value {grey.flat[0]} everywhere", "an image of cells")
        if pair.truth:
            read_labels(pair.truth, grey.shape)
        row |= _scaled(pair.image, grey, recording, spec["imaging"]["offset"])
        row["outside"] = _outside(row["diameter_px"], recording, spec)
    except RecordingError as error:
        row["status"] = str(error)
    return row


def _scaled(file, grey, recording, dark):
    """By what an image is brought to the store's grey levels, and the diameter of its objects."""
    end = np.iinfo(grey.dtype).max if grey.dtype.kind in "ui" else np.inf
    row = {"saturated": float(np.mean(grey == end))}
    bright = _bright(grey, recording["polarity"])
    offset, gain = recording["offset"], recording["gain"]
    if offset == ESTIMATE:
        offset = float(np.percentile(bright, DARK))
    elif recording["polarity"] == "dark":
        offset = 0.0  # what was white
    mean = float(bright.mean(dtype=float))
    if not offset < mean:
        raise RecordingError(file, "offset", f"{offset:g} ADU", f"a dark level below the mean of {mean:.4g} ADU")
    if gain == ESTIMATE:
        gain = (_foreground(bright) - offset) / FOREGROUND
    levels = (bright - np.float32(offset)) / np.float32(gain)
    if levels.max() + dark > TOP:
        found = f"{gain:g}: a pixel of {levels.max():.0f} grey levels"
        raise RecordingError(file, "gain", found, f"one that leaves at most {TOP - dark}")
    if (span := float(np.ptp(levels))) < FEWEST:
        raise RecordingError(file, "gain", f"{gain:g}: a span of {span:.3g} grey levels", f"one that leaves {FEWEST}")
    row |= {"gain": float(gain), "offset": float(offset)}
    return {**row, "diameter_px": float(recording.get("diameter_px") or usual_diameter(levels))}


def _outside(diameter, recording, spec):
    """What of an image lies outside of what methods were trained on, in words."""
    trained, levels = spec["scene"][recording["stain"]]["diameter_px"], spec["imaging"]["blur_px"]
    stated = {"diameter_px": (diameter, lowest(trained) * (1 - NEAR), highest(trained) * (1 + NEAR))}
    stated["blur_px"] = (recording["blur_px"], min(levels), max(levels))
    return "; ".join(
        f"{key} {value:.3g}, not {low:.3g} to {high:.3g}"
        for key, (value, low, high) in stated.items()
        if not low <= value <= high
    )


def _bright(grey, polarity):
    """An image in float32 whose cells are brighter than what is around them."""
    grey = grey.astype(np.float32)
    return grey if polarity == "bright" else grey.max() - grey


def _foreground(image):
    """Mean of what is above Otsu's threshold.

    Of whole numbers: in floats the threshold is the middle of a bin, which may hold all of a background.
    """
    low, high = float(image.min()), float(image.max())
    steps = np.rint((image - low) * (STEPS / (high - low))).astype(np.uint16)
    return float(image[steps > threshold_otsu(steps)].mean(dtype=float))


class _Images:
    """All images as items have them, uint16 (n, y, x), read when they are asked for."""

    def __init__(self, files, polarity, dark, shape):
        self.files, self.polarity, self.dark = files, polarity, dark
        self.shape = (len(files), *shape)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        files = self.files.iloc[index]
        filled = np.zeros((len(files), *self.shape[1:]), np.uint16)
        for target, row in zip(filled, files.itertuples()):
            levels = (_bright(read(row.image), self.polarity) - np.float32(row.offset)) / np.float32(row.gain)
            target[: row.height_px, : row.width_px] = np.clip(np.rint(levels + self.dark), 0, TOP)
        return filled
