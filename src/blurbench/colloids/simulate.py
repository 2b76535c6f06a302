"""Volumes of dense spheres with their centres: one equilibrated packing and one image for every item.

Every packing is a run of its own in a periodic box that is two diameters longer than the volume on every axis, so that
no sphere is seen twice in a volume and the spheres that blur into it from outside are there. The volume is not turned
against the box: runs know no direction but the box's, so a turn by a symmetry of the cube gives a packing of the same
law, and any other turn would show a sphere twice or need a box several times larger.

One definition of contrast holds throughout. A voxel well inside a sphere expects f photons (`brightness`), one outside
expects b, and σ is the standard deviation of the noise at f: shot noise and read noise together. SNR = f/σ and
CNR = (f - b)/σ. Hence σ = f/SNR, b = f (1 - CNR/SNR), and the read noise has a variance of f²/SNR² - f. Blur, spread of
brightness and bleaching come on top: signal, background and noise are *measured* on every image beside.
"""

import math
from copy import deepcopy

import numpy as np
import pandas as pd
from numba import njit

from blurbench.colloids import packing, physics
from blurbench.colloids.configuration import SHARD_MB, clipping, item_mb, read_noise
from blurbench.colloids.imaging import FAR, INSIDE, blur, draw_spheres, kept, regions
from blurbench.files.datasets import Simulated
from blurbench.microscopy.camera import detect
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.microscopy.random_streams import key, normal, stream, uniform
from blurbench.planning.defaults import stated

DEFAULTS = stated("colloids", "imaging")
AXES = ["item", "z", "y", "x"]
MARGIN = 1.0  # diameters by which the box reaches beyond the volume on every side
MELTING = 0.545  # volume fraction above which the stable phase is the crystal
GATED_PHI, CONTACT_TOLERANCE, MOST_CRYSTAL = 0.5, 0.03, 0.02
MOST_GROUPS = 16  # different volume fractions up to which each is a group of its own
AGGREGATE = 1.5  # diameters about a random place within which spheres are an aggregate
PARAMETERS, BRIGHTNESS, NOISE, AGGREGATED = range(4)  # purposes of an item's random streams


def imaging(spec: dict) -> dict:
    """`spec` with what it leaves out filled from DEFAULTS. Raises ValueError for a key that they do not have."""
    if unknown := set(spec) - set(DEFAULTS):
        raise ValueError(f"imaging: {sorted(unknown)} unknown, expected {sorted(DEFAULTS)}")
    return deepcopy({**DEFAULTS, **spec})


def draw_parameters(spec: dict, split: str, stream_key: int) -> pd.DataFrame:
    """What each item of a split is: volume fraction, particle size, contrast and brightness, one row an item.

    The test split goes over its grid again and again, so a smaller test set is the beginning of a larger one. The
    others draw from their ranges: `phi` uniform, the size such that the width of the PSF in diameters is uniform, CNR
    log-uniform. A range of `brightness` is log-uniform in all of them.
    """
    full = spec["imaging"]
    if split == "test":
        grid = [(p, s, c) for p in spec["test_phi"] for s in spec["test_particle_size_um"] for c in spec["test_cnr"]]
        phi, size, cnr = np.tile(np.array(grid, float), (spec["items"]["test"], 1)).T
        u = _uniforms(stream_key, len(phi))
    else:
        u = _uniforms(stream_key, spec["items"][split])
        phi = spec["phi"][0] + (spec["phi"][1] - spec["phi"][0]) * u[:, 0]
        wide, narrow = 1 / spec["particle_size_um"][0], 1 / spec["particle_size_um"][1]
        size = 1 / (narrow + (wide - narrow) * u[:, 1])
        cnr = _log_uniform(spec["cnr"], u[:, 2])
    brightness = _log_uniform(np.broadcast_to(np.asarray(full["brightness"], float), 2), u[:, 3])
    return pd.DataFrame({"phi": phi, "particle_size_um": size, "cnr": cnr, "brightness": brightness})


def _log_uniform(limits, u):
    low, high = map(float, limits)
    return low * (high / low) ** u


@njit(cache=True)
def _uniforms(stream_key, n):
    """Four uniform numbers for each of n items."""
    out = np.empty((n, 4))
    for i in range(n):
        s = stream(stream_key, i, PARAMETERS)
        for j in range(4):
            out[i, j] = uniform(s)
    return out


def volume(parameters: dict, imaging: dict, stream_key: int, item: int):
    """One item: its image, its row of the table and its truth.

    Parameters
    ----------
    parameters : dict of phi, particle_size_um, cnr and brightness
    imaging : dict, complete
    stream_key, item : name the random streams

    Returns
    -------
    image : uint16 (z, y, x);  row : dict
    centres : (n, 3) in µm from the centre of the first voxel, of every sphere that reaches into the volume
    diameters : (n,) µm
    """
    shape, per_diameter = np.array(imaging["shape_px"]), imaging["diameter_px"]
    spread, snr, f = imaging["polydispersity"], imaging["snr"], parameters["brightness"]
    voxel = parameters["particle_size_um"] / per_diameter
    background = f * (1 - parameters["cnr"] / snr)
    read = float(read_noise(f, snr))

    box = packing.fitted_box(parameters["phi"], shape / per_diameter + 2 * MARGIN, 1.0, spread)
    if imaging["empty"]:
        packed, fraction = packing.nothing(box), 0.0
    else:
        packed, fraction = packing.pack(parameters["phi"], box, 1.0, key(stream_key, item), spread), parameters["phi"]
    centres = (packed.centres - box / 2) * per_diameter + (shape - 1) / 2
    radii = packed.diameters * per_diameter / 2

    psf = psf_on_voxels(imaging["psf"], voxel)  # as methods are told
    true_psf = psf_on_voxels(imaging["psf"], voxel / (1 + imaging["psf_error"]))
    # A sphere's own light spreads, not that of the background in it, which at a low CNR is most of what a voxel gets.
    light = 1 + imaging["brightness_sd"] * _normal_numbers(stream(stream_key, item, BRIGHTNESS), len(centres))
    light = (f - background) * np.maximum(light, 0)
    if imaging["aggregate_light"] > 1:
        at = _uniform_numbers(stream(stream_key, item, AGGREGATED), 3) * shape - 0.5
        light[np.linalg.norm(centres - at, axis=1) < AGGREGATE * per_diameter] *= imaging["aggregate_light"]
    canvas = np.zeros(shape + 2 * true_psf.reach, np.float32)
    periods = box * per_diameter
    phi = draw_spheres(canvas, -true_psf.reach, centres, radii, light, periods, shape)
    if imaging["hollow"]:
        draw_spheres(canvas, -true_psf.reach, centres, imaging["hollow"] * radii, -light, periods, shape)
    fading = kept(imaging, shape[0], voxel)
    expected = ((blur(canvas, true_psf) + np.float32(background)) * fading[:, None, None]).astype(np.float32)
    image = detect(stream(stream_key, item, NOISE), np.ascontiguousarray(expected), read, float(imaging["offset"]))

    reach = radii.max(initial=0.0)
    reaches = ((centres >= -0.5 - reach) & (centres <= shape - 0.5 + reach)).all(axis=1)
    centres, diameters = centres[reaches], 2 * radii[reaches]
    measured = _measure(
        image, expected, centres, diameters / 2, per_diameter, imaging["offset"], background * fading.mean()
    )
    order = physics.bond_order(packed.centres, box)[1]
    row = {
        "phi": fraction,
        "sigma_z_d": round(float(psf.sigma[0] / per_diameter), 3),
        "cnr": parameters["cnr"],
        "snr": float(snr),
        "particle_size_um": parameters["particle_size_um"],
        "voxel_um": voxel,
        "diameter_px": float(per_diameter),
        "sigma_z_px": float(psf.sigma[0]),
        "sigma_xy_px": float(np.sqrt(psf.sigma[1] * psf.sigma[2])),
        "brightness": f,
        "background": background,
        "read_noise": read,
        "phi_measured": phi,
        **measured,
        "n_centres": len(centres),
        "min_distance_d": packed.nearest,
        "contact_value": packed.contact,
        "crystal_fraction": float(np.mean(order > physics.CRYSTAL)) if len(order) else 0.0,
        "metastable": fraction > MELTING,
    }
    return image, row, centres * voxel, diameters * voxel


# Two functions, as numba's cache knows none that takes another one again: each process would compile it anew, and one
# that reads what another has written may end with `underlying object has vanished`.
@njit(cache=True)
def _normal_numbers(s, n):
    out = np.empty(n)
    for i in range(n):
        out[i] = normal(s)
    return out


@njit(cache=True)
def _uniform_numbers(s, n):
    out = np.empty(n)
    for i in range(n):
        out[i] = uniform(s)
    return out


def _measure(image, expected, centres, radii, diameter, offset, background):
    """Contrast and noise of one image, from it and from the photons expected without noise.

    signal : mean expected at the true centres
    background_measured : mean expected farther than a diameter from all of them; where no voxel is, `background`
    noise : SD of the difference of the two inside spheres, where σ is defined
    """
    shape = np.array(image.shape)
    region = regions(shape, centres, radii, float(diameter))
    at = np.rint(centres).astype(int)
    at = at[((at >= 0) & (at < shape)).all(axis=1)]
    signal = float(expected[tuple(at.T)].mean(dtype=float)) if len(at) else math.nan
    far, inside = expected[region == FAR], region == INSIDE
    dark = float(far.mean(dtype=float)) if far.size else float(background)
    noise = float(np.std(image[inside] - float(offset) - expected[inside], dtype=float)) if inside.any() else math.nan
    measured = {"signal": signal, "background_measured": dark, "noise": noise}
    return {**measured, "cnr_measured": (signal - dark) / noise, "snr_measured": signal / noise}


def gates(items: pd.DataFrame, spec: dict) -> dict:
    """Whether the packings of a split are what they are taken for.

    - `min_distance_d`: no two spheres overlap.
    - `contact_value`: up to GATED_PHI, the mean contact value of each volume fraction over Carnahan and Starling's,
      within CONTACT_TOLERANCE and twice the standard error of the mean; both are told. Volume fractions that are drawn
      are taken in bands of 0.1. Fewer than three volumes are not judged.
    - `crystal_fraction`: the mean over volumes of the share of spheres in crystalline order.
    - `metastable`: volume fractions for which the fluid is not the stable phase.

    Returns
    -------
    dict of plain values; `passed` holds for each gate and for all of them.
    """
    nearest, crystal = float(items["min_distance_d"].min()), float(items["crystal_fraction"].mean())
    ratio = items["contact_value"] / physics.contact_value(items["phi"], imaging(spec["imaging"])["polydispersity"])
    fluid = items["phi"] <= GATED_PHI
    drawn = items["phi"].nunique() > MOST_GROUPS
    group = np.floor(items["phi"] * 10) / 10 if drawn else items["phi"]
    contact = []
    for phi, values in ratio[fluid].dropna().groupby(group[fluid]):
        n, mean = len(values), float(values.mean())
        error = float(values.std() / math.sqrt(n)) if n > 1 else None
        limit = CONTACT_TOLERANCE + 2 * error if n > 2 else None
        passed = limit is None or abs(mean - 1) <= limit
        contact.append(
            {"phi": float(phi), "n": n, "ratio": mean, "standard_error": error, "limit": limit, "passed": bool(passed)}
        )
    found = {
        "min_distance_d": {"value": nearest, "limit": 1.0, "passed": nearest >= 1},
        "contact_value": {"value": contact, "limit": CONTACT_TOLERANCE, "passed": all(c["passed"] for c in contact)},
        "crystal_fraction": {"value": crystal, "limit": MOST_CRYSTAL, "passed": crystal < MOST_CRYSTAL},
    }
    metastable = sorted({round(float(phi), 3) for phi in items["phi"][items["metastable"]]})
    return {**found, "metastable": metastable, "passed": all(gate["passed"] for gate in found.values())}


def most_spheres(spec: dict) -> int:
    """Spheres in the box of the densest item: no volume shows more."""
    full = spec["imaging"]
    sides = np.array(full["shape_px"]) / full["diameter_px"] + 2 * MARGIN
    return packing.number(max(*spec["phi"], *spec["test_phi"]), sides, full["polydispersity"])


def dataset(spec: dict, split: str, seed: int) -> Simulated:
    """A split of a dataset.

    spec : one dataset entry of the configuration, expanded; `stream` names the dataset whose random streams it uses

    Raises
    ------
    ValueError for settings at which grey values would be cut off.
    """
    spec = {**spec, "imaging": imaging(spec["imaging"])}
    for fault in clipping(spec["imaging"]):
        raise ValueError("{}: {} was found, {} was expected".format(*fault))
    stream_key = key(seed, "colloids", spec["stream"], split)
    parameters = draw_parameters(spec, split, stream_key)
    shard = int(np.clip(SHARD_MB // item_mb(spec), 1, 256))
    header = {"axes": AXES, "voxel_size": [None] + ["voxel_um"] * 3, "units": [None] + ["micrometer"] * 3}
    return Simulated(len(parameters), shard, header, _shards(parameters, spec, stream_key, shard), gates)


def _shards(parameters, spec, stream_key, shard):
    most = most_spheres(spec)
    for first in range(0, len(parameters), shard):
        rows, n = parameters[first : first + shard].to_dict("records"), len(parameters[first : first + shard])
        images = np.empty((n, *spec["imaging"]["shape_px"]), np.uint16)
        truth = {
            "centres": np.full((n, most, 3), np.nan, np.float32),
            "diameters": np.full((n, most), np.nan, np.float32),
        }
        table = []
        for i, row in enumerate(rows):
            images[i], measured, centres, diameters = volume(row, spec["imaging"], stream_key, first + i)
            truth["centres"][i, : len(centres)], truth["diameters"][i, : len(centres)] = centres, diameters
            table.append(measured)
        yield images, pd.DataFrame(table), truth
