"""Stacks that are already cut, of one molecule each, side by side as one movie.

What finds, links and measures spots in a movie does so in it as well. Around each stack lies a margin, so that a window
about its molecule meets no other stack's: the stack again, from its other side on, as a mirror image would make noise
at the edge look like spots.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blurbench.microscopy.frames import LIMIT_MB, Frames, natural, read
from blurbench.microscopy.recording_error import RecordingError

MARGIN = 8  # pixels
STATED = "pixel_size_um", "frame_time_s", "row_um", "exposure_s"


@dataclass
class Mosaic(Frames):
    """A movie (t, y, x) of stacks in rows of `across`; names : of their files, in the order of the rows."""

    names: tuple[str, ...] = ()
    across: int = 1

    @property
    def tile(self):
        """Sides (y, x) of a stack with its margin, pixels."""
        return np.array(self.shape[1:]) // (len(self.names) // self.across, self.across)

    def places(self, positions):
        """Number of the stack at each position (n, 2) in the movie, pixels, and the position in that stack."""
        tile = np.floor_divide(np.asarray(positions) + 0.5, self.tile).astype(int)
        return tile[:, 0] * self.across + tile[:, 1], positions - tile * self.tile - MARGIN


def read_stacks(folder, array=None) -> Mosaic:
    """Open a folder of stacks (t, y, x), one molecule in each file; `array` is the path in each where they are HDF5.

    Raises
    ------
    RecordingError for what `frames.read` refuses of a file, if there is no folder or no file in it, if stacks are of
    different shapes or calibrations, or more than memory holds.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordingError(folder, "file", "no folder", "a folder of stacks, as the entry says `stacks: true`")
    files = sorted((f for f in folder.iterdir() if not f.name.startswith(".")), key=natural)
    if not files:
        raise RecordingError(folder, "file", "an empty folder", "stacks of one molecule each")
    opened = [read(file, array=array) for file in files]
    first = opened[0]
    for one in opened:
        for key in ("shape", *STATED):
            found, expected = getattr(one, key), getattr(first, key)
            if found != expected:
                raise RecordingError(one.file, key, found, f"{expected} as in {files[0].name}")
    if (size := len(files) * math.prod(map(float, first.shape)) * first.dtype.itemsize / 1e6) > LIMIT_MB:
        raise RecordingError(folder, "size", f"{size:.4g} MB of stacks", f"at most {LIMIT_MB} MB: fewer at a time")
    stacks = np.stack([[one[i] for i in range(len(one))] for one in opened])
    edges = [(0, 0), (0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)]
    stacks = np.pad(stacks, edges, mode="wrap")
    n, t, *sides = stacks.shape
    across = max(k for k in range(1, math.isqrt(n) + 1) if n % k == 0)
    whole = stacks.reshape(n // across, across, t, *sides).transpose(2, 0, 3, 1, 4)
    movie = whole.reshape(t, n // across * sides[0], across * sides[1])
    stated = {key: getattr(first, key) for key in STATED}
    names = tuple(file.name for file in files)
    return Mosaic(str(folder), movie.shape, movie.dtype, lambda i: movie[i], names=names, across=across, **stated)
