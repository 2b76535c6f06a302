"""Files of single images of cells, and of their labels: read, judged, written."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from skimage.io import imread, imsave

from blurbench.files import on_disk
from blurbench.microscopy.frames import TIFF, check_size, natural
from blurbench.microscopy.recording_error import RecordingError

SUFFIXES = (*TIFF, ".png", ".jpg", ".jpeg", ".bmp")
LABELS, MASK = "_labels", "_mask"  # what the names of truths end with
IMAGE_OF = {"mask": "img"}  # names that begin so are the truths of those that begin otherwise, as mask2d of img2d


class Pair(NamedTuple):
    """The file of an image and that of its true labels, or of its mask; None where there is none."""

    image: Path
    truth: Path | None


def pairs(path) -> list[Pair]:
    """The images in a folder, in natural order, or the one that is named; each with its truth.

    Raises RecordingError if there is no such file, or none in the folder.
    """
    path = Path(path)
    if not path.exists():
        raise RecordingError(path, "file", "nothing there", f"an image ({', '.join(SUFFIXES)}) or a folder of them")
    folder = path.parent if path.is_file() else path
    files = [file for file in sorted(folder.iterdir(), key=natural) if file.suffix.lower() in SUFFIXES]
    stems = {file.stem for file in files}
    truths = {image: file for file in files if (image := _image_of(file.stem, stems))}
    if path.is_file():
        return [Pair(path, truths.get(path.stem))]
    images = {file.stem: file for file in files if file not in truths.values()}
    if not images:
        raise RecordingError(path, "file", "no image in the folder", f"files that end with {', '.join(SUFFIXES)}")
    if len(images) + len(truths) < len(files):  # answers are called after them
        twice = [file.name for file in files if file not in {*images.values(), *truths.values()}]
        raise RecordingError(path, "file", f"{', '.join(twice)} beside a file of that name", "one image of a name")
    return [Pair(file, truths.get(stem)) for stem, file in images.items()]


def _image_of(stem, stems):
    """Name of the image, among those there, that a file is the truth of; None if it is an image itself."""
    for end in (LABELS, MASK):
        if stem.endswith(end):
            return stem.removesuffix(end)
    others = (image + stem.removeprefix(mask) for mask, image in IMAGE_OF.items() if stem.startswith(mask))
    return next((other for other in others if other in stems), None)


def read(file) -> np.ndarray:
    """The grey values of one image, (y, x) of the file's type.

    Raises
    ------
    RecordingError for a file that cannot be read, has no pixels, several planes or colours, no real numbers, a NaN or
    an infinite value, or that declares more than memory holds.
    """
    file = Path(file)
    if found := on_disk.odd(file):
        raise RecordingError(file, "file", found, "an image")
    try:
        grey = _tiff(file) if file.suffix.lower() in TIFF else imread(file)
    except RecordingError:
        raise
    except Exception as error:  # whatever a damaged file raises in the decoder
        raise RecordingError(file, "file", f"no image that can be read ({error})", "a whole file") from error
    if grey.ndim == 3 and grey.shape[-1] in (2, 3, 4):
        found = f"{grey.shape[-1]} channels (RGB or several colours)"
        raise RecordingError(file, "channels", found, "one grey channel: keep the one that shows the cells")
    if grey.ndim != 2:
        raise RecordingError(file, "axes", f"the shape {grey.shape}", "one plane (y, x)")
    if grey.dtype.kind not in "uif":
        raise RecordingError(file, "pixel type", grey.dtype, "whole or floating-point numbers")
    if not grey.size:
        raise RecordingError(file, "file", f"an image of shape {grey.shape}", "pixels")
    if grey.dtype.kind == "f" and (bad := int((~np.isfinite(grey)).sum())):
        raise RecordingError(file, "file", f"{bad} pixels that are NaN or infinite", "numbers everywhere")
    return grey


def _tiff(file):
    """The first series of a TIFF without axes of one pixel, judged by its header before any memory is asked for."""
    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        check_size(file, series.shape, series.dtype, "picture")
        grey = series.asarray()
        kept = [n for n, axis in zip(grey.shape, series.axes) if n > 1 or axis in "YX"]
        grey = grey.reshape(kept)
        return np.moveaxis(grey, 0, -1) if "S" in series.axes[:1] and grey.ndim == 3 else grey  # planar colours


def read_labels(file, shape) -> np.ndarray:
    """True labels (y, x) of an image of that shape; RecordingError where they are none."""
    labels = read(file)
    if labels.dtype.kind == "f" or labels.min() < 0:
        raise RecordingError(
            file, "pixel type", f"{labels.dtype} from {labels.min()}", "whole numbers, 0 in the background"
        )
    if labels.shape != shape:
        raise RecordingError(file, "shape", labels.shape, f"{shape} as of its image")
    return labels


def are_instances(file, labels) -> bool:
    """Whether each cell has a number of its own: as the name says it, or because there are several numbers."""
    return Path(file).stem.endswith(LABELS) or len(np.unique(labels)) > 2


def write_labels(path, labels) -> None:
    """Write labels as a compressed TIFF, of 16 bits where they fit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = labels.astype(np.promote_types(np.min_scalar_type(labels.max()), np.uint16))
    tifffile.imwrite(path, labels, compression="zlib", photometric="minisblack")


def write_picture(path, picture) -> None:
    """Write a picture uint8 (y, x, 3) as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, picture, check_contrast=False)
