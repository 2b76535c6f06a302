"""How much memory a recording of this problem asks for."""

import math

WHOLE = True  # a volume is in memory at a time, and refused where it has no room
READ = 8  # times a volume of 8 bits: itself, what its gain is estimated from, what is left of it by a filter
MADE = 4  # times the volume that is made of it: itself, packed, and on its way to the disk
BYTES = 2  # of one of its voxels


def prepare_mb(recording, dataset, files_mb):
    """Memory of preparing a recording, beside that of Python, MB: that of the largest volume.

    Parameters
    ----------
    recording, dataset : entries of the configuration
    files_mb : size of each file; a voxel is taken to be a byte of it
    """
    cube = recording["diameter_um"] / dataset["imaging"]["diameter_px"]
    cubes = math.prod(recording["voxel_um"]) / cube**3  # that are made of a voxel
    return max(files_mb) / recording.get("points", 1) * (READ + MADE * BYTES * cubes)
