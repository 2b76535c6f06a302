"""The PSF of a recording: stated, estimated beside D over all tracks, or neither; and what its error does to D."""

import numpy as np
import pandas as pd
import pytest
from films import write_film

from blurbench.diffusion import measurement, preparation, recorded_psf, tracking
from blurbench.diffusion.items import stack
from blurbench.diffusion.simulate import imaging, render
from blurbench.files.datasets import Dataset
from blurbench.microscopy.random_streams import key
from blurbench.microscopy.recording_error import RecordingError

FWHM = 0.25
SPEC = {"imaging": imaging({"psf": {"kind": "gaussian", "fwhm_um": [0.15, 0.35]}}), "D_um2_s": [0.05, 20]}
REPORT = {"imaging": imaging({}), "D_um2_s": [0.05, 20]}
WIDTH_AND_PATH = {"method": "width_and_path", "kind": "classical", "options": {}, "models": {}}


def made(D, fwhm=FWHM, seed="psf"):
    """Stacks of the microscope of `report`, whose PSF has that width (number or range) and is not told."""
    psf = {"kind": "gaussian", "fwhm_um": fwhm}
    images, _, items = render(np.asarray(D, float), imaging({"psf": psf, "start_spread_px": 1.0}), key(seed))
    return [stack(image, row, SPEC) for image, row in zip(images, items.assign(fwhm_um=0.3).itertuples())]


@pytest.mark.parametrize("D", [0.5, 5])
def test_the_width_common_to_all_spots_is_told_from_their_blur(D):
    """At D 5 blur adds one and a half times the variance of the PSF. Three SDs, and what calibration may be off by."""
    found = recorded_psf.estimate(made([D] * 40), np.arange(40))
    assert abs(np.log(found.fwhm_um / FWHM)) < 3 * found.known_to + 0.01
    assert found.spread == 0 and 0.001 < found.known_to < 0.03


def test_molecules_that_differ_in_D_have_one_psf():
    found = recorded_psf.estimate(made(np.geomspace(0.1, 10, 40)), np.arange(40))
    assert abs(np.log(found.fwhm_um / FWHM)) < 3 * found.known_to + 0.01 and found.known_to < 0.01


def test_a_spread_from_molecule_to_molecule_is_no_error_of_the_mean():
    """0.18 to 0.36 um, log-uniform: an SD of ln 2/sqrt(12) = 0.2, known to 0.02 by 60 tracks, and the mean to 0.026."""
    found = recorded_psf.estimate(made([0.2] * 60, fwhm=[0.18, 0.36]), np.arange(60))
    assert found.spread == pytest.approx(0.2, abs=0.06) and 0.02 < found.known_to < 0.045
    assert abs(np.log(found.fwhm_um / np.sqrt(0.18 * 0.36))) < 3 * found.known_to
    assert found.uncertainty == pytest.approx(np.hypot(found.spread, found.known_to))


def test_few_tracks_do_not_say():
    with pytest.raises(recorded_psf.Undetermined, match="4 tracks with spots to fit, at least 5"):
        recorded_psf.estimate(made([1.0] * 8), np.arange(8) // 2)
    with pytest.raises(recorded_psf.Undetermined, match="5 tracks of spots .* know its width to"):
        recorded_psf.estimate(made([20.0] * 5), np.arange(5))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Entry of a movie of fast molecules: D 2, which fitted spots 0.32 um wide would call 0.4."""
    return write_film(tmp_path_factory.mktemp("film") / "film.tif", 2.0, 100, columns=5, frames=32)


def prepared(film, folder, **changes):
    """Survey and stacks of a movie."""
    survey = preparation.prepare({**film, **changes}, REPORT, folder / "items.zarr", folder / "items.json")
    return survey, Dataset.open(folder / "items.zarr")


@pytest.mark.parametrize("psf", [None, {"kind": "gaussian", "fwhm_um": FWHM}])
def test_D_of_a_movie_is_right_whether_its_psf_is_stated_or_not(film, tmp_path, psf):
    """50 stacks of relative SD 0.2 know the median to 4 %; a tenth is what a user is promised."""
    survey, stacks = prepared(film, tmp_path, **({"psf": psf} if psf else {}))
    entries = {name: {**WIDTH_AND_PATH, "method": name} for name in ("width_and_path", "spot_width")}
    found = measurement.measure(film, stacks, survey, entries, "cpu", 200, 1)
    table = found.methods.set_index("method").drop("ensemble_msd")
    assert (table["D"] / 2 - 1).abs().max() < 0.1
    assert ((table["ci_low"] < 2) & (2 < table["ci_high"])).all()
    holds = (found.details["D_lo95"] < 2) & (found.details["D_hi95"] > 2)
    assert holds.mean() > 0.85  # 0.9 but for three SDs of a hundred answers, which go in pairs
    widths = found.reference.set_index("quantity")["value"]
    assert widths["psf_fwhm_estimated"] == pytest.approx(FWHM, rel=0.06)
    assert np.isnan(widths["psf_fwhm_stated"]) == (psf is None)
    assert (table["psf_sd"] > 0).all() == (psf is None)  # an error that all stacks share is in the median's interval
    assert stacks.items["spot_fwhm_um"].median() > 1.2 * FWHM  # what the moving spots would have said


@pytest.mark.parametrize(("stated", "warned"), [(0.32, True), (0.255, False)])
def test_a_width_that_the_tracks_contradict_is_warned_of(film, tmp_path, caplog, monkeypatch, stated, warned):
    monkeypatch.setattr(recorded_psf, "estimate", lambda *_: recorded_psf.Width(0.25, 0.01))
    with caplog.at_level("WARNING"):
        prepared(film, tmp_path, psf={"kind": "gaussian", "fwhm_um": stated})
    assert ("a FWHM of 0.32 um is stated, the tracks say 0.25 um" in caplog.text) == warned


def test_nothing_stated_and_nothing_to_estimate_from_is_refused(film, tmp_path, monkeypatch):
    def nothing(*_):
        raise recorded_psf.Undetermined("3 tracks")

    monkeypatch.setattr(recorded_psf, "estimate", nothing)
    with pytest.raises(RecordingError, match="psf: found nothing stated, and 3 tracks, expected psf: .kind: gaussian"):
        prepared(film, tmp_path)


def test_a_search_range_that_cuts_steps_is_refused(film, tmp_path):
    """D 2: steps of 2 px on average of squares, of which a reach of 2 px would cut exp(-1), a third."""
    with pytest.raises(RecordingError, match="search_range_px: found 2.5 px, beyond which lie .* expected at least"):
        prepared(film, tmp_path, tracking={**film["tracking"], "search_range_px": 2.5, "memory": 0})


def test_the_share_of_cut_steps_is_that_of_a_normal_law():
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 1, (20000, 2))
    steps = steps[np.hypot(*steps.T) < 2.5]  # cuts exp(-2.5²/2), 4.4 %
    y, x = np.cumsum(steps, axis=0).T
    spots = pd.DataFrame({"particle": 0, "frame": np.arange(len(y)), "y": y, "x": x})
    with pytest.raises(RecordingError, match="beyond which lie 4 % .* at least 3 px"):
        tracking._check_range("film.tif", spots, 2.5)
    tracking._check_range("film.tif", spots, 4.0)


def test_a_network_unaware_of_the_error_has_it_in_its_interval():
    """ln D ± 0.2, and a width that moves it by 0.15 either way: 0.25 together."""
    z = {column: (-1 if "_lo" in column else 1) * measurement.Z[column[-2:]] for column in measurement.INTERVAL}
    answer = pd.DataFrame({"D": [2.0], **{column: [2 * np.exp(0.2 * sign)] for column, sign in z.items()}})
    answer = answer.assign(D_narrower=2 * np.exp(0.15), D_wider=2 * np.exp(-0.15))
    wide = measurement._widened(answer, 1.0)
    for column, sign in z.items():
        assert wide[column][0] == pytest.approx(2 * np.exp(0.25 * sign))
