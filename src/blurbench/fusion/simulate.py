"""Light-sheet views of a specimen, its truth, and what a fusion of all views makes of it: one specimen for every item.

Every view is formed on a canvas that is finer along z than the volume; its camera keeps every so many planes along its
own axis, and the result is resampled to the grid of the first view. The targets are made of views whose noise is not
that of the views which are given.
"""

from copy import deepcopy

import numpy as np
import pandas as pd
from scipy.ndimage import shift

from blurbench.files.datasets import Simulated
from blurbench.fusion import studies
from blurbench.fusion.canvas import canvas, kept, on_canvas, on_grid
from blurbench.fusion.forward import attenuation
from blurbench.fusion.fusing import deconvolved, fused
from blurbench.fusion.gaussian import smooth
from blurbench.fusion.items import optics as optics_of
from blurbench.fusion.optics import blur, turned
from blurbench.fusion.scenes import scene
from blurbench.microscopy.camera import detect
from blurbench.microscopy.random_streams import key, stream
from blurbench.planning.defaults import stated

DEFAULTS = stated("fusion", "imaging")
BRIGHTEST = 99.8  # percentile of the truth that a study's photons are of
SHARD = 1  # items that are written at a time: whoever reads one truth reads all of a shard
PARAMETERS, SCENE, REGISTRATION = range(3)  # purposes of an item's random streams
GIVEN, TARGET = range(2)  # and of its cameras': two streams a view


def imaging(spec: dict) -> dict:
    """`spec` with what it leaves out filled from DEFAULTS. Raises ValueError for a key that they do not have."""
    if unknown := set(spec) - set(DEFAULTS):
        raise ValueError(f"imaging: {sorted(unknown)} unknown, expected {sorted(DEFAULTS)}")
    return deepcopy({**DEFAULTS, **spec})


def volume(number: int, study: dict, imaging: dict, stream_key: int, item: int):
    """One item: the views that are given, its row of the table and its truth.

    Parameters
    ----------
    number : of the study;  study : its entry of the configuration;  imaging : dict, complete
    stream_key, item : name the random streams

    Returns
    -------
    images : uint16 (views given, z, y, x), on the grid of the first view;  row : dict
    truth : dict of the arrays of `items.Truth`
    """
    rng = {purpose: np.random.default_rng([stream_key, item, purpose]) for purpose in (PARAMETERS, SCENE, REGISTRATION)}
    drawn = studies.drawn(study, rng[PARAMETERS])
    drawn["photons"] *= imaging["light"]
    row = studies.row(number, study["channel"], drawn, imaging)
    first = _true(optics_of(row), imaging)
    shape, names = imaging["shape_px"], imaging["views"]
    optics = [turned(first, name, shape) for name in names]
    whole = canvas(shape, optics)

    specimen = scene(study["channel"], drawn, whole, rng[SCENE])
    glow = np.float32(drawn["autofluorescence"]) * specimen.tissue
    sigma = np.asarray(imaging["truth_sigma_px"]) * (whole.planes, 1, 1)
    sharp = kept(smooth(specimen.structures + glow, sigma), whole)
    scale = np.float32(drawn["photons"] / np.percentile(sharp, BRIGHTEST))
    density = (glow if imaging["empty"] else specimen.structures + glow) * scale
    mu_d = specimen.tissue / np.float32(drawn["detection_absorption_length_um"])
    mu_i = specimen.tissue / np.float32(drawn["absorption_length_um"]) + specimen.absorbers

    expected, transmission = [], None
    for one in optics:
        there = on_canvas(one, whole)
        left = attenuation(mu_i, mu_d, there)
        transmission = kept(left, whole) if transmission is None else transmission
        expected.append(kept(blur(density * left, there), whole, one.depth_axis))
    away = _misregistered(imaging, len(names), rng[REGISTRATION])

    def registered(images):
        on = [on_grid(image, whole, one.depth_axis) for image, one in zip(images, optics)]
        return np.stack(
            [shift(image, by, order=1, mode="nearest") if any(by) else image for image, by in zip(on, away)]
        )

    def photographed(purpose):
        return [
            _camera(image, drawn, imaging, stream(stream_key, item, 2 * v + purpose))
            for v, image in enumerate(expected)
        ]

    given, target = (registered(photographed(purpose)) for purpose in (GIVEN, TARGET))
    offset = np.float32(imaging["offset"])
    spacing = first.spacing_um
    truth = {
        "density": kept(smooth(density, sigma), whole) if imaging["empty"] else sharp * scale,
        "deconvolved": deconvolved(target - offset, optics),
        "fused": fused(target - offset, spacing),
        "fused_given": fused(given - offset, spacing),
        "fused_clean": fused(registered(expected), spacing),
        "transmission": transmission,
    }
    images = np.rint(given[: imaging["views_given"]]).astype(np.uint16)
    return images, row, truth


def _true(told, imaging):
    """Optics of the first view as they are, of those that methods are told."""
    z, y, x = told.spacing_um
    wider = 1 + imaging["psf_error"]
    sigma = tuple(wider * one for one in told.sigma_um)
    spacing = (z / (1 + imaging["spacing_error"]), y, x)
    return told._replace(spacing_um=spacing, sigma_um=sigma, sheet_waist_um=wider * told.sheet_waist_um)


def _misregistered(imaging, views, rng):
    """Voxels by which each view is beside the first, (views, 3)."""
    signs = rng.choice([-1, 1], (views, 3))
    signs[0] = 0
    return signs * np.asarray(imaging["misregistration_px"], float)


def _camera(expected, drawn, imaging, random):
    """Grey values, uint16, of the photons expected in each voxel."""
    image = detect(random, expected, drawn["read_noise"], float(imaging["offset"]))
    brightest = imaging["offset"] + imaging["saturation"] * drawn["photons"]
    return np.minimum(image, np.uint16(min(brightest, np.iinfo(np.uint16).max)))


def dataset(spec: dict, split: str, seed: int) -> Simulated:
    """A split of a dataset: items are of one study after the other, again and again.

    spec : one dataset entry of the configuration, expanded; `stream` names the dataset whose random streams it uses
    """
    spec = {**spec, "imaging": imaging(spec["imaging"])}
    stream_key = key(seed, "fusion", spec["stream"], split)
    n = spec["items"][split] * (len(spec["studies"]) if split == "test" else 1)
    several = spec["imaging"]["views_given"] > 1
    header = {
        "axes": ["item", *(["view"] if several else []), "z", "y", "x"],
        "voxel_size": [None, *([None] if several else []), "spacing_z_um", "spacing_xy_um", "spacing_xy_um"],
        "units": [None, *([None] if several else []), *["micrometer"] * 3],
    }
    return Simulated(n, SHARD, header, _shards(n, spec, stream_key))


def _shards(n, spec, stream_key):
    entries = list(spec["studies"].values())
    for item in range(n):
        number = item % len(entries)
        images, row, truth = volume(number, entries[number], spec["imaging"], stream_key, item)
        images = images if len(images) > 1 else images[0]
        yield images[None], pd.DataFrame([row]), {name: array[None] for name, array in truth.items()}
