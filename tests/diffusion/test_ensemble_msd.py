"""The mean squared displacement of all tracks: spots of known D in a simulated movie, and real beads in water."""

from pathlib import Path

import numpy as np
import pytest
import trackpy
from beads import FRAME_TIME, PIXEL, RECORDING, D

from blurbench.diffusion import drift, tracking
from blurbench.diffusion.ensemble_msd import ensemble_msd
from blurbench.diffusion.movie import open_movie
from blurbench.microscopy.recording_error import RecordingError

BULK_WATER = Path(__file__).parents[3] / "shared/data/bulk_water/bulk_water.tif"


def test_ensemble_finds_D(tracked, recording):
    spots, _ = tracked
    table = ensemble_msd(spots, recording, resamples=200, seed=1).set_index("quantity")
    assert table.loc["D_linear", "value"] == pytest.approx(D, rel=0.25)
    assert table.loc["D_linear", "ci_low"] < D < table.loc["D_linear", "ci_high"]
    # Of the same line, in logarithms: blur makes it steeper than 1.
    lag = np.arange(1, 5)
    steeper = np.polyfit(np.log(lag), np.log(lag - 1 / 3), 1)[0]
    assert table.loc["exponent", "value"] == pytest.approx(steeper, abs=0.1)
    # Full-frame exposure and precise positions: the line starts below 0, at -4D t/3.
    assert table.loc["offset", "value"] == pytest.approx(-4 * D * FRAME_TIME / 3, abs=0.015)


def test_ensemble_agrees_with_trackpy(tracked, recording):
    spots, _ = tracked
    table = ensemble_msd(spots, recording, resamples=10, seed=1)
    own = table.loc[table["quantity"] == "msd", "value"].to_numpy()
    theirs = trackpy.emsd(spots[spots["kept"]], PIXEL, 1 / FRAME_TIME, max_lagtime=len(own)).to_numpy()
    np.testing.assert_allclose(own, theirs, rtol=0.02)


def test_drift_is_taken_off(tracked, recording):
    spots, _ = tracked
    moving = spots.assign(x=spots["x"] + 0.8 * spots["frame"])
    recording = {**recording, "tracking": {**recording["tracking"], "subtract_drift": True}}
    still, drifted = (
        ensemble_msd(drift.still(s, recording), recording, 10, 1).set_index("quantity") for s in (spots, moving)
    )
    assert drifted.loc["D_linear", "value"] == pytest.approx(still.loc["D_linear", "value"], rel=1e-6)


def test_the_path_of_one_molecule_is_not_its_drift(tracked, recording):
    """Its ensemble would be 0 and its exponent infinite."""
    spots, _ = tracked
    alone = spots[spots["particle"] == spots["particle"].iloc[0]]
    with pytest.raises(RecordingError, match="tracking.subtract_drift: found true, and 1 tracks .* expected 5 tracks"):
        drift.still(alone, {**recording, "tracking": {**recording["tracking"], "subtract_drift": True}})
    table = ensemble_msd(alone, recording, 100, 1).set_index("quantity")
    assert table.loc["D_linear", "value"] == pytest.approx(D, rel=0.8)
    assert table["ci_low"].isna().all() and table["ci_high"].isna().all()  # of one track, not of zero width


@pytest.mark.skipif(not BULK_WATER.exists(), reason=f"the movie {BULK_WATER.name} is not beside the repository")
def test_beads_in_water():
    """1 µm beads: Stokes-Einstein gives 0.43 µm²/s at 20 °C; temperature and size tolerance are not known."""
    spec = {
        **RECORDING,
        "file": str(BULK_WATER),
        "pixel_size_um": 100 / 285,
        "frame_time_s": 1 / 24,
        "exposure_s": 1 / 24,
    }
    settings = {"diameter_px": 11, "minmass": 130, "search_range_px": 5, "memory": 3, "max_size_px": 2.6}
    settings |= {"max_eccentricity": 0.3, "subtract_drift": True}
    spec |= {"polarity": "dark", "gain": 0.15, "offset": 0, "tracking": settings}
    spots = tracking.find(open_movie(spec), settings, 16)
    table = ensemble_msd(drift.still(spots, spec), spec, resamples=100, seed=1).set_index("quantity")
    assert table.loc["D_linear", "n_tracks"] > 300
    assert 0.3 < table.loc["D_linear", "value"] < 0.6
    assert 0.8 < table.loc["exponent", "value"] < 1.3
