"""Scores by depth into the specimen."""

from blurbench.fusion.resolution import LEVEL
from blurbench.fusion.score import CAPTION as MAIN
from blurbench.fusion.score import METRICS
from blurbench.scoring.metric import numbers
from blurbench.tables import published, rendering

NUMBERS = numbers(METRICS, "depth")

TITLE = "by depth"
CAPTION = (
    f"{MAIN} Here in each third of the planes, the first nearest to the objective. The resolution is the period at "
    f"which the Fourier shell correlation with the truth sinks below {LEVEL:g}; at best it is two pixels."
)


def table(scores, given):
    """The main table's columns, with the numbers declared for this one."""
    return published.table("fusion", scores, NUMBERS, given)


def blocks(table):
    """(heading, note, rows of strings) of each dataset."""
    return rendering.blocks(table, NUMBERS)


def summary(table):
    """Nothing: the summary is about whole volumes."""
    return ()
