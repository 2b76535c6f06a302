"""The sentence on a dataset says no more than its tables show."""

import numpy as np
import pandas as pd
import pytest

from blurbench.diffusion.score import METRICS
from blurbench.scoring.metric import numbers
from blurbench.tables import verdict

NUMBER = numbers(METRICS)[0][1]


def sentence(ci_low, ci_high, p_holm, limit=0.2):
    """Of a learned method with 0.24, a classical one with 0.26 and a limit; their pair is the first less the second."""
    overall = pd.DataFrame(
        [("ours", "learned", 0.24, 1), ("cve", "classical", 0.26, 2), ("bound", "limit", limit, np.nan)],
        columns=["method", "kind", "mean", "rank"],
    ).assign(metric=NUMBER.name, ci_low=np.nan, ci_high=np.nan, n_items=700)
    pair = {"difference": -0.02, "ci_low": ci_low, "ci_high": ci_high, "p_holm": p_holm}
    pairs = pd.DataFrame([{"method_a": "ours", "method_b": "cve", **pair}]).set_index(["method_a", "method_b"])
    return verdict.sentence("report", overall, pairs, NUMBER, ["cve"])


def test_who_is_ahead_by_how_much_and_how_far_the_limit_is():
    said = sentence(-0.03, -0.01, 0.001)
    assert said == (
        f"report: learned ours has the best {NUMBER.label}, 0.240; the best classical method, cve, has 0.260, "
        "a difference of 0.020 [0.010, 0.030]. Limit: bound 0.200."
    )
    assert "Limit" not in sentence(-0.03, -0.01, 0.001, limit=np.nan)


@pytest.mark.parametrize(
    ("ci_low", "ci_high", "p_holm", "chance"),
    [
        (-0.03, -0.01, 0.001, False),
        (-0.03, -0.01, np.nan, False),  # not tested: its interval alone tells
        (-0.04, 0.00, 0.04, True),
        (-0.0399, -0.0001, 0.049, False),
        (
            -0.0399,
            -0.0001,
            0.12,
            True,
        ),  # one of several tests, where its interval alone would lead
    ],
)
def test_a_lead_is_one_only_if_its_test_says_so_too(ci_low, ci_high, p_holm, chance):
    assert ("chance" in sentence(ci_low, ci_high, p_holm)) is chance


def test_without_an_interval_nothing_is_said_of_chance():
    said = sentence(np.nan, np.nan, np.nan)
    assert "a difference of 0.0200 without an interval" in said and "chance" not in said
