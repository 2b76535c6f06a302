"""From a movie to stacks and D: spots of known D in a simulated movie, and real beads in water."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import trackpy

from blurbench.diffusion import estimators, measurement, preparation, tracking
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recordings import Measurement, RecordingError

D, PIXEL, FRAME_TIME, FWHM = 0.3, 0.35, 0.04, 1.4
PHOTONS, BACKGROUND, GAIN, OFFSET = 3000, 20, 2.0, 100
FIELD, SPACING, FRAMES = 136, 34, 42
BULK_WATER = Path(__file__).parents[3] / "shared/data/bulk_water/bulk_water.tif"
RECORDING = {
    "pixel_size_um": PIXEL,
    "frame_time_s": FRAME_TIME,
    "exposure_s": FRAME_TIME,
    "gain": GAIN,
    "offset": OFFSET,
    "polarity": "bright",
    "problem": "diffusion",
    "dataset": "beads",
    "tracking": {"diameter_px": 9, "minmass": "auto", "search_range_px": 5, "memory": 2, "subtract_drift": False},
}
CAMERA = {
    "quantum_efficiency": 1.0,
    "gain": 1.0,
    "offset": 50,
    "read_noise": 1.0,
    "laplace_noise": 0.0,
    "em_gain": 1.0,
    "saturation": 65535,
}
SPEC = {
    "imaging": {
        "frames": 20,
        "size_px": 24,
        "pixel_size_um": PIXEL,
        "frame_time_s": FRAME_TIME,
        "exposure_s": FRAME_TIME,
        "substeps": 5,
        "psf": {"kind": "gaussian", "fwhm_um": FWHM},
        "photons": PHOTONS,
        "background": BACKGROUND,
        "camera": CAMERA,
        "start_spread_px": 1.0,
    },
    "D_um2_s": [0.03, 3],
    "stream": "beads",
}


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """Spots on a grid, photon by photon, with full-frame exposure: file and true starts."""
    rng = np.random.default_rng(5)
    starts = np.stack(np.meshgrid(*[np.arange(SPACING / 2, FIELD, SPACING)] * 2, indexing="ij"), -1).reshape(-1, 2)
    substeps = 5
    steps = rng.normal(0, np.sqrt(2 * D * FRAME_TIME / substeps) / PIXEL, (len(starts), FRAMES * substeps, 2))
    paths = (starts[:, None] + np.cumsum(steps, axis=1)).reshape(len(starts), FRAMES, substeps, 2)
    frames = rng.poisson(BACKGROUND, (FRAMES, FIELD, FIELD))
    for t in range(FRAMES):
        at = np.repeat(paths[:, t].reshape(-1, 2), PHOTONS // substeps, axis=0)
        at = at + rng.normal(0, FWHM / tracking.FWHM / PIXEL, at.shape)
        frames[t] += np.histogram2d(*at.T, bins=FIELD, range=[[0, FIELD]] * 2)[0].astype(int)
    path = tmp_path_factory.mktemp("movie") / "spots.tif"
    tifffile.imwrite(path, np.rint(GAIN * frames + OFFSET).astype(np.uint16), photometric="minisblack")
    return path


@pytest.fixture(scope="module")
def recording(movie):
    return {**RECORDING, "file": str(movie)}


@pytest.fixture(scope="module")
def tracked(recording, tmp_path_factory):
    """Spots and stacks."""
    folder = tmp_path_factory.mktemp("stacks")
    spots = preparation.prepare(recording, SPEC, folder / "items.zarr", folder / "items.json")
    return spots, Dataset.open(folder / "items.zarr")


def test_every_spot_is_found_and_linked(tracked):
    spots, _ = tracked
    assert spots[spots["kept"]]["particle"].nunique() == (FIELD // SPACING) ** 2
    assert spots["kept"].mean() > 0.95


def test_stacks_look_like_simulated_ones(tracked):
    _, stacks = tracked
    assert stacks.images.shape == (len(stacks), 20, 24, 24) and stacks.images.dtype == np.uint16
    assert len(stacks) >= 20 and not stacks.truth
    assert {"photons", "background", "fwhm_um", "frame_time_s", "exposure_s", "frames", "contrast", "noise"} <= set(
        stacks.items
    )
    assert stacks.items["photons"].median() == pytest.approx(PHOTONS, rel=0.05)
    assert stacks.items["background"].median() == pytest.approx(BACKGROUND, rel=0.1)
    # The blur of the path widens the spot by D t/3 per axis.
    blurred = np.sqrt(FWHM**2 + tracking.FWHM**2 * D * FRAME_TIME / 3)
    assert stacks.items["fwhm_um"].median() == pytest.approx(blurred, rel=0.03)


def test_spot_starts_at_the_centre_but_for_rounding(tracked):
    _, stacks = tracked
    first = stacks.images[:][:, 0].astype(float) - CAMERA["offset"] - BACKGROUND
    centre = np.stack([(first * axis).sum((1, 2)) / first.sum((1, 2)) for axis in np.mgrid[:24, :24] + 0.5], -1) - 12
    assert np.abs(centre).max() < 0.5 + 0.35  # half a pixel, and what noise does to a centre of mass
    assert np.abs(centre.mean(axis=0)).max() < 0.2


def test_pieces_do_not_share_frames(tracked):
    _, stacks = tracked
    for _, pieces in stacks.items.groupby("particle"):
        starts = pieces["frame"].sort_values().to_numpy()
        assert (np.diff(starts) >= pieces["frames"].iloc[0]).all()


def test_median_D_by_a_classical_method(tracked):
    """CVE on trackpy's positions of each stack: relative SD 0.4 each, 0.1 for the median of these correlated pieces."""
    spots, stacks = tracked
    found = []
    for piece in stacks.items.itertuples():
        track = spots[spots["particle"] == piece.particle].set_index("frame")[["y", "x"]]
        path = track.reindex(range(piece.frame, piece.frame + piece.frames)).to_numpy() * PIXEL
        found.append(estimators.cve(path, FRAME_TIME))
    assert np.median(found) == pytest.approx(D, rel=0.25)


def test_methods_run_on_the_stacks(tracked):
    _, stacks = tracked
    table = measurement.run(stacks, {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": []}}, "cpu")
    assert len(table) == len(stacks) and (table["status"] == "ok").all()
    assert table["D"].median() == pytest.approx(D, rel=0.25)
    assert {"particle", "frame", "frames", "y_um", "x_um", "method", "kind", "D_lo95", "D_hi95"} <= set(table)


def test_training_seeds_are_averaged(tracked, monkeypatch):
    _, stacks = tracked
    answers = {"1.pt": (0.1, "ok"), "2.pt": (0.4, "ok"), "3.pt": (0.2, "why not")}

    def predict(method, dataset, model, device):
        D, status = answers[model]
        frame = pd.DataFrame({"item": np.arange(len(dataset)), "D": D, "D_lo95": D / 2, "D_hi95": D * 2})
        return frame.assign(status=status)

    monkeypatch.setattr(measurement.methods, "load", lambda *args: None)
    monkeypatch.setattr(measurement.methods, "predict", predict)
    entry = {"method": "any", "kind": "learned", "options": {}, "models": ["1.pt", "2.pt"]}
    table = measurement.run(stacks, {"any": entry}, "cpu")
    np.testing.assert_allclose(table[["D", "D_lo95", "D_hi95"]], [[0.2, 0.1, 0.4]] * len(stacks))
    table = measurement.run(stacks, {"any": {**entry, "models": list(answers)}}, "cpu")
    assert (table["status"] == "why not").all()


def test_ensemble_finds_D(tracked, recording):
    spots, _ = tracked
    table = tracking.ensemble(spots, recording, resamples=200, seed=1).set_index("quantity")
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
    table = tracking.ensemble(spots, recording, resamples=10, seed=1)
    own = table.loc[table["quantity"] == "msd", "value"].to_numpy()
    theirs = trackpy.emsd(spots[spots["kept"]], PIXEL, 1 / FRAME_TIME, max_lagtime=len(own)).to_numpy()
    np.testing.assert_allclose(own, theirs, rtol=0.02)


def test_drift_is_taken_off(tracked, recording):
    spots, _ = tracked
    moving = spots.assign(x=spots["x"] + 0.8 * spots["frame"])
    recording = {**recording, "tracking": {**recording["tracking"], "subtract_drift": True}}
    still, drifted = (tracking.ensemble(s, recording, 10, 1).set_index("quantity") for s in (spots, moving))
    assert drifted.loc["D_linear", "value"] == pytest.approx(still.loc["D_linear", "value"], rel=1e-6)


def spot_table(*paths):
    rows = [(y, x, frame, k) for k, path in enumerate(paths) for frame, (y, x) in path.items()]
    return pd.DataFrame(rows, columns=["y", "x", "frame", "particle"]).assign(kept=True)


def test_pieces_are_dropped_for_a_reason():
    alone = {t: (40.0, 40.0) for t in range(10)}
    edge = {t: (4.0, 40.0) for t in range(10)}
    holes = {t: (40.0, 90.0) for t in range(10) if t in (0, 1, 9)}
    visited, visitor = {t: (90.0, 40.0) for t in range(10)}, {5: (95.0, 44.0)}
    pieces, counts = tracking.segments(spot_table(alone, edge, holes, visited, visitor), (10, 10), 20, (128, 128))
    assert counts == {"cut": 1, "interrupted": 1, "edge": 1, "neighbour": 1}
    assert pieces.iloc[0].to_dict() == {
        "particle": 0,
        "frame": 0,
        "frames": 10,
        "y": 40,
        "x": 40,
        "top": 30,
        "left": 30,
    }


def test_a_range_of_frames_takes_what_is_left():
    pieces, _ = tracking.segments(spot_table({t: (40.0, 40.0) for t in range(14)}), (4, 10), 20, (128, 128))
    assert pieces["frames"].tolist() == [10, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixel_size_um": 0.4}, "pixel_size_um: found 0.4, expected 0.35 as in the dataset beads"),
        ({"frame_time_s": 0.08}, "frame_time_s: found 0.08"),
        ({"exposure_s": 0.01}, "exposure_s: found 0.01"),
    ],
)
def test_microscope_must_be_the_datasets(tracked, recording, change, message):
    movie = tracking.open_recording({**recording, **change})
    with pytest.raises(RecordingError, match=message):
        tracking.cut(movie, tracked[0], SPEC["imaging"])


def test_nothing_found_is_said(recording):
    movie = tracking.open_recording(recording)
    with pytest.raises(RecordingError, match="no spot above 1e\\+09 photons"):
        tracking.find(movie, {**recording["tracking"], "minmass": 1e9}, 20)
    with pytest.raises(RecordingError, match="no track of at least 100 frames"):
        tracking.find(movie, recording["tracking"], 100)


def test_short_or_small_movie_is_refused(tracked, recording):
    movie = tracking.open_recording(recording)
    for change in ({"frames": 200}, {"size_px": 300}):
        with pytest.raises(RecordingError, match="found a movie of shape"):
            tracking.cut(movie, tracked[0], {**SPEC["imaging"], **change})


def measured(**D_by_method):
    rows = [
        {
            "item": i,
            "particle": i // 2,
            "method": name,
            "kind": "classical",
            "D": d,
            "status": "ok" if np.isfinite(d) else "lost",
        }
        for name, values in D_by_method.items()
        for i, d in enumerate(values)
    ]
    return pd.DataFrame(rows)


def ensemble_of(D):
    row = {
        "quantity": "D_linear",
        "lag_s": np.nan,
        "value": D,
        "ci_low": D,
        "ci_high": D,
        "unit": "um2/s",
        "n_tracks": 9,
    }
    return pd.DataFrame([row])


def test_summary_counts_failures_and_compares():
    table = measurement.summarise(measured(a=[0.1, 0.2, 0.3, np.nan], b=[np.nan] * 4), ensemble_of(0.25), expected=0.4)
    table = table.set_index("method")
    assert table.loc["a", ["D", "n_tracks", "n_stacks", "n_failed"]].tolist() == [0.2, 2, 3, 1]
    assert table.loc["a", "ci_low"] <= 0.2 <= table.loc["a", "ci_high"]
    assert np.isnan(table.loc["b", "D"]) and table.loc["b", "n_failed"] == 4
    assert table.loc["a", "ratio_to_expected"] == pytest.approx(0.5)
    assert table.loc["ensemble_msd", "D"] == 0.25 and (table["unit"] == "um2/s").all()


def test_interval_of_the_median_covers():
    rng = np.random.default_rng(0)
    hits = 0
    for k in range(100):
        values = np.repeat(rng.lognormal(size=30), 2)  # both stacks of a track alike: 30 independent numbers, not 60
        row = measurement.summarise(measured(a=values), ensemble_of(1.0), resamples=300, seed=k).iloc[0]
        hits += row["ci_low"] <= 1 <= row["ci_high"]
    assert 88 <= hits <= 100


def test_a_measurement_holds_every_method_and_the_ensemble(tracked, recording):
    spots, stacks = tracked
    entries = {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": []}}
    found = measurement.measure({**recording, "expected_D_um2_s": D}, stacks, spots, entries, "cpu", 100, 1)
    assert found.methods["method"].tolist() == ["cve", "ensemble_msd"]
    assert len(found.details) == len(stacks) and {"msd", "D_linear"} <= set(found.reference["quantity"])
    assert (found.methods["ratio_to_expected"] == found.methods["D"] / D).all()


def test_figure_is_drawn(tracked, recording, tmp_path):
    spots, stacks = tracked
    rng = np.random.default_rng(0)
    answers = stacks.items[["particle"]].assign(
        method="cve", kind="classical", status="ok", D=rng.normal(0.3, 0.2, len(stacks))
    )
    answers.loc[0, ["status", "D"]] = "lost", np.nan
    found = Measurement(measurement.summarise(answers, ensemble_of(0.3)), answers, ensemble_of(0.3))
    measurement.draw(tmp_path / "a.svg", recording, stacks, spots, found)
    text = (tmp_path / "a.svg").read_text()
    assert "ensemble MSD, 0.30 µm²/s" in text and "10 µm" in text


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
    tracking = {"diameter_px": 11, "minmass": 130, "search_range_px": 5, "memory": 3, "max_size_px": 2.6}
    tracking |= {"max_eccentricity": 0.3, "subtract_drift": True}
    spec |= {"polarity": "dark", "gain": 0.15, "offset": 0, "tracking": tracking}
    spots = tracking.find(tracking.open_recording(spec), tracking, 16)
    table = tracking.ensemble(spots, spec, resamples=100, seed=1).set_index("quantity")
    assert table.loc["D_linear", "n_tracks"] > 300
    assert 0.3 < table.loc["D_linear", "value"] < 0.6
    assert 0.8 < table.loc["exponent", "value"] < 1.3
