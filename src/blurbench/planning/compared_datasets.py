"""Which datasets and methods of a problem are ranked over datasets, and whether they are enough for a test.

A dataset is one observation of such a test (Demsar, Statistical comparisons of classifiers over multiple data sets,
J. Mach. Learn. Res. 7, 2006, 1-30), so it counts only if its test items are its own. One with mistakes asks another
question.
"""

from typing import Any

from blurbench.planning import mistakes
from blurbench.planning.method import KINDS

# From six on, one method is ahead of another on every dataset by more than chance: the exact p of the sign test, and of
# Wilcoxon's, is 2 / 2**6 = 0.03, and with five it is 0.06.
DATASETS = 6
METHODS = 3  # Friedman's test is of three or more


def independent(datasets: dict[str, Any]) -> list[str]:
    """Names of the datasets of a problem that count, in their order.

    Parameters
    ----------
    datasets : {name: entry} of an expanded configuration
    """
    return [name for name, entry in datasets.items() if entry["stream"] == name and mistakes.KEY not in entry]


def methods(problem: dict[str, Any]) -> list[str]:
    """Names of the learned and classical methods of a problem's entry that stand in every dataset that counts."""
    listed = [problem["datasets"][name]["methods"] for name in independent(problem["datasets"])]
    ranked = [name for name, entry in problem["methods"].items() if entry["kind"] in KINDS[:2]]
    return [name for name in ranked if all(name in names for names in listed)]


def enough(problem: dict[str, Any]) -> bool:
    """Whether a problem's entry has enough of both."""
    return len(independent(problem["datasets"])) >= DATASETS and len(methods(problem)) >= METHODS


def told(problem: dict[str, Any]) -> str:
    """A sentence on how many there are, and on what is made of them."""
    counts = f"datasets: {len(independent(problem['datasets']))}, methods: {len(methods(problem))}"
    if enough(problem):
        return f"Ranks are compared over datasets (figure `ranks`; {counts})."
    return (
        f"Ranks are not compared over datasets: that takes {DATASETS} with test items of their own and without "
        f"mistakes, and {METHODS} methods that stand in all of them ({counts})."
    )
