"""What a file says of the image in it, and how a part of that is read: the same of every format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blurbench.microscopy.metadata import Stated
from blurbench.microscopy.recording_error import RecordingError


@dataclass
class StoredImage:
    """An image in an open file, none of whose pixels were read.

    axes : a letter for each axis of the array; C and S are colours, a letter that is none of these and of t, z, y, x is
        an axis without a meaning
    shape, dtype : of the array
    part : function (an integer for each axis, and all of y and x) that reads what lies there
    stated, about : calibration, and what else is written into the file
    chunk : shape of what is read from the disk at once, where that is more than the part
    fill : value of what was never written; None where a file that lacks it cannot be read
    close : function that closes the file
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    part: Callable[[tuple], np.ndarray] = field(repr=False)
    stated: Stated = field(default_factory=Stated)
    about: dict[str, Any] = field(default_factory=dict, repr=False)
    chunk: tuple[int, ...] | None = None
    fill: Any = None
    close: Callable[[], None] = field(default=lambda: None, repr=False)


def chosen(path, found: list[tuple[str, tuple[int, ...]]], series: int | str | None) -> int:
    """Number of the image that is asked for, or of the only one.

    Parameters
    ----------
    found : name and shape of each image of a file
    series : number, from 0, or name; None for the only one

    Raises
    ------
    RecordingError that names them all, where there is none such or several.
    """
    names = [name for name, _ in found]
    if series is None and len(found) == 1:
        return 0
    if isinstance(series, int) and 0 <= series < len(found):
        return series
    if isinstance(series, str) and names.count(series) == 1:
        return names.index(series)
    known = ", ".join(f"{i} ({name}, {shape})" for i, (name, shape) in enumerate(found))
    asked = f"{len(found)} images" if series is None else repr(series)
    raise RecordingError(path, "series", asked, f"the number or the name of one of its images: {known}")
