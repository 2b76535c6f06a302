"""How much memory a recording of blobs asks for."""

WHOLE = False  # a frame is in memory at a time


def prepare_mb(recording, dataset, files_mb):
    """Memory of preparing a recording, beside that of Python, MB: a file and its frames as float32."""
    return 5 * max(files_mb)
