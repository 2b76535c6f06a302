"""Scores against targets that are made of all views, as the challenge's are."""

from blurbench.fusion.score import CAPTION as MAIN
from blurbench.fusion.score import METRICS
from blurbench.scoring.metric import numbers
from blurbench.tables import published, rendering

NUMBERS = numbers(METRICS, "targets")

TITLE = "against what is made of all views"
CAPTION = (
    f"{MAIN} Here the targets are of the challenge's kind, made of all noisy views: their content-weighted fusion, and "
    "their Richardson-Lucy deconvolution. Their noise is independent of the view's, and no method can foretell it: "
    "the truth itself is far from 1 here."
)


def table(scores, given):
    """The main table's columns, with the numbers declared for this one."""
    return published.table("fusion", scores, NUMBERS, given)


def blocks(table):
    """(heading, note, rows of strings) of each dataset."""
    return rendering.blocks(table, NUMBERS)


def summary(table):
    """As `blocks`."""
    return blocks(table)
