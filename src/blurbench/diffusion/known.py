"""Answers on a recording whose D is known, as of a simulated movie or of beads measured elsewhere, held against it."""

import numpy as np
import pandas as pd

from blurbench.diffusion.training_range import ABOVE, BELOW
from blurbench.files.answers import OK


def against_known(table: pd.DataFrame, details: pd.DataFrame, D: float) -> pd.DataFrame:
    """How near each median is to the known D, and which intervals hold it.

    Parameters
    ----------
    table : a row per method and population, as `measurement.summarise` makes them
    details : a row per stack and method, as `measurement.run` makes them, with `population`
    D : the known one, µm²/s

    Returns
    -------
    `table` with known_D; ratio_to_known; known_inside, whether the row's interval holds it, none where there is no
    interval; and stacks_inside95, the share of the stacks with an answer whose own interval of 95 % holds it, NaN of a
    method that states none. An interval with one side goes to 0 or infinity there, that of a stack like that of a row.
    """
    stated = table["ci_low"].notna() & table["ci_high"].notna()
    inside = table["ci_low"].le(D) & table["ci_high"].ge(D)
    shares = _inside(details, D).rename("stacks_inside95").reset_index()
    table = table.assign(known_D=D, ratio_to_known=table["D"] / D, known_inside=inside.astype("boolean").where(stated))
    return table.merge(shares, on=["method", "population"], how="left", validate="one_to_one")


def _inside(details, D):
    """Share of the stacks of each method and population whose own interval holds D."""
    low = details["D_lo95"].astype(float).mask(details["bound"] == BELOW, 0.0)
    high = details["D_hi95"].astype(float).mask(details["bound"] == ABOVE, np.inf)
    answered = (details["status"] == OK) & low.notna() & high.notna()
    inside = ((low <= D) & (D <= high)).astype(float).where(answered)
    return inside.groupby([details["method"], details["population"]]).mean()
