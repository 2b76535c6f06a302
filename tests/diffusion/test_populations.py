"""Tracks of one D are told from those of two, whatever their brightness."""

import numpy as np
import pandas as pd
import pytest
from configurations import layers
from films import CALIBRATION, write_film

from blurbench.diffusion import measurement, preparation
from blurbench.diffusion.populations import populations
from blurbench.files.datasets import Dataset
from blurbench.planning import units
from blurbench.planning.configuration import expand

DT, PIXEL, SUBSTEPS = CALIBRATION["frame_time_s"], CALIBRATION["pixel_size_um"], 10


def walks(D, frames=48, sigma=0.02, seed=0):
    """Tracks (µm²/s) averaged over a whole-frame exposure, with a localisation error (µm) each; in pixels."""
    rng, n = np.random.default_rng(seed), len(D)
    steps = rng.normal(size=(n, frames * SUBSTEPS, 2)) * np.sqrt(2 * np.asarray(D)[:, None, None] * DT / SUBSTEPS)
    path = np.cumsum(steps, axis=1).reshape(n, frames, SUBSTEPS, 2).mean(axis=2)
    path += rng.normal(size=path.shape) * np.broadcast_to(sigma, n)[:, None, None]
    particle, frame = np.indices((n, frames)).reshape(2, -1)
    y, x = path.reshape(-1, 2).T / PIXEL
    return pd.DataFrame({"particle": particle, "frame": frame, "y": y, "x": x, "kept": True})


@pytest.mark.parametrize(
    ("D", "sigma", "frames"),
    [
        (1.0, 0.02, 48),
        (0.01, 0.02, 48),
        (0.05, np.linspace(0.01, 0.06, 45), 48),
        (0.1, np.linspace(0.01, 0.06, 45), 16),
    ],
)
def test_tracks_of_one_D_are_not_told_apart(D, sigma, frames):
    p = [populations(walks(np.full(45, D), frames, sigma, seed), CALIBRATION, seed).p for seed in range(12)]
    assert np.mean(np.array(p) <= 0.05) <= 0.25 and np.median(p) > 0.2


@pytest.mark.parametrize("D", [(0.001, 2.0), (0.3, 3.0), (1.0, 4.0)])
def test_two_populations_are_found(D):
    true = np.repeat(D, (30, 15))
    found = populations(walks(true), CALIBRATION, 1)
    assert found.differ and found.two
    assert found.D == pytest.approx(D, rel=0.35) and found.share == pytest.approx(2 / 3, abs=0.15)
    assert (found.fast.to_numpy() == (true == D[1])).mean() > 0.9


@pytest.mark.parametrize("D", [np.repeat([1.0, 1.5], 30), np.repeat([0.001, 2.0], [2, 58])])
def test_where_most_are_alike_one_D_stands_for_all_though_they_differ(D):
    found = populations(walks(D), CALIBRATION, 1)
    assert found.differ and not found.two


def test_gaps_and_few_tracks():
    spots = walks(np.repeat([0.1, 2.0], 10))
    holes = spots[(spots["frame"] % 7 > 0) | (spots["particle"] == 3)]
    assert populations(holes, CALIBRATION, 1).two
    few = populations(spots[spots["particle"] < 7], CALIBRATION, 1)
    assert np.isnan(few.p) and not few.differ and not few.two


def test_a_movie_of_two_populations_has_two_answers(tmp_path):
    entry = write_film(tmp_path / "film.tif", np.resize([0.002, 2.0], 16), 200, columns=4)
    entry["psf"] = {"kind": "gaussian", "fwhm_um": 0.25}
    spec = units.spec(expand(layers("config", "laptop")), "diffusion", "report", "test")
    spots = preparation.prepare(entry, spec, tmp_path / "items.zarr", tmp_path / "items.json")
    methods = {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": {}}}
    stacks = Dataset.open(tmp_path / "items.zarr")
    found = measurement.measure(entry, stacks, spots, methods, "cpu", 100, 1)
    table = found.methods.set_index(["method", "population"])
    assert list(table.index) == [(name, part) for name in ("cve", "ensemble_msd") for part in ("slow", "fast")]
    for name in ("cve", "ensemble_msd"):
        assert abs(table.loc[(name, "slow"), "D"]) < 0.05
        assert table.loc[(name, "fast"), "D"] == pytest.approx(2, rel=0.4)
    assert table["remark"].str.contains("not of one D").all() and (table["one_D_p"] < 0.01).all()
    assert table["remark"].str.contains("lie outside of 0.05 to 20 um2/s, the range of report").all()
    assert set(found.details["population"]) == {"slow", "fast"}
    measurement.draw(tmp_path / "a.svg", entry, stacks, spots, found)
    assert "ensemble MSD of the fast" in (tmp_path / "a.svg").read_text()
