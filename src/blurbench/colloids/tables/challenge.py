"""Scores as others have taken them: the challenge's average precision, and matches within a radius of d / 2."""

from blurbench.colloids.score import CAPTION as MAIN
from blurbench.colloids.score import METRICS
from blurbench.scoring.metric import numbers
from blurbench.tables import published, rendering

NUMBERS = numbers(METRICS, "challenge")

TITLE = "as others have scored it"
CAPTION = (
    f"{MAIN} As others have scored it. The challenge's average precision has no confidence in it: it is about "
    "precision times recall, and hardly changes with the error of position up to a third of its scale. As described, "
    "the scale is the diameter; as scored, it was the radius. Within d / 2, and all the more under that average "
    "precision, an independent packing looks like a detector at high volume fraction: see the control row."
)


def table(scores, given):
    """The main table's columns, with the numbers declared for this one."""
    return published.table("colloids", scores, NUMBERS, given)


def blocks(table):
    """(heading, note, rows of strings) of each dataset."""
    return rendering.blocks(table, NUMBERS)


def summary(table):
    """Nothing: the summary is about matches within a quarter of the diameter."""
    return ()
