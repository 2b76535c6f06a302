"""What a schema cannot say of a dataset or a recording of this problem, and how much memory its items need."""

import math

ARRAYS = 12  # float32 canvases that `simulate` holds at a time
BEYOND = 1.6  # how much larger a canvas is for its margins
TRUTHS = 6  # float32 volumes of an item's truth
SATURATION = 65535  # ADU, of uint16
TAIL = 6  # standard deviations of noise that must fit between the ends of the grey scale


def faults(dataset, memory_mb):
    """Faults of an expanded dataset entry.

    Parameters
    ----------
    dataset : dict
    memory_mb : int, MB that one job may use; None where it is not known

    Yields
    ------
    (key, found, expected), key relative to the dataset's entry.
    """
    imaging = dataset["imaging"]
    views, given = imaging["views"], imaging["views_given"]
    if views[0] != "front":
        yield "imaging.views", repr(views), "front as the first of them"
    if given > len(views):
        yield "imaging.views_given", repr(given), f"at most the {len(views)} of imaging.views"
    for name, study in dataset["studies"].items():
        yield from _study_faults(f"studies.{name}", study, imaging)
    if memory_mb and (need := simulate_mb(dataset)) > memory_mb:
        expected = f"fewer voxels: simulating a volume needs {need:.0f} MB, memory_mb allows {memory_mb}"
        yield "imaging.shape_px", repr(imaging["shape_px"]), expected


def _study_faults(where, study, imaging):
    for key, value in study.items():
        if isinstance(value, list):
            if value[0] > value[1]:
                yield f"{where}.{key}", repr(value), "[lo, hi] with lo not above hi"
            elif value[0] <= 0:
                yield f"{where}.{key}", repr(value), "[lo, hi] above 0: its logarithm is uniform"
    if highest(study["detection_na"]) >= lowest(study["refractive_index"]):
        yield f"{where}.detection_na", repr(study["detection_na"]), "less than refractive_index"
    if lowest(study["spacing_z_um"]) < highest(study["spacing_xy_um"]):
        yield f"{where}.spacing_z_um", repr(study["spacing_z_um"]), "µm, at least spacing_xy_um"
    noise = highest(study["read_noise"])
    if imaging["offset"] < TAIL * noise:
        yield "imaging.offset", repr(imaging["offset"]), f"ADU, at least {TAIL} SD of {where}.read_noise, {noise:g}"
    peak = 2 * highest(study["photons"])  # beyond the percentile that `photons` states
    brightest = imaging["offset"] + peak + TAIL * math.sqrt(peak + noise**2)
    if brightest > SATURATION:
        expected = f"photons whose grey values stay below {SATURATION} ADU; these reach {brightest:.0f}"
        yield f"{where}.photons", repr(study["photons"]), expected


def lowest(value):
    """The lower end of a range, or the number."""
    return value[0] if isinstance(value, list) else value


def highest(value):
    """The upper end of a range, or the number."""
    return value[1] if isinstance(value, list) else value


def recording_faults(recording, dataset):
    """Faults of a recording's entry that its schema lets pass: none."""
    return ()


def files(dataset):
    """Files that a dataset is made from, by their keys: none."""
    return {}


def simulate_mb(dataset):
    """Memory of what `simulate` holds of an item, MB: canvases finer than the volume, its views and its truth."""
    volume = 4 * math.prod(dataset["imaging"]["shape_px"]) / 1e6
    finest = max(map(_planes, dataset["studies"].values()))
    return volume * (ARRAYS * finest * BEYOND + TRUTHS + 2 * len(dataset["imaging"]["views"]))


def _planes(study):
    """Most planes of a canvas for each of the volume's, as `canvas` has them."""
    return math.ceil(highest(study["spacing_z_um"]) / lowest(study["spacing_xy_um"]))


def item_mb(dataset):
    """Memory of the given views of one item, MB."""
    return 2 * math.prod(dataset["imaging"]["shape_px"]) * dataset["imaging"]["views_given"] / 1e6
