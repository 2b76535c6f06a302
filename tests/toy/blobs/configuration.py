"""What a schema cannot say of a dataset or a recording of blobs, and how much memory its items need."""

SHARD = 64  # images that `simulate` holds at a time


def faults(dataset, memory_mb):
    """Faults of an expanded dataset entry: (key, found, expected) each."""
    if dataset["blobs"] > dataset["size_px"] ** 2:
        yield "blobs", repr(dataset["blobs"]), "at most one a pixel"


def recording_faults(recording, dataset):
    """Faults of a recording's entry that its schema lets pass: none."""
    return ()


def files(dataset):
    """Files that a dataset is made from, by their keys: none."""
    return {}


def simulate_mb(dataset):
    """Memory of the images that `simulate` holds at a time, MB: each with its truth."""
    return SHARD * 2 * item_mb(dataset)


def item_mb(dataset):
    """Memory of one image, MB."""
    return 4 * dataset["size_px"] ** 2 / 1e6  # float32
