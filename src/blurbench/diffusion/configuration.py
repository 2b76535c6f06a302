"""What a schema cannot say of a dataset or a recording of this problem, and how much memory its items need."""

from pathlib import Path

SHARD = 256  # items that `simulate` holds at a time, and a shard: some 30 MB at the `report` setting
CONTINUOUS = "continuous"  # `substeps` where each photon has a moment of its own
# Keys of `imaging` that say in what the images differ from the microscope that methods are told.
MISTAKES = ("psf_wider", "defocus_um", "blinking", "background_gradient", "second_molecule_um", "corral_um")
MOMENTS = 10  # per exposure, at which the truth of a continuous path is kept


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
    ranges = {f"imaging.{key}": imaging[key] for key in ("photons", "background", "frame_time_s", "frames")}
    ranges |= {"imaging.psf.fwhm_um": imaging["psf"].get("fwhm_um"), "D_um2_s": dataset["D_um2_s"]}
    for key, value in ranges.items():
        if isinstance(value, list) and value[0] > value[1]:
            yield key, repr(value), "[lo, hi] with lo not above hi"
    longest = _highest(imaging["frame_time_s"])
    if imaging["exposure_s"] > longest:
        yield "imaging.exposure_s", repr(imaging["exposure_s"]), f"s, at most the longest frame time of {longest:g}"
    low, high = min(dataset["D_um2_s"]), max(dataset["D_um2_s"])
    outside = [D for D in dataset["test_D_um2_s"] if not low <= D <= high]
    if outside and "train" in dataset["splits"]:  # a dataset that uses the models of another may go beyond their range
        yield "test_D_um2_s", repr(outside), f"values in the training range D_um2_s of [{low:g}, {high:g}] µm²/s"
    if 2 * imaging["start_spread_px"] > imaging["size_px"]:
        yield (
            "imaging.start_spread_px",
            repr(imaging["start_spread_px"]),
            f"pixels, at most half of the field of {imaging['size_px']}",
        )
    if imaging["camera"]["saturation"] <= imaging["camera"]["offset"]:
        yield (
            "imaging.camera.saturation",
            repr(imaging["camera"]["saturation"]),
            f"ADU, above the offset of {imaging['camera']['offset']}",
        )
    if isinstance(imaging["substeps"], str) and imaging["substeps"] != CONTINUOUS:
        yield "imaging.substeps", repr(imaging["substeps"]), f"a whole number, or the word {CONTINUOUS}"
    wrong = [key for key in MISTAKES if key in imaging] + (["cue"] if "cue" in dataset else [])
    if len(wrong) > 1:
        yield "imaging", ", ".join(wrong), "one way at most in which the images differ from the stated microscope"
    psf = imaging["psf"]
    if (
        psf["kind"] == "airy"
        and psf["wavelength_um"] * 0.51 / psf["na"] > imaging["size_px"] * imaging["pixel_size_um"]
    ):
        yield "imaging.psf.wavelength_um", repr(psf["wavelength_um"]), "µm, a PSF narrower than the field"
    if memory_mb and (need := simulate_mb(dataset)) > memory_mb:
        key = "substeps" if _path_mb(imaging) > item_mb(dataset) else "size_px"
        yield (
            f"imaging.{key}",
            repr(imaging[key]),
            f"fewer: {SHARD} stacks need {need:.0f} MB, memory_mb allows {memory_mb}",
        )


def recording_faults(recording, dataset):
    """Faults of a recording's entry that its schema lets pass.

    Parameters
    ----------
    recording : dict
    dataset : dict, the expanded entry of the dataset whose models apply

    Yields
    ------
    (key, found, expected), key relative to the recording's entry.
    """
    exposure, tracking = recording["exposure_s"], recording["tracking"]
    if exposure > recording["frame_time_s"]:
        yield "exposure_s", repr(exposure), f"s, at most the frame time of {recording['frame_time_s']}"
    if tracking["diameter_px"] % 2 == 0:
        yield "tracking.diameter_px", repr(tracking["diameter_px"]), "an odd number"
    if isinstance(tracking["minmass"], str) and tracking["minmass"] != "auto":
        yield "tracking.minmass", repr(tracking["minmass"]), "a number of photons, or the word auto"
    # A window without a second spot then holds all that its spot could be mistaken for.
    if tracking["search_range_px"] > (half := dataset["imaging"]["size_px"] / 2):
        yield (
            "tracking.search_range_px",
            repr(tracking["search_range_px"]),
            f"pixels, at most {half:g}, half of a stack",
        )
    psf = recording.get("psf", {})
    if isinstance(psf.get("fwhm_um"), list):
        yield "psf.fwhm_um", repr(psf["fwhm_um"]), "µm, a number; `known_to` says how well it is known"
    if psf.get("kind") == "image" and not Path(psf["file"]).is_file():
        yield "psf.file", repr(psf["file"]), "a file that exists, seen from the working directory"


def moments(imaging):
    """Moments per exposure at which the molecule's position is drawn first, and kept as truth."""
    return imaging["substeps"] if isinstance(imaging["substeps"], int) else MOMENTS


def files(dataset):
    """Files that a dataset is made from, by their keys: a measured PSF, if it has one."""
    psf = dataset["imaging"]["psf"]
    return {"imaging.psf.file": psf["file"]} if psf["kind"] == "image" else {}


def simulate_mb(dataset):
    """Memory of the stacks that `simulate` holds at a time, with their paths, MB."""
    return SHARD * (item_mb(dataset) + _path_mb(dataset["imaging"]))


def item_mb(dataset):
    """Memory of one stack, MB."""
    imaging = dataset["imaging"]
    return 2 * _highest(imaging["frames"]) * imaging["size_px"] ** 2 / 1e6  # uint16


def _highest(value):
    """Upper end of a range, or the value itself."""
    return max(value) if isinstance(value, list) else value


def _path_mb(imaging):
    return 8 * _highest(imaging["frames"]) * moments(imaging) / 1e6  # two float32 per position
