"""Answers with their intervals, where these are known in closed form."""

import numpy as np
import pytest
from scipy.stats import norm, truncexpon

from blurbench.diffusion.intervals import from_log, from_posterior

GRID = np.linspace(-3, 3, 400)


def posterior(density):
    return density / density.sum()


def test_a_normal_posterior_has_the_answer_of_a_normal_law():
    """A grid step of 0.015 against SDs of 0.3 and 0.1."""
    mean, sd = np.array([0.2, -1.0]), np.array([0.3, 0.1])
    rows = [posterior(norm.pdf(GRID, m, s)) for m, s in zip(mean, sd)]
    assert from_posterior(GRID, rows).to_numpy() == pytest.approx(from_log(mean, sd).to_numpy(), rel=2e-3)


def test_a_posterior_that_ends_at_the_range():
    """One that falls from the lower end on: quantiles of an exponential law cut at both ends."""
    law = truncexpon(b=6, loc=-3)
    found = np.log(from_posterior(GRID, posterior(law.pdf(GRID))).iloc[0])
    assert found["D"] == pytest.approx(law.mean(), abs=0.02)
    for column, share in (("D_lo95", 0.025), ("D_lo68", 0.16), ("D_hi68", 0.84), ("D_hi95", 0.975)):
        assert found[column] == pytest.approx(law.ppf(share), abs=0.02)


def test_no_posterior_is_no_answer():
    rows = [np.full(400, np.nan), posterior(np.ones(400))]
    found = from_posterior(GRID, rows)
    assert found.iloc[0].isna().all() and found.iloc[1].notna().all()
    assert len(from_posterior(GRID, [])) == 0
