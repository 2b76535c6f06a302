"""What a schema cannot say of a dataset or a recording of this problem, and how much memory its items need."""

import math

INSET = 0.75  # diameters: finders miss spheres nearer to a face; for a recording that states none
LARGEST_PHI = 0.55  # beyond, no packing comes to equilibrium in an affordable number of sweeps
SMALLEST = 3  # voxels: of a sphere of fewer across, no finder tells the centre
TOLERANCE = 0.01  # relative: how far beyond the models' range a blur may lie
THINNEST = 3  # diameters: a thinner volume holds no sphere that is clear of its faces
SATURATION = 65535  # ADU, of uint16
CANVAS = 2.5  # diameters that a canvas reaches beyond a volume, as if the SD of the PSF were a radius
SHARD_MB = 30  # of volumes that are written at a time
TAIL = 6  # standard deviations of noise that must fit between the ends of the grey scale
RANGES = {"phi": "test_phi", "particle_size_um": "test_particle_size_um", "cnr": "test_cnr"}


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
    for key in RANGES:
        yield from _order(key, dataset[key])
    yield from _order("imaging.brightness", imaging["brightness"])
    for key, test in RANGES.items():
        low, high = min(dataset[key]), max(dataset[key])
        # A grid value that is written with fewer digits than the end of the range it stands on is not outside.
        if outside := [v for v in dataset[test] if not low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]:
            yield test, repr(outside), f"values in the training range {key} of [{low:g}, {high:g}]"
    for key in ("phi", "test_phi"):
        if (highest := max(dataset[key])) > LARGEST_PHI:
            yield key, repr(highest), f"volume fractions up to {LARGEST_PHI}: beyond, no packing comes to equilibrium"
    snr, contrasts = imaging["snr"], [*dataset["cnr"], *dataset["test_cnr"]]
    if snr < max(contrasts):
        yield "imaging.snr", repr(snr), f"at least the highest CNR of {max(contrasts):g}: no background is negative"
    dimmest = min(_ends(imaging["brightness"]))
    if dimmest < snr**2:
        yield (
            "imaging.brightness",
            repr(imaging["brightness"]),
            f"photons, at least snr² = {snr**2:g}: shot noise alone takes the rest",
        )
    else:
        yield from clipping(imaging)
    thinnest = THINNEST * imaging["diameter_px"] * (1 + 3 * imaging["polydispersity"])
    if min(imaging["shape_px"]) < thinnest:
        yield "imaging.shape_px", repr(imaging["shape_px"]), f"voxels, at least three spheres' {thinnest:g} a side"
    if memory_mb and (need := simulate_mb(dataset)) > memory_mb:
        yield (
            "imaging.shape_px",
            repr(imaging["shape_px"]),
            f"fewer voxels: a volume and its shard need {need:.0f} MB, memory_mb allows {memory_mb}",
        )


def _order(key, value):
    if isinstance(value, list) and value[0] > value[1]:
        yield key, repr(value), "[lo, hi] with lo not above hi"


def _ends(value):
    """Both ends of a range, or the value itself."""
    return value if isinstance(value, list) else [value]


def read_noise(brightness, snr):
    """SD of the read noise, photons, that leaves `snr` beside the shot noise of `brightness` photons."""
    spread = brightness / snr
    return math.sqrt(max(spread * spread - brightness, 0.0))


def clipping(imaging):
    """Faults of settings at which grey values would be cut off at 0 or SATURATION."""
    brightest = float(max(_ends(imaging["brightness"])))
    spread = TAIL * read_noise(brightest, imaging["snr"])
    if imaging["offset"] < spread:
        yield "imaging.offset", repr(imaging["offset"]), f"ADU, at least {TAIL} SD of the read noise, {spread:.0f}"
    peak = brightest * (1 + TAIL * imaging["brightness_sd"]) * imaging.get("aggregate_light", 1.0)
    highest = imaging["offset"] + peak + TAIL * math.sqrt(peak + (spread / TAIL) ** 2)
    if highest > SATURATION:
        yield (
            "imaging.brightness",
            repr(imaging["brightness"]),
            f"photons whose grey values stay below {SATURATION} ADU; these reach {highest:.0f}",
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
    diameter, voxel = recording["diameter_um"], max(recording["voxel_um"])
    if diameter < SMALLEST * voxel:
        yield "diameter_um", repr(diameter), f"µm, at least {SMALLEST} voxels, whose longest side is {voxel:g} µm"
    psf = dataset["imaging"]["psf"]
    if psf["kind"] == "gaussian":
        yield from blur_faults(recording, psf["sigma_um"], dataset["particle_size_um"])


def blur_faults(recording, sigma_um, particle_size_um):
    """Faults of a recording whose spheres are blurred more or less than those that the models were trained on.

    Parameters
    ----------
    recording : dict
    sigma_um : (3,), standard deviations of the dataset's PSF; the recording's too, if it states none
    particle_size_um : the dataset's range
    """
    diameter, dataset = recording["diameter_um"], recording["dataset"]
    stated = recording.get("psf_sigma_um", sigma_um)
    for axis, own, trained in zip("zyx", stated, sigma_um):
        low, high = trained / max(particle_size_um), trained / min(particle_size_um)
        if not low * (1 - TOLERANCE) <= own / diameter <= high * (1 + TOLERANCE):
            whose = "" if "psf_sigma_um" in recording else " as in the dataset"
            yield (
                "psf_sigma_um",
                f"{own:g} µm along {axis}{whose}, {own / diameter:.3f} diameters",
                f"{low:.3f} to {high:.3f} diameters, {low * diameter:.3g} to {high * diameter:.3g} µm, "
                f"as the models of the dataset {dataset} were trained on",
            )


def files(dataset):
    """Files that a dataset is made from, by their keys: a measured PSF, if it has one."""
    psf = dataset["imaging"]["psf"]
    return {"imaging.psf.file": psf["file"]} if psf["kind"] == "image" else {}


def simulate_mb(dataset):
    """Memory of the volumes that `simulate` holds at a time, MB.

    A shard of them, and float32 canvases that reach as far beyond one as a PSF of an SD of half a diameter.
    """
    imaging = dataset["imaging"]
    margin = CANVAS * imaging["diameter_px"]
    canvas = math.prod(side + 2 * margin for side in imaging["shape_px"])
    return max(item_mb(dataset), SHARD_MB) + 2 * 4 * canvas / 1e6


def item_mb(dataset):
    """Memory of one volume, MB."""
    return 2 * math.prod(dataset["imaging"]["shape_px"]) / 1e6
