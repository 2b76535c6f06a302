"""Answers on a recording of known D are scored; those on any other are as they were."""

import numpy as np
import pandas as pd
import pytest
from beads import D

from blurbench.diffusion import measurement
from blurbench.diffusion.known import against_known

METHODS = {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": {}}}
COLUMNS = ["known_D", "ratio_to_known", "known_inside", "stacks_inside95"]


def found(tracked, recording, **changes):
    spots, stacks = tracked
    return measurement.measure({**recording, **changes}, stacks, spots, METHODS, "cpu", 200, 1)


def test_the_right_D_is_within_the_intervals(tracked, recording):
    table = found(tracked, recording, D_um2_s=D).methods.set_index("method")
    assert (table["known_D"] == D).all() and table["known_inside"].all()
    assert table["ratio_to_known"].to_numpy() == pytest.approx(table["D"] / D)
    assert table.loc["cve", "stacks_inside95"] >= 0.8 and np.isnan(table.loc["ensemble_msd", "stacks_inside95"])


def test_a_D_outside_of_the_intervals_is_said_to_be(tracked, recording):
    """Three times what the beads have: an interval of 95 % of one stack of 20 steps still holds it now and then."""
    table = found(tracked, recording, D_um2_s=3 * D).methods.set_index("method")
    assert not table["known_inside"].any()
    assert table["ratio_to_known"].to_numpy() == pytest.approx(1 / 3, rel=0.25)
    assert table.loc["cve", "stacks_inside95"] < 0.5


def test_without_one_nothing_changes(tracked, recording):
    without, known = found(tracked, recording), found(tracked, recording, D_um2_s=D)
    assert not set(COLUMNS) & set(without.methods)
    pd.testing.assert_frame_equal(known.methods.drop(columns=COLUMNS), without.methods)
    pd.testing.assert_frame_equal(known.details, without.details)


def test_what_counts_as_inside():
    details = pd.DataFrame(
        [  # of D 1: two stacks hold it, one does not, one goes to 0 and one to infinity, one has no answer
            ("a", "all", 0.5, 2.0, "", "ok"),
            ("a", "all", 0.9, 1.0, "", "ok"),
            ("a", "all", 1.1, 2.0, "", "ok"),
            ("a", "all", 1.1, 2.0, "below", "ok"),
            ("a", "all", 0.1, 0.2, "above", "ok"),
            ("a", "all", 0.5, 2.0, "", "lost"),
            ("b", "all", np.nan, np.nan, "", "ok"),
            ("c", "slow", 0.5, 2.0, "", "ok"),
            ("c", "fast", 1.5, 2.0, "", "ok"),
        ],
        columns=["method", "population", "D_lo95", "D_hi95", "bound", "status"],
    )
    table = pd.DataFrame(
        [
            ("a", "all", 1.2, 0.9, np.inf),
            ("b", "all", 2.0, np.nan, np.nan),
            ("c", "slow", 0.5, 0.4, 0.6),
            ("c", "fast", 1.0, 0.4, 1.0),
        ],
        columns=["method", "population", "D", "ci_low", "ci_high"],
    )
    scored = against_known(table, details, 1.0)
    assert scored["stacks_inside95"].tolist() == pytest.approx([4 / 5, np.nan, 1, 0], nan_ok=True)
    assert scored["known_inside"].tolist() == [True, pd.NA, False, True]
    assert scored["ratio_to_known"].tolist() == [1.2, 2.0, 0.5, 1.0]


@pytest.mark.parametrize("known", [D, 100 * D])
def test_the_picture_has_a_line_at_it(tracked, recording, tmp_path, known):
    entry = {**recording, "D_um2_s": known}
    measurement.draw(tmp_path / "a.svg", entry, tracked[1], tracked[0], found(tracked, recording, D_um2_s=known))
    assert f"known, {known:#.2g} µm²/s" in (tmp_path / "a.svg").read_text()
