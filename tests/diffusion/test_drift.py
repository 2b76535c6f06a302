"""What all tracks of a movie share is taken off, and next to nothing of what is their own."""

import numpy as np
import pandas as pd
import pytest
from beads import RECORDING, SPEC, D, write_movie

from blurbench.diffusion import drift, ensemble_msd, measurement, preparation
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recording_error import RecordingError


def walks(tracks, frames, velocity=0.0, seed=0):
    """Brownian tracks with steps of SD 1 per axis, all carried along x."""
    path = np.cumsum(np.random.default_rng(seed).normal(size=(tracks, frames, 2)), axis=1)
    path[..., 1] += velocity * np.arange(frames)
    particle, frame = np.indices((tracks, frames)).reshape(2, -1)
    y, x = path.reshape(-1, 2).T
    return pd.DataFrame({"particle": particle, "frame": frame, "y": y, "x": x, "kept": True})


def mean_squares(spots, lags):
    sums, numbers = ensemble_msd.squared_displacements(spots, 1.0, lags)
    return sums.sum(axis=0) / numbers.sum(axis=0)


@pytest.mark.parametrize(("tracks", "frames"), [(5, 1000), (12, 400), (49, 100), (100, 60)])
def test_drift_takes_little_of_the_motion_along(tracks, frames):
    shares = []
    for seed in range(10):
        spots = walks(tracks, frames, seed=seed)
        left = drift.without(spots, drift.common_drift(spots, frames, "film.tif"))
        shares.append(1 - mean_squares(left, drift.LONGEST) / mean_squares(spots, drift.LONGEST))
    assert 0 < np.mean(shares, axis=0).max() < 1.2 * drift.TAKEN  # and what ten movies scatter by


@pytest.mark.parametrize("tracks", [12, 100])
def test_a_steady_drift_is_found(tracks):
    found = drift.common_drift(walks(tracks, 200, velocity=0.5), 200, "film.tif")
    assert found[-1] == pytest.approx([0, 0.5 * 199], abs=4 * np.sqrt(199 / tracks))
    assert (found[0] == 0).all()


def test_a_jump_of_the_stage_is_seen_where_many_tracks_tell_it():
    spots = walks(100, 60)
    jump = spots.assign(x=spots["x"] + 20.0 * (spots["frame"] >= 30))
    before, after = (drift.without(s, drift.common_drift(s, 60, "film.tif")) for s in (spots, jump))
    np.testing.assert_allclose(before[["y", "x"]], after[["y", "x"]], atol=1e-9)


@pytest.mark.parametrize(("tracks", "frames"), [(1, 320), (4, 1000), (20, 20)])
def test_too_few_tracks_tell_no_drift(tracks, frames):
    spots = walks(tracks, frames)
    with pytest.raises(RecordingError, match=f"film.tif: tracking.subtract_drift: found true, and {tracks} tracks"):
        drift.common_drift(spots, frames, "film.tif")
    assert not drift.remarks(spots, {**RECORDING, "file": "film.tif"})


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    """Half a pixel a frame: D of the paths would be 0.9, three times what it is."""
    path = tmp_path_factory.mktemp("drift") / "film.tif"
    write_movie(path, drift=(0.4, 0.3))
    return {**RECORDING, "file": str(path)}


@pytest.mark.parametrize("subtract", [True, False])
def test_drift_is_taken_out_of_the_stacks_too_or_said(drifting, tmp_path, subtract):
    entry = {**drifting, "tracking": {**drifting["tracking"], "subtract_drift": subtract}}
    spots = preparation.prepare(entry, SPEC, tmp_path / "items.zarr", tmp_path / "items.json")
    methods = {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": {}}}
    found = measurement.measure(entry, Dataset.open(tmp_path / "items.zarr"), spots, methods, "cpu", 100, 1).methods
    if subtract:
        assert found["D"].to_numpy() == pytest.approx([D, D], rel=0.3)
    else:
        assert (found["D"] > 2 * D).all()
        assert found["remark"].str.contains("drift together, by 4[.]. um/s, which adds .*subtract_drift").all()
