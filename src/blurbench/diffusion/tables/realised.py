"""Scores against the D of the realised path, which is what the source report used as its label."""

from blurbench.diffusion.score import CAPTION as MAIN
from blurbench.diffusion.score import METRICS
from blurbench.scoring.metric import numbers
from blurbench.tables import published, rendering

NUMBERS = numbers(METRICS, "realised")

TITLE = "against the D of the realised path"
CAPTION = (
    f"{MAIN} Against the D of the realised path: the slope of the mean squared displacement of the true sub-positions "
    "over all lags. It is what the source report used as its label, and a noisy statistic of D: at fixed D it scatters "
    "by some 80 %. A method that copies this noise of the path scores well here and badly against D; the table shows "
    "how well a method reproduces that statistic, not how well it measures D."
)


def table(scores, given):
    """The main table's columns, with the numbers declared for this one."""
    return published.table("diffusion", scores, NUMBERS, given)


def blocks(table):
    """(heading, note, rows of strings) of each dataset."""
    return rendering.blocks(table, NUMBERS)


def summary(table):
    """Nothing: the summary is about D."""
    return ()
