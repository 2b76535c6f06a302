"""How much memory a recording of this problem asks for."""

WHOLE = True  # a view is in memory at a time, and refused where it has no room
VIEW = 10  # times a view of 8 bits: itself, in photons, as counts of 16 bits and on its way to the disk


def prepare_mb(recording, dataset, files_mb):
    """Memory of preparing a recording, beside that of Python, MB: that of the view.

    Parameters
    ----------
    recording, dataset : entries of the configuration
    files_mb : size of each file; a voxel is taken to be a byte of it
    """
    return VIEW * max(files_mb)
