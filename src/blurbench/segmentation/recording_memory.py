"""How much memory a recording of this problem asks for."""

WHOLE = True  # an image is in memory at a time, and refused where it has no room
IMAGE = 10  # times an image of 8 bits: itself, and as grey levels in floats, twice
DIAMETER, MOST_MB = 45, 17  # times the part of an image that tells how large its objects are, and how large that is


def prepare_mb(recording, dataset, files_mb):
    """Memory of preparing a recording, beside that of Python, MB: that of the largest image.

    Parameters
    ----------
    recording, dataset : entries of the configuration
    files_mb : size of each file; a pixel is taken to be a byte of it
    """
    largest = max(files_mb)
    return IMAGE * largest + DIAMETER * min(largest, MOST_MB)
