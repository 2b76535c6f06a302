"""What the metadata of an OME-TIFF say of its images, and whether the planes that they promise are there.

tifffile gives black planes for those that are in no file, and takes memory for as many as the metadata name; both are
judged here before it is asked for a series.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from blurbench.microscopy.recording_error import RecordingError

SIZES = ("SizeZ", "SizeC", "SizeT")


def images(tiff) -> list[dict[str, Any]]:
    """Metadata of every image of an open OME-TIFF, in their order; none where they stand in another file.

    Raises RecordingError if they are no XML that can be read.
    """
    return _listed(_root(tiff).get("Image"))


def check_planes(tiff) -> None:
    """Refuse an OME-TIFF that holds fewer planes than its metadata promise.

    Raises
    ------
    RecordingError that names a file which is not there, or both numbers of planes; for sizes that are no numbers.
    """
    path, root = Path(tiff.filehandle.path), _root(tiff)
    found, promised, others = len(tiff.pages), 0, set()
    samples = tiff.pages[0].samplesperpixel
    for image in _listed(root.get("Image")):
        pixels = image.get("Pixels") if isinstance(image, dict) else None
        pixels = pixels if isinstance(pixels, dict) else {}
        try:
            sizes = [int(pixels[key]) for key in SIZES]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RecordingError(
                path, "OME metadata", f"no number of planes ({error})", f"{', '.join(SIZES)}"
            ) from None
        promised += int(np.prod(sizes, dtype=object)) // samples
        for part in _listed(pixels.get("TiffData")):
            uuid = part.get("UUID") if isinstance(part, dict) else None
            if isinstance(uuid, dict) and "FileName" in uuid and uuid.get("value") != root.get("UUID", ""):
                others.add(str(uuid["FileName"]))
    for name in sorted(others - {path.name}):
        other = path.with_name(Path(name).name)
        if not other.is_file():
            raise RecordingError(path, "file", f"no {name} beside it", "every file of this OME-TIFF")
        with tifffile.TiffFile(other) as more:
            found += len(more.pages)
    if found < promised:
        expected = f"{promised}, as its OME metadata say: the recording was stopped early, or a part is lost"
        raise RecordingError(path, "planes", found, expected)


def plane_times(pixels: dict[str, Any], seconds: dict[str, float]) -> tuple[float | None, float | None]:
    """Median time from plane to plane and median exposure, s, as the planes of an image state them; None if not.

    seconds : s of each unit of time
    """
    planes = [plane for plane in _listed(pixels.get("Plane")) if isinstance(plane, dict)]
    first = [plane for plane in planes if plane.get("TheZ", 0) == plane.get("TheC", 0) == 0]

    def stated(plane, key):
        scale = seconds.get(str(plane.get(f"{key}Unit", "s")))
        value = plane.get(key)
        return float(value) * scale if isinstance(value, (int, float)) and scale else np.nan

    begun = np.array([stated(plane, "DeltaT") for plane in sorted(first, key=lambda one: one.get("TheT", 0))])
    exposed = np.array([stated(plane, "ExposureTime") for plane in first])
    return median(np.diff(begun)), median(exposed)


def median(values) -> float | None:
    """Of times that are all known and above 0, else None."""
    known = values[np.isfinite(values) & (values > 0)]
    return float(np.median(known)) if len(known) and len(known) == len(values) else None


def _root(tiff):
    try:
        root = tifffile.xml2dict(tiff.ome_metadata)["OME"]
    except Exception as error:  # whatever the parser raises
        found = f"XML that cannot be read ({error})"
        raise RecordingError(tiff.filehandle.path, "OME metadata", found, "whole OME-XML") from error
    return root if isinstance(root, dict) else {}


def _listed(value):
    """What an element holds once or several times, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
