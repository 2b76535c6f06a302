"""A recording's volume as methods expect it, and back: the sheet goes to larger x, the objective is at z = 0."""

import numpy as np


def turned(volume, light: str, depth: str) -> np.ndarray:
    """A volume (z, y, x) of the microscope as methods expect it.

    light : "+x", "-x", "+y" or "-y", axis and direction of the sheet;  depth : "+z" or "-z", where it is deeper
    """
    if light[1] == "y":
        volume = volume.swapaxes(1, 2)
    return volume[:: _step(depth), :, :: _step(light)]


def turned_back(volume, light: str, depth: str) -> np.ndarray:
    """The inverse of `turned`."""
    volume = volume[:: _step(depth), :, :: _step(light)]
    return volume.swapaxes(1, 2) if light[1] == "y" else volume


def _step(direction):
    return 1 if direction[0] == "+" else -1
