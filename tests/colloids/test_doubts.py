"""Volumes on which every method may be wrong are told: hollow spheres, light that falls with depth."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from blurbench.colloids.doubts import ENOUGH, evened, faded, hollow

DIAMETER = 10.0


def volume(inner, sigma=(1.5, 0.8, 0.8), seed=0):
    """Spheres on a grid with the light of a shell from `inner` to 0.5 diameters, blurred, and their centres, voxels."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(10, 60, 13.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    centres = grid + rng.uniform(-0.5, 0.5, grid.shape)
    places = np.stack(np.indices((64, 64, 64)), -1)
    light = np.full((64, 64, 64), 20.0)
    for centre in centres:
        distance = np.linalg.norm(places - centre, axis=-1) / DIAMETER
        light[(distance >= inner) & (distance < 0.5)] += 200
    return rng.poisson(gaussian_filter(light, sigma)).astype(np.float32), centres


@pytest.mark.parametrize("off", [0.0, 1.0])
def test_filled_spheres_are_not_called_hollow(off):
    """Nor where centres are off by a tenth of a diameter along each axis, or lie anywhere."""
    image, centres = volume(0.0)
    anywhere = np.random.default_rng(1).uniform(8, 55, (200, 3))
    assert hollow(image, DIAMETER, {"good": centres + off, "poor": anywhere}) == []


def test_hollow_spheres_are_told():
    """Of 0.12 diameters of shell; a method that finds nothing says nothing."""
    image, centres = volume(0.38)
    (remark,) = hollow(image, DIAMETER, {"trackpy": centres, "none": np.empty((0, 3))})
    assert "what trackpy finds" in remark and "hollow spheres" in remark
    assert hollow(image, DIAMETER, {"few": centres[: ENOUGH - 1]}) == []


@pytest.mark.parametrize(("end", "told"), [(1.0, None), (0.6, None), (0.1, "last"), (10.0, "first")])
def test_light_that_falls_along_z_is_told(end, told):
    survey = pd.DataFrame({"photons": 50 * end ** np.linspace(0, 1, 60)})
    remarks = faded(survey)
    assert [told] * bool(told) == [remark.split()[1] for remark in remarks]


@pytest.mark.parametrize("ends", [(1.0, 0.1), (0.1, 1.0)])
def test_light_that_was_made_even_is_told(ends):
    kept = np.geomspace(*ends, 60)
    survey = pd.DataFrame({"z_um": 0.2 * np.arange(60), "kept": kept / np.exp(np.log(kept).mean())})
    (remark,) = evened(survey)
    places = (0, 11.8) if ends[0] > ends[1] else (11.8, 0)
    assert "falls to 0.1 from z = {:g} to {:g} µm".format(*places) in remark
    assert evened(survey.assign(kept=1.0)) == []


def test_memory_does_not_grow_with_the_number_of_spheres():
    """Of 12,800 centres, whose surroundings take 400 MB, 500 are looked at."""
    image, centres = volume(0.38)
    tracemalloc.start()
    (remark,) = hollow(image, DIAMETER, {"trackpy": np.tile(centres, (200, 1))})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "hollow spheres" in remark and peak < 100e6
