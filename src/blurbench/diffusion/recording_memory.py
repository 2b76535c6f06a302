"""How much memory a recording of this problem asks for."""

WHOLE = False  # a frame is in memory at a time, and how many stacks are cut shows when spots are found
CUT = 10  # times a movie of 8 bits that is full of spots: its stacks, as photons, counts and patches


def prepare_mb(recording, dataset, files_mb):
    """Memory of preparing a recording, beside that of Python, MB: that of the stacks of all movies.

    Parameters
    ----------
    recording, dataset : entries of the configuration
    files_mb : size of each file; a pixel is taken to be a byte of it
    """
    return CUT * sum(files_mb)
