"""What a file says of the image in it, and how a part of that is read: the same of every format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blurbench.microscopy.metadata import Stated


@dataclass
class StoredImage:
    """An image in an open file, none of whose pixels were read.

    axes : a letter for each axis of the array; C and S are colours, a letter that is none of these and of t, z, y, x is
        an axis without a meaning
    shape, dtype : of the array
    part : function (an integer or a slice for each axis) that reads what lies there
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
