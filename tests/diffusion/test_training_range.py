"""What a method was not made for: refused, flagged, or answered with one side alone."""

import numpy as np
import pandas as pd
import pytest

from blurbench.diffusion import measurement, training_range
from blurbench.diffusion.training_range import ABOVE, BELOW, bounds

TOLD = {"fwhm_um": 0.25, "known_to": 0.0, "spread": 0.0}


@pytest.mark.parametrize(
    ("told", "trained", "reason"),
    [
        ({}, {"kind": "gaussian", "fwhm_um": 0.25}, ""),
        ({"known_to": 0.01}, {"kind": "gaussian", "fwhm_um": [0.1, 0.35]}, ""),
        ({"known_to": 0.1}, {"kind": "gaussian", "fwhm_um": 0.25, "known_to": 0.2}, ""),
        ({"known_to": 0.01}, {"kind": "gaussian", "fwhm_um": 0.25}, "known to 1 %, trained on one width"),
        ({"fwhm_um": 0.4}, {"kind": "gaussian", "fwhm_um": [0.1, 0.35]}, "0.4 um wide, trained on 0.1 to 0.35 um"),
        ({}, {"kind": "airy", "na": 1.4, "wavelength_um": 0.6}, "gaussian, trained on airy"),
    ],
)
def test_networks_answer_for_the_psfs_that_they_know(told, trained, reason):
    spec = {"psf": {"told": {**TOLD, **told}}, "imaging": {"psf": {"kind": "gaussian"}}}
    said = training_range._untrained_psf(spec, {"kind": "learned", "trained_on": {"imaging": {"psf": trained}}})
    assert reason in said if reason else said == ""
    assert training_range._untrained_psf(spec, {"kind": "classical"}) == ""


@pytest.mark.parametrize(
    ("photons", "trained", "reason"),
    [
        ([90, 100, 5000], 100, ""),
        ([108], 100, ""),
        ([82], 100, "photons: 82 in a frame, trained on 100"),
        ([300], [30, 1000], ""),
        ([20], [30, 1000], "photons: 20 in a frame, trained on 30 to 1000"),
    ],
)
def test_networks_answer_for_the_photons_that_they_know(photons, trained, reason):
    items = pd.DataFrame({"photons": photons})
    learned = {"kind": "learned", "trained_on": {"imaging": {"photons": trained}}}
    assert training_range._untrained_photons(items, learned) == reason
    assert training_range._untrained_photons(items, {"kind": "classical"}) == ""


CVE, LIKELIHOOD = (
    {"method": name, "kind": "classical", "options": options, "models": {}}
    for name, options in (("cve", {}), ("width_and_path", {"answer": "mean"}))
)
SPEC = {"D_um2_s": [0.05, 20]}
LEARNED = {"kind": "learned", "trained_on": {**SPEC, "imaging": {"photons": 100, "background": [1, 3]}}}


@pytest.mark.parametrize(
    ("low", "high", "kind", "side"),
    [
        (0.3, 0.6, "learned", ""),
        (0.051, 0.1, "learned", BELOW),
        (0.03, 0.1, "learned", BELOW),  # a normal law of ln D goes beyond what was trained
        (5, 19.5, "learned", ABOVE),
        (0.05, 20, "learned", ""),  # says that it knows nothing
        (0.051, 0.1, "classical", BELOW),
        (0.03, 0.1, "classical", ""),  # goes beyond the range, so knows of none
        (5, 19.5, "classical", ABOVE),
        (5, 40, "classical", ""),
        (-0.1, 0.1, "classical", ""),
        (np.nan, np.nan, "classical", ""),
    ],
)
def test_an_interval_that_ends_with_the_range_has_one_side(low, high, kind, side):
    answer = pd.DataFrame({"D": [1.0], "D_lo95": [low], "D_hi95": [high]})
    entry = LEARNED if kind == "learned" else {"kind": kind}
    assert bounds(answer, entry, SPEC).tolist() == [side]


def test_stacks_unlike_the_training_are_flagged():
    items = pd.DataFrame({"photons": [100, 150, 60, 104], "background": [2, 2, 9, 0.5]})
    assert training_range.outside(items, LEARNED).tolist() == ["", "photons", "photons, background", "background"]
    assert (training_range.outside(items, {"kind": "classical"}) == "").all()


def test_a_median_of_answers_with_one_side_has_one_side():
    """Of three stacks in four no more is known than that D is below some 0.1 or above some 8."""
    stacks = pd.DataFrame({"item": range(16), "particle": range(16), "method": "ours", "kind": "learned"})
    D = np.geomspace(0.055, 0.065, 16)
    stacks = stacks.assign(D=D, D_narrower=D, D_wider=D, D_lo95=0.05, D_hi95=0.1, status="ok")
    stacks["outside"] = ["photons"] * 5 + [""] * 11
    line = pd.DataFrame([{"quantity": "D_linear", "value": 0.001, "ci_low": 0, "ci_high": 1, "n_tracks": 16}])
    for side, ends in ((BELOW, (0.0, 0.1)), (ABOVE, (0.05, np.inf))):
        stacks["bound"] = [side] * 12 + [""] * 4
        row = measurement.summarise(stacks, line).iloc[0]
        assert row["bound"] == side and (row["ci_low"], row["ci_high"]) == pytest.approx(ends)
        assert row["outside"] == "photons: 5 of 16 stacks"
    stacks["bound"] = [BELOW] * 8 + [""] * 8
    row = measurement.summarise(stacks, line).iloc[0]
    assert row["bound"] == "" and 0.055 < row["ci_low"] < row["ci_high"] < 0.065


def test_a_likelihood_of_molecules_at_rest_says_below(tracked):
    """Stacks told a range that begins at ten times their D: the method that goes by it says no more than that."""
    _, stacks = tracked
    slowest = 10 * measurement.run(stacks, {"cve": CVE}, "cpu")["D"].median()
    narrow = stacks.with_spec({**stacks.spec, "D_um2_s": [slowest, 20 * slowest]})
    table = measurement.run(narrow, {"width_and_path": LIKELIHOOD, "cve": CVE}, "cpu")
    sides = table.groupby("method")["bound"].agg(lambda one: (one == BELOW).mean())
    assert sides["width_and_path"] > 0.9 and sides["cve"] < 0.1
